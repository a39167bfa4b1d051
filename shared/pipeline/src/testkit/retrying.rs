//! Ports that fail now and then, behind somebody who tries again: what the core does, without its waits.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    error::Kind,
    ports::{Delete, Item, Key, Outgoing, Put, PutOutcome, SendError, Sink, Store, StoreError},
};

/// So often that a port that never works ends a test.
const TRIES: usize = 1_000;

/// Repeats what failed retryably and only that, in its order, so that a port's suite can run over faults.
///
/// Of a store, only failures before their effect: what a put whose answer got lost has done is for its caller to find out.
pub struct Retrying<P: ?Sized>(Arc<P>);

impl<P: ?Sized> Retrying<P> {
    /// Stands before a port.
    pub fn new(port: Arc<P>) -> Retrying<P> {
        Retrying(port)
    }
}

/// Calls with all items, then again with those that failed retryably, until none does.
macro_rules! repeated {
    ($port:expr, $call:ident, $items:expr) => {{
        let mut answers = $port.$call($items).await;
        for _ in 0..TRIES {
            let failed = |place: &usize| matches!(&answers[*place], Err(error) if error.kind == Kind::Retryable);
            let open: Vec<usize> = (0..$items.len()).filter(failed).collect();
            if open.is_empty() {
                break;
            }
            let wanted: Vec<_> = open.iter().map(|place| $items[*place].clone()).collect();
            for (place, answer) in open.into_iter().zip($port.$call(&wanted).await) {
                answers[place] = answer;
            }
        }
        answers
    }};
}

#[async_trait]
impl<S: Sink + ?Sized> Sink for Retrying<S> {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        repeated!(self.0, send, items)
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Retrying<S> {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        repeated!(self.0, get, keys)
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        repeated!(self.0, put, puts)
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        repeated!(self.0, delete, deletes)
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        let mut listed = self.0.list(partition).await;
        for _ in 0..TRIES {
            match listed {
                Err(StoreError { kind: Kind::Retryable, .. }) => listed = self.0.list(partition).await,
                ended => return ended,
            }
        }
        listed
    }
}
