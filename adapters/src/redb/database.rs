//! The open file. After a failure redb wants it closed and opened anew, which happens when it is used next.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use fourstroke::ports::StoreError;
use redb::{Database, Error, ReadTransaction, ReadableDatabase, TransactionError, WriteTransaction};

use super::{
    failure::{failure, retryable},
    file,
};

/// Gives transactions on one file.
#[derive(Debug)]
pub(super) struct Handle {
    path: PathBuf,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// None after a failure.
    database: Option<Database>,
    /// How often the file was opened, so that one failure seen by many closes it once.
    opened: u64,
}

impl Handle {
    /// Takes an open file and where it is.
    pub(super) fn new(path: PathBuf, database: Database) -> Handle {
        Handle { path, state: RwLock::new(State { database: Some(database), opened: 1 }) }
    }

    /// Reads what is committed, whatever is being written.
    pub(super) fn read<T>(&self, job: impl FnOnce(ReadTransaction) -> Result<T, Error>) -> Result<T, StoreError> {
        self.with(Database::begin_read, job)
    }

    /// Writes; whoever calls it waits for other writers.
    pub(super) fn write<T>(&self, job: impl FnOnce(WriteTransaction) -> Result<T, Error>) -> Result<T, StoreError> {
        self.with(Database::begin_write, job)
    }

    /// Closes the file.
    pub(super) fn close(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).database = None;
    }

    fn with<R, T>(
        &self,
        begin: impl Fn(&Database) -> Result<R, TransactionError>,
        job: impl FnOnce(R) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let (opened, transaction) = self.begin(begin)?;
        let done = catch_unwind(AssertUnwindSafe(|| job(transaction?)));
        let error = match done {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => failure(&error),
            Err(_) => retryable("reading or writing the file panicked"),
        };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.opened == opened {
            state.database = None;
        }
        Err(error)
    }

    /// Begins a transaction, opening the file if need be, and tells which opening it belongs to.
    fn begin<R>(
        &self,
        begin: impl Fn(&Database) -> Result<R, TransactionError>,
    ) -> Result<(u64, Result<R, Error>), StoreError> {
        let begun = |state: &State| {
            let begun = begin(state.database.as_ref()?).map_err(Error::from);
            Some((state.opened, begun))
        };
        if let Some(begun) = begun(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(begun);
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.database.is_none() {
            state.database = Some(file::open(&self.path)?);
            state.opened += 1;
        }
        begun(&state).ok_or_else(|| retryable("the file was closed"))
    }
}
