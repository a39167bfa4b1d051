//! The store over the shared file.

use std::sync::Arc;

use async_trait::async_trait;
use fourstroke::{
    clock::Clock,
    config::Resource,
    ports::{Condition, Delete, Item, Key, Put, PutOutcome, Store, StoreError},
};
use redb::{Error, ReadOnlyTable};

use super::{
    failure::{poison, retryable},
    file::{self, cannot},
    shared::Shared,
    tables::{self, Change, ITEMS, New, Row},
};
use crate::encoding;

/// The largest value, in bytes as it is stored.
const LARGEST: usize = 1 << 20;

/// Keeps items in a file.
///
/// - `Done` means that the disk has it: it outlives the process and a power cut. A call is one transaction, which calls at the
///   same time share; a transaction that fails leaves all of them retryable, and the file is opened anew.
/// - Reads see what is committed and wait for no writer.
/// - An expired item is absent at once and removed by later puts and deletes: each removes more than it adds.
/// - A value keeps its type, timestamps and bytes included. One of more than 1 MiB, nested deeper than 128 or with a regular
///   expression in it is refused as poison.
/// - Versions are counted over all keys, and go on counting after a restart.
/// - Stores of one file in one process share it; a file that another process has open is refused.
/// - A resource's `key` and `fields` say what a lookup asks and gets; the file holds whatever is put.
#[derive(Debug)]
pub struct RedbStore {
    shared: Arc<Shared>,
    clock: Clock,
}

impl RedbStore {
    /// Opens a file, making it and its directories; the clock tells what has expired. A relative path starts at the working
    /// directory.
    ///
    /// # Errors
    /// One sentence: it names no file, may not be written, is no file of this layout, is damaged, or another process has it.
    pub async fn open(resource: &Resource, clock: Clock) -> Result<RedbStore, String> {
        let path = file::path(resource)?;
        let opened = tokio::task::spawn_blocking(move || Shared::open(&path)).await;
        let opened = opened.unwrap_or_else(|died| Err(retryable(died.to_string())));
        opened.map(|shared| RedbStore { shared, clock }).map_err(|error| cannot(resource, &error))
    }

    /// Returns how many transactions this process has committed to the file since it opened it.
    pub fn commits(&self) -> u64 {
        self.shared.committer.commits()
    }

    /// Reads off the asynchronous threads.
    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Items) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        let read = move || shared.handle.read(|transaction| job(&transaction.open_table(ITEMS)?));
        let done = tokio::task::spawn_blocking(read).await;
        done.unwrap_or_else(|died| Err(retryable(died.to_string())))
    }

    /// Commits the changes that can be stored, and puts each answer in its place.
    async fn commit(&self, changes: Vec<Result<Change, StoreError>>) -> Vec<Result<PutOutcome, StoreError>> {
        let mut answers = Vec::with_capacity(changes.len());
        let mut fit = Vec::with_capacity(changes.len());
        for change in changes {
            answers.push(change.map(|change| fit.push(change)));
        }
        if fit.is_empty() {
            return answers.into_iter().filter_map(|answer| answer.err().map(Err)).collect();
        }
        let mut done = self.shared.committer.commit(fit, self.clock.clone()).await.into_iter();
        let mut next = || done.next().unwrap_or_else(|| Err(retryable("an answer is missing")));
        answers.into_iter().map(|answer| answer.and_then(|()| next())).collect()
    }
}

type Items = ReadOnlyTable<(&'static str, &'static str), Row>;

fn change(put: &Put) -> Result<Change, StoreError> {
    let value = encoding::encode(&put.value, LARGEST).map_err(poison)?;
    Ok(Change { key: put.key.clone(), condition: put.condition, new: Some(New { value, expires: put.expires }) })
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        if keys.is_empty() {
            return Vec::new();
        }
        let (wanted, now) = (keys.to_vec(), self.clock.now());
        let found = self.read(move |items| wanted.iter().map(|key| tables::get(items, key, now)).collect()).await;
        found.unwrap_or_else(|error| vec![Err(error); keys.len()])
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        self.commit(puts.iter().map(change).collect()).await
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        let change = |delete: &Delete| Change {
            key: delete.key.clone(),
            condition: Condition::Version(delete.version),
            new: None,
        };
        self.commit(deletes.iter().map(|delete| Ok(change(delete))).collect()).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        let (partition, now) = (partition.to_owned(), self.clock.now());
        self.read(move |items| tables::list(items, &partition, now)).await?
    }
}
