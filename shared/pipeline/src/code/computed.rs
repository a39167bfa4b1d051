//! Lookups that a closure answers, from a store of the pipeline: the same open handle the strokes have.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use vrl::value::Value;

use crate::{
    error::Kind,
    ports::{Delete, Item, Key, Put, PutOutcome, Store, StoreError},
    types::Fields,
};

/// What a closure gives for the keys it was asked for: one answer each, in their order.
pub type Answers = Vec<Result<Option<Value>, StoreError>>;
type Call = dyn Fn(Arc<dyn Store>, Vec<Key>) -> Pin<Box<dyn Future<Output = Answers> + Send>> + Send + Sync;

/// A closure that stands between a lookup and its store.
#[derive(Clone)]
pub struct Computed {
    pub(crate) fields: Fields,
    call: Arc<Call>,
}

impl Computed {
    pub(super) fn new<F>(
        fields: Fields,
        answer: impl Fn(Arc<dyn Store>, Vec<Key>) -> F + Send + Sync + 'static,
    ) -> Computed
    where
        F: Future<Output = Answers> + Send + 'static,
    {
        Computed { fields, call: Arc::new(move |store, keys| Box::pin(answer(store, keys))) }
    }

    /// Puts the closure before a store.
    pub(crate) fn before(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Before { store, call: self.call.clone() })
    }
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Computed({:?})", self.fields)
    }
}

struct Before {
    store: Arc<dyn Store>,
    call: Arc<Call>,
}

/// A lookup only reads.
fn read_only() -> StoreError {
    StoreError { kind: Kind::Fatal, reason: "what is computed cannot be written".to_owned() }
}

#[async_trait]
impl Store for Before {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        let answers = (self.call)(self.store.clone(), keys.to_vec()).await;
        let item = |value| Item { value, version: 0, expires: None };
        answers.into_iter().map(|answer| answer.map(|value| value.map(item))).collect()
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

    async fn list(&self, _: &str) -> Result<Vec<(String, Item)>, StoreError> {
        Err(read_only())
    }
}
