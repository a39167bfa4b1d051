//! A user's own table: rows by key, read only.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use fourstroke::{
    Value,
    config::Resource,
    error::Kind,
    ports::{Delete, Item, Key, Put, PutOutcome, Store, StoreError},
    types::{Base, Fields},
};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use vrl::value::{KeyString, ObjectMap};

use super::{
    item::{Attributes, LONGEST_PARTITION, LONGEST_SORT},
    service::{Read, Reading, Service},
    value::{declared, value},
};
use crate::{at_once::gathered, target::dynamodb::Target};

/// Reads rows, half as dearly as state: what was just written may not be seen yet.
pub(super) struct Rows {
    service: Service,
    columns: Vec<Column>,
    fields: Option<Fields>,
    reading: Reading,
}

/// A column of the key.
struct Column {
    name: String,
    /// Holds numbers, not strings.
    number: bool,
    longest: usize,
}

impl Rows {
    pub(super) fn new(resource: &Resource, account: &SdkConfig, target: Target) -> Rows {
        let Target { table, key } = target;
        let fields = resource.fields.clone();
        let number = |name: &str| {
            let declared = fields.as_ref().and_then(|fields| fields.get(name));
            declared.is_some_and(|declared| declared.base == Base::Integer)
        };
        let columns = key.iter().zip([LONGEST_PARTITION, LONGEST_SORT]).map(|(name, longest)| Column {
            name: name.clone(),
            number: number(name),
            longest,
        });
        let columns: Vec<Column> = columns.collect();
        let words =
            |column: &Column| format!("`{}`, {}", column.name, if column.number { "a number" } else { "a string" });
        let words: Vec<String> = columns.iter().map(words).collect();
        let keys = format!(
            "its key is taken to be {}; `key` names its columns, and one that is `integer` in `fields` is a number",
            words.join(" and ")
        );
        let attributes = fields.as_ref().map(|fields| {
            let others = fields.names().filter(|name| !key.iter().any(|column| column == name));
            key.iter().map(String::as_str).chain(others).map(str::to_owned).collect()
        });
        let reading = Reading { consistent: false, attributes };
        Rows { service: Service::new(resource, account, table, key, keys), columns, fields, reading }
    }

    async fn rows(&self, keys: &[Key], until: Option<Instant>) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        let (mut possible, mut absent) = (Vec::new(), Vec::new());
        for (place, key) in keys.iter().enumerate() {
            match self.key(key) {
                Some(key) => possible.push((place, key)),
                None => absent.push((place, Ok(None))),
            }
        }
        let come = |(place, read): (usize, Read)| (place, read.and_then(|found| self.row(found)));
        let read = self.service.read(possible, &self.reading).map(come);
        gathered(stream::iter(absent).chain(read), keys.len(), until).await
    }

    /// Writes a key; none where no row can have it.
    fn key(&self, key: &Key) -> Option<Attributes> {
        let parts = key.parts(self.columns.len())?;
        let mut attributes = HashMap::new();
        for (column, part) in self.columns.iter().zip(parts) {
            let attribute = if column.number {
                // `007` is not 7, as in any other table.
                let number = part.parse::<i64>().ok().filter(|number| number.to_string() == part)?;
                AttributeValue::N(number.to_string())
            } else if part.is_empty() || part.len() > column.longest {
                return None;
            } else {
                AttributeValue::S(part)
            };
            attributes.insert(column.name.clone(), attribute);
        }
        Some(attributes)
    }

    fn row(&self, found: Option<Attributes>) -> Result<Option<Item>, StoreError> {
        let Some(found) = found else { return Ok(None) };
        let mut row = ObjectMap::new();
        let mut insert = |name: &str, made: Result<Value, String>| {
            let misfit = |found| self.service.failed(Kind::Poison, &format!("column `{name}`: {found}"));
            row.insert(KeyString::from(name), made.map_err(misfit)?);
            Ok::<_, StoreError>(())
        };
        match &self.fields {
            Some(Fields(fields)) => {
                for (name, field) in fields {
                    insert(name, declared(found.get(name), *field))?;
                }
            }
            None => {
                for (name, attribute) in &found {
                    insert(name, value(attribute))?;
                }
            }
        }
        Ok(Some(Item { value: Value::Object(row), version: 1, expires: None }))
    }

    fn read_only(&self) -> StoreError {
        self.service.failed(Kind::Fatal, "a table with a `key` is read-only; a table for state has none")
    }
}

#[async_trait]
impl Store for Rows {
    async fn connect(&self) {
        self.service.connect().await;
    }

    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.rows(keys, None).await.into_iter().flatten().collect()
    }

    async fn get_by(&self, keys: &[Key], until: Instant) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        self.rows(keys, Some(until)).await
    }

    fn is_table(&self) -> bool {
        true
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        puts.iter().map(|_| Err(self.read_only())).collect()
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        deletes.iter().map(|_| Err(self.read_only())).collect()
    }

    async fn list(&self, _: &str) -> Result<Vec<(String, Item)>, StoreError> {
        Err(self.service.failed(Kind::Fatal, "a table with a `key` cannot be listed"))
    }
}
