//! A store whose memory of what was done `once` is hidden: an event that was acted on is decided anew, to be looked at.

use std::{slice, sync::Arc};

use async_trait::async_trait;
use fourstroke::{
    clock::Clock,
    ports::{Delete, Item, Key, Put, PutOutcome, Store, StoreError},
};
use fourstroke_adapters::memory::MemoryStore;

/// Keeps what is done `once` apart, beginning with nothing.
pub struct Anew {
    kept: Arc<dyn Store>,
    once: MemoryStore,
}

impl Anew {
    pub fn new(kept: Arc<dyn Store>) -> Anew {
        Anew { kept, once: MemoryStore::new(Clock::system()) }
    }

    fn of(&self, key: &Key) -> &dyn Store {
        if key.sort.starts_with("once#") { &self.once } else { &*self.kept }
    }
}

/// One event has few keys: they are asked for one by one.
#[async_trait]
impl Store for Anew {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        let mut items = Vec::new();
        for key in keys {
            items.extend(self.of(key).get(slice::from_ref(key)).await);
        }
        items
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        let mut outcomes = Vec::new();
        for put in puts {
            outcomes.extend(self.of(&put.key).put(slice::from_ref(put)).await);
        }
        outcomes
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        let mut outcomes = Vec::new();
        for delete in deletes {
            outcomes.extend(self.of(&delete.key).delete(slice::from_ref(delete)).await);
        }
        outcomes
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        self.kept.list(partition).await
    }
}
