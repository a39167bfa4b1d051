//! A map of items.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use fourstroke::{
    clock::Clock,
    ports::{Condition, Delete, Item, Key, Put, PutOutcome, Store, StoreError},
};

/// Keeps items in a map. A call is atomic.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<Key, Item>,
    /// The last version given. One count for all keys, so that none comes back after a delete.
    version: u64,
    /// Expired items are swept when there are as many as this.
    sweep_at: usize,
}

impl MemoryStore {
    /// Makes an empty store that tells by this clock what has expired.
    pub fn new(clock: Clock) -> MemoryStore {
        MemoryStore { clock, state: Mutex::default() }
    }

    /// A poisoned lock is taken all the same: no operation leaves the map half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the item that is there, if it has not expired.
    fn current(&self, key: &Key, now: DateTime<Utc>) -> Option<&Item> {
        self.items.get(key).filter(|item| is_alive(item, now))
    }

    fn put(&mut self, put: &Put, now: DateTime<Utc>) -> PutOutcome {
        let current = self.current(&put.key, now);
        let holds = match put.condition {
            Condition::Absent => current.is_none(),
            Condition::Version(version) => current.is_some_and(|item| item.version == version),
        };
        if !holds {
            return PutOutcome::Refused(current.cloned());
        }
        self.version += 1;
        let item = Item { value: put.value.clone(), version: self.version, expires: put.expires };
        self.items.insert(put.key.clone(), item);
        PutOutcome::Done(self.version)
    }

    fn delete(&mut self, delete: &Delete, now: DateTime<Utc>) -> PutOutcome {
        match self.current(&delete.key, now) {
            Some(item) if item.version == delete.version => {
                self.items.remove(&delete.key);
                PutOutcome::Done(delete.version)
            }
            current => PutOutcome::Refused(current.cloned()),
        }
    }

    /// Drops expired items each time the map has doubled, so that it holds at most twice what is alive.
    fn sweep(&mut self, now: DateTime<Utc>) {
        const FIRST_SWEEP: usize = 1024;
        if self.items.len() >= self.sweep_at.max(FIRST_SWEEP) {
            self.items.retain(|_, item| is_alive(item, now));
            self.sweep_at = self.items.len() * 2;
        }
    }
}

fn is_alive(item: &Item, now: DateTime<Utc>) -> bool {
    item.expires.is_none_or(|expires| now < expires)
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        let (state, now) = (self.lock(), self.clock.now());
        keys.iter().map(|key| Ok(state.current(key, now).cloned())).collect()
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        let (mut state, now) = (self.lock(), self.clock.now());
        let outcomes = puts.iter().map(|put| Ok(state.put(put, now))).collect();
        state.sweep(now);
        outcomes
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        let (mut state, now) = (self.lock(), self.clock.now());
        deletes.iter().map(|delete| Ok(state.delete(delete, now))).collect()
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        let (state, now) = (self.lock(), self.clock.now());
        let from = Bound::Included(Key::new(partition, ""));
        let items = state.items.range((from, Bound::Unbounded)).take_while(|(key, _)| key.partition == partition);
        Ok(items.filter(|(_, item)| is_alive(item, now)).map(|(key, item)| (key.sort.clone(), item.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::sync::Arc;

    #[tokio::test]
    async fn expired_items_nobody_asks_for_do_not_pile_up() {
        let start = DateTime::from_timestamp(1_380_585_600, 0).unwrap();
        let now = Arc::new(Mutex::new(start));
        let hands = now.clone();
        let store = MemoryStore::new(Clock::from_fn(move || *hands.lock().unwrap()));
        for n in 0..10_000 {
            *now.lock().unwrap() = start + TimeDelta::seconds(n);
            let expires = Some(start + TimeDelta::seconds(n + 10));
            let key = Key::new(format!("customer:{n}"), "limit");
            store.put(&[Put { key, value: n.into(), condition: Condition::Absent, expires }]).await;
        }
        assert!(store.lock().items.len() <= 1024, "{} items are kept, ten of them alive", store.lock().items.len());
    }
}
