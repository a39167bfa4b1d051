//! What lookups remember: bounded by number of keys, expiring by wall clock, shared by all batches of a process.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;

use super::{
    Answer,
    keys::{AsParts, Keys},
};
use crate::{config::CacheConfig, ports::Key};

/// A cache of answers. Locked once per batch, never per event.
pub(crate) struct Cache {
    ttl: TimeDelta,
    size: usize,
    entries: Mutex<LruCache<Key, Answer>>,
}

impl Cache {
    pub fn new(config: CacheConfig) -> Cache {
        Cache {
            ttl: TimeDelta::from_std(config.ttl).unwrap_or(TimeDelta::MAX),
            size: config.size,
            // Grown as needed: one with a bound of its own would reserve all of it now.
            entries: Mutex::new(LruCache::unbounded()),
        }
    }

    /// Returns the answers that are still fresh, `None` for the others.
    pub(super) fn get(&self, keys: &Keys, now: DateTime<Utc>) -> Vec<Option<Answer>> {
        let mut entries = self.lock();
        (0..keys.len())
            .map(|place| {
                let key: &dyn AsParts = &keys.parts(place);
                let answer = entries.get(key)?;
                let age = now.signed_duration_since(answer.asked);
                // A clock that went back makes an answer of unknown age: ask again.
                let young = age >= TimeDelta::zero() && age < self.ttl;
                (young && answer.expires.is_none_or(|expires| now < expires)).then(|| answer.clone())
            })
            .collect()
    }

    /// Keeps answers.
    pub(super) fn put(&self, answers: impl IntoIterator<Item = (Key, Answer)>) {
        let mut entries = self.lock();
        for (key, answer) in answers {
            entries.put(key, answer);
            if entries.len() > self.size {
                entries.pop_lru();
            }
        }
    }

    /// A panic while holding the lock leaves a cache that is still sound.
    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Key, Answer>> {
        self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
