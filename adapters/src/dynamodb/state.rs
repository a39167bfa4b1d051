//! Our own table: items with versions and expiry.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use chrono::{DateTime, Utc};
use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Condition, Delete, Item, Key, Put, PutOutcome, Store, StoreError},
};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{
    item::{self, Attributes, EXPIRES, LONGEST_PARTITION, PARTITION, SORT, VERSION},
    service::{Read, Reading, Service},
};
use crate::{
    at_once::{AT_ONCE, gathered},
    aws,
};

/// Keeps items.
pub(super) struct State {
    service: Service,
    clock: Clock,
}

type Outcome = Result<PutOutcome, StoreError>;

impl State {
    pub(super) fn new(resource: &Resource, account: &SdkConfig, table: String, clock: Clock) -> State {
        let key = vec![PARTITION.to_owned(), SORT.to_owned()];
        let keys = format!(
            "a table for state has the partition key `{PARTITION}` and the sort key `{SORT}`, both strings; one of your own \
             needs `key:`, the columns to look rows up by"
        );
        State { service: Service::new(resource, account, table, key, keys), clock }
    }

    async fn read(&self, keys: &[Key], until: Option<Instant>) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        let (mut fit, mut unfit) = (Vec::new(), Vec::new());
        for (place, key) in keys.iter().enumerate() {
            match item::key(key) {
                Ok(key) => fit.push((place, key)),
                Err(why) => unfit.push((place, Err(self.service.failed(Kind::Poison, &why)))),
            }
        }
        let reading = Reading { consistent: true, attributes: None };
        let come = |(place, read): (usize, Read)| (place, read.and_then(|found| self.alive(found, self.clock.now())));
        let read = self.service.read(fit, &reading).map(come);
        gathered(stream::iter(unfit).chain(read), keys.len(), until).await
    }

    /// Reads what was found, if it has not expired.
    fn alive(&self, found: Option<Attributes>, now: DateTime<Utc>) -> Result<Option<Item>, StoreError> {
        let item = found.map(|found| self.item(&found)).transpose()?;
        Ok(item.filter(|item| item.expires.is_none_or(|expires| now < expires)))
    }

    fn item(&self, attributes: &Attributes) -> Result<Item, StoreError> {
        let what = "an item is not of this layout, or of a newer one";
        item::read(attributes).ok_or_else(|| self.service.failed(Kind::Poison, what))
    }

    async fn put_one(&self, put: &Put) -> Outcome {
        let version = rand::random::<u64>() >> 1;
        let item = item::write(put, version).map_err(|why| self.service.failed(Kind::Poison, &why))?;
        let now = self.clock.now();
        let (condition, values) = condition(put.condition, now);
        let call = self.service.client.put_item().table_name(&self.service.table).set_item(Some(item));
        let call = call.condition_expression(condition).set_expression_attribute_values(Some(values));
        let call = call.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match call.customize().mutate_request(aws::repeatable).send().await {
            Ok(_) => return Ok(PutOutcome::Done(version)),
            Err(error) => error,
        };
        let current = match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => refusal.item.clone(),
            _ => return Err(self.service.fault(&error)),
        };
        match self.current(&put.key, current).await? {
            // The call was made twice, and its first try had been heard.
            Some(current) if self.item(&current).is_ok_and(|item| item.version == version) => {
                Ok(PutOutcome::Done(version))
            }
            current => self.alive(current, now).map(PutOutcome::Refused),
        }
    }

    /// A delete that was made twice because its first try's answer got lost finds nothing and is refused with `None`, as if
    /// somebody else had removed the item: nobody can tell the two apart. Both are true of what is there, and whoever wants the
    /// item gone has what they want.
    async fn delete_one(&self, delete: &Delete) -> Outcome {
        let key = item::key(&delete.key).map_err(|why| self.service.failed(Kind::Poison, &why))?;
        let now = self.clock.now();
        let (condition, values) = condition(Condition::Version(delete.version), now);
        let call = self.service.client.delete_item().table_name(&self.service.table).set_key(Some(key));
        let call = call.condition_expression(condition).set_expression_attribute_values(Some(values));
        let call = call.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match call.customize().mutate_request(aws::repeatable).send().await {
            Ok(_) => return Ok(PutOutcome::Done(delete.version)),
            Err(error) => error,
        };
        let current = match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(refusal)) => refusal.item.clone(),
            _ => return Err(self.service.fault(&error)),
        };
        let current = self.current(&delete.key, current).await?;
        self.alive(current, now).map(PutOutcome::Refused)
    }

    /// Returns what is there instead. A refusal without an item is that of an absent one, or of a service too old to say:
    /// it is read.
    async fn current(&self, key: &Key, refused_with: Option<Attributes>) -> Read {
        if let Some(item) = refused_with.filter(|item| !item.is_empty()) {
            return Ok(Some(item));
        }
        let key = item::key(key).map_err(|why| self.service.failed(Kind::Poison, &why))?;
        let call = self.service.client.get_item().table_name(&self.service.table).set_key(Some(key));
        let call = call.consistent_read(true).customize().mutate_request(aws::repeatable);
        call.send().await.map(|answer| answer.item).map_err(|error| self.service.fault(&error))
    }
}

