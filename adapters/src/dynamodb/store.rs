//! The store a resource names: state of ours, or rows of a user.

use std::fmt;

use async_trait::async_trait;
use aws_config::SdkConfig;
use fourstroke::{
    clock::Clock,
    config::Resource,
    ports::{Delete, Item, Key, Put, PutOutcome, Store, StoreError},
};
use tokio::time::Instant;

use super::{rows::Rows, state::State};
use crate::{aws, target::dynamodb::Target};

/// Keeps items in a DynamoDB table, or looks rows up in one.
///
/// # State
/// `dynamodb://TABLE` without a `key` is a table of fourstroke's own:
///
/// | attribute | type | holds |
/// |---|---|---|
/// | `pk` | S, the partition key | the subject |
/// | `sk` | S, the sort key | the kind; both with a U+0000 in front where they are empty or begin with one |
/// | `v` | B | the value, encoded as in a redb file |
/// | `n` | N | the version |
/// | `x` | N | when it expires, in nanoseconds since 1970; not there: never |
/// | `ttl` | N | the same in seconds, rounded up, for DynamoDB's time to live |
///
/// The table needs `pk` and `sk`; time to live on `ttl` removes what has expired, which is absent before already.
/// - A get is BatchGetItem, strongly consistent, 100 keys a call; keys that DynamoDB leaves unread are retryable.
/// - A put or a delete is one conditional call, as DynamoDB has no batched ones; 32 of them are under way at once. A put costs a
///   write unit per KiB, a get a read unit per 4 KiB.
/// - A value keeps its type. One of more than 396 KiB, nested deeper than 128 or with a regular expression in it, and a
///   partition of more than 2048 or a sort part of more than 1024 bytes, are poison; so is an item that somebody else wrote.
/// - Versions are random, so that a put that is made again after its answer got lost knows itself.
///
/// # Rows
/// With `key: [COLUMN]`, `key: [HASH, RANGE]` or `dynamodb://TABLE?key=COLUMN` it is a table of yours, which is only read: puts
/// and deletes fail for good. Reads are eventually consistent, at half the price, and give just the attributes that `fields`
/// declares, else all. A column of the key that `fields` declares `integer` is a number, any other a string. An attribute that
/// does not fit its type is poison; one that is not there is null, also where the type does not allow it; sets are arrays; a
/// number declared `string` keeps all its digits.
///
/// # Errors of a table
/// Access denied, a missing table and one with other keys are fatal, for nothing changes until somebody acts; throttling and
/// whatever passes are retryable.
///
/// Sources: *Amazon DynamoDB Developer Guide*, "Service, account, and table quotas", "Condition expressions", "Using time to live
/// (TTL)"; *Amazon DynamoDB API Reference*, BatchGetItem, PutItem, DeleteItem, Query.
pub struct DynamoDbStore(Box<dyn Store>);

impl DynamoDbStore {
    /// Opens a table with the account of the environment; nothing is connected to yet. The clock tells what has expired.
    ///
    /// # Errors
    /// One sentence: the URL names no table, the key is not one that a table can have, no region is named.
    pub async fn open(resource: &Resource, clock: Clock) -> Result<DynamoDbStore, String> {
        let target = Target::read(resource)?;
        Ok(DynamoDbStore::of(resource, target, &aws::account().await?, clock))
    }

    /// Opens a table with an account, such as [`account_at`](crate::aws::account_at) gives.
    ///
    /// # Errors
    /// As of [`DynamoDbStore::open`].
    pub fn at(resource: &Resource, account: &SdkConfig, clock: Clock) -> Result<DynamoDbStore, String> {
        Ok(DynamoDbStore::of(resource, Target::read(resource)?, account, clock))
    }

    fn of(resource: &Resource, target: Target, account: &SdkConfig, clock: Clock) -> DynamoDbStore {
        DynamoDbStore(match target.key.is_empty() {
            true => Box::new(State::new(resource, account, target.table, clock)),
            false => Box::new(Rows::new(resource, account, target)),
        })
    }
}

#[async_trait]
impl Store for DynamoDbStore {
    async fn connect(&self) {
        self.0.connect().await;
    }

    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.0.get(keys).await
    }

    async fn get_by(&self, keys: &[Key], until: Instant) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        self.0.get_by(keys, until).await
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        self.0.put(puts).await
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        self.0.delete(deletes).await
    }

    fn is_table(&self) -> bool {
        self.0.is_table()
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        self.0.list(partition).await
    }
}

impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_table() { "DynamoDbStore (rows)" } else { "DynamoDbStore" })
    }
}
