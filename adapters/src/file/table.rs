//! A file to look things up in, held in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Delete, Item, Key, Put, PutOutcome, Store, StoreError},
};

use super::{layout, load};

/// Holds the rows of a file by key, each with version 1. It is only read: puts and deletes fail for good.
///
/// The file is read whole when it is opened: the columns of the resource's `key` make the key, the columns of its
/// `fields` the value (all of them, where it has none). An empty cell is null, also where the type does not allow it;
/// whoever looks it up decides what stands in.
#[derive(Debug)]
pub struct FileTable {
    rows: HashMap<Key, Item>,
}

impl FileTable {
    /// Reads a file of at most 1 GiB, decompressed.
    ///
    /// # Errors
    /// One sentence: the file is not there, a column is missing, a cell does not fit its type, two rows have one key.
    pub async fn open(resource: &Resource) -> Result<FileTable, String> {
        let (content, packing) = layout::to_read(resource)?;
        if resource.key.is_empty() {
            return Err(format!("`{}` needs `key:`, the columns to look rows up by", resource.shown()));
        }
        let resource = resource.clone();
        let rows = tokio::task::spawn_blocking(move || load::load(&resource, content, packing)).await;
        let rows = rows.unwrap_or_else(|error| Err(error.to_string()))?;
        let item = |value| Item { value, version: 1, expires: None };
        Ok(FileTable { rows: rows.into_iter().map(|(key, value)| (key, item(value))).collect() })
    }

    /// Returns how many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn read_only() -> StoreError {
    StoreError { kind: Kind::Fatal, reason: "a table in a file is read-only".to_owned() }
}

#[async_trait]
impl Store for FileTable {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        keys.iter().map(|key| Ok(self.rows.get(key).cloned())).collect()
    }

    fn is_table(&self) -> bool {
        true
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        puts.iter().map(|_| Err(read_only())).collect()
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        deletes.iter().map(|_| Err(read_only())).collect()
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        let rows = self.rows.iter().filter(|(key, _)| key.partition == partition);
        let mut rows: Vec<_> = rows.map(|(key, item)| (key.sort.clone(), item.clone())).collect();
        rows.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(rows)
    }
}