/// Makes calls at the same time, and puts each answer in its place.
async fn all(calls: Vec<impl Future<Output = Outcome>>) -> Vec<Outcome> {
    let count = calls.len();
    let calls = calls.into_iter().enumerate().map(|(place, call)| async move { (place, call.await) });
    let answers = gathered(stream::iter(calls).buffer_unordered(AT_ONCE), count, None).await;
    answers.into_iter().flatten().collect()
}

/// Writes a condition, in which what has expired is absent.
fn condition(condition: Condition, now: DateTime<Utc>) -> (String, HashMap<String, AttributeValue>) {
    let mut values = HashMap::from([(":now".to_owned(), item::moment(now))]);
    let expression = match condition {
        Condition::Absent => format!("attribute_not_exists({PARTITION}) OR {EXPIRES} <= :now"),
        Condition::Version(version) => {
            values.insert(":version".to_owned(), AttributeValue::N(version.to_string()));
            format!("{VERSION} = :version AND (attribute_not_exists({EXPIRES}) OR {EXPIRES} > :now)")
        }
    };
    (expression, values)
}

#[async_trait]
impl Store for State {
    async fn connect(&self) {
        self.service.connect().await;
    }

    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.read(keys, None).await.into_iter().flatten().collect()
    }

    async fn get_by(&self, keys: &[Key], until: Instant) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        self.read(keys, Some(until)).await
    }

    async fn put(&self, puts: &[Put]) -> Vec<Outcome> {
        all(puts.iter().map(|put| self.put_one(put)).collect()).await
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Outcome> {
        all(deletes.iter().map(|delete| self.delete_one(delete)).collect()).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        let partition = item::written(partition);
        if partition.len() > LONGEST_PARTITION {
            return Ok(Vec::new());
        }
        let (mut listed, mut from) = (Vec::new(), None);
        loop {
            let call = self.service.client.query().table_name(&self.service.table);
            let call = call.key_condition_expression(format!("{PARTITION} = :partition"));
            let call = call.expression_attribute_values(":partition", AttributeValue::S(partition.clone()));
            let call = call.consistent_read(true).set_exclusive_start_key(from);
            let page = call.customize().mutate_request(aws::repeatable).send().await;
            let page = page.map_err(|error| self.service.fault(&error))?;
            for found in page.items.unwrap_or_default() {
                let sort = item::sort(&found).unwrap_or_default();
                if let Some(item) = self.alive(Some(found), self.clock.now())? {
                    listed.push((sort, item));
                }
            }
            match page.last_evaluated_key.filter(|key| !key.is_empty()) {
                Some(last) => from = Some(last),
                None => return Ok(listed),
            }
        }
    }
}
