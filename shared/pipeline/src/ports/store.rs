//! Keyed state with versions and expiry, and tables to look things up in.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use vrl::value::Value;

use crate::error::Kind;

/// Addresses an item: the subject it is about, and which kind of thing it is.
///
/// In a lookup the first key expression is the partition, the others are the sort part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The subject, such as `customer:42`.
    pub partition: String,
    /// The kind, such as `limit#offers`; empty where the partition says it all.
    pub sort: String,
}

impl Key {
    /// Stands between the parts of a lookup's sort key. In a part it is written as U+001E and `s`, U+001E itself as
    /// U+001E and `e`, so that no two lists of parts make the same key.
    pub const SEPARATOR: char = '\u{1f}';

    /// Makes a key.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Key {
        Key { partition: partition.into(), sort: sort.into() }
    }

    /// Makes a lookup's key of its parts, in the order of the resource's `key` columns.
    ///
    /// ```
    /// use fourstroke::ports::Key;
    /// assert_eq!(Key::of_parts(&["EWR", "2013-10-01T09"]), Key::new("EWR", "2013-10-01T09"));
    /// ```
    pub fn of_parts<P: AsRef<str>>(parts: &[P]) -> Key {
        let mut parts = parts.iter().map(AsRef::as_ref);
        let partition = parts.next().unwrap_or_default().to_owned();
        let mut sort = String::new();
        for (place, part) in parts.enumerate() {
            if place > 0 {
                sort.push(Key::SEPARATOR);
            }
            for c in part.chars() {
                match c {
                    Key::SEPARATOR => sort.push_str("\u{1e}s"),
                    '\u{1e}' => sort.push_str("\u{1e}e"),
                    c => sort.push(c),
                }
            }
        }
        Key { partition, sort }
    }
}

/// Holds what is stored under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The value.
    pub value: Value,
    /// Changes with every put; only compared for equality.
    pub version: u64,
    /// From then on, by wall clock, the item is absent.
    pub expires: Option<DateTime<Utc>>,
}

/// Says what must hold for a put or a delete to happen. There is no unconditional one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No item is there, or it has expired.
    Absent,
    /// The item there has this version.
    Version(u64),
}

/// Asks for an item to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// Where.
    pub key: Key,
    /// What.
    pub value: Value,
    /// On what condition.
    pub condition: Condition,
    /// Until when.
    pub expires: Option<DateTime<Utc>>,
}

/// Says how a put or a delete ended.
#[derive(Clone, Debug, PartialEq)]
pub enum PutOutcome {
    /// Done. A put's new version; a delete's old one.
    Done(u64),
    /// The condition did not hold; this is what is there.
    Refused(Option<Item>),
}

/// Asks for an item to be removed.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// Where.
    pub key: Key,
    /// The version that may be removed.
    pub version: u64,
}

/// Describes why a store could not answer for one key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct StoreError {
    /// What can be done about it.
    pub kind: Kind,
    /// What happened, in words.
    pub reason: String,
}

/// Keeps items by key. One answer per key, in the order asked; one bad key never fails the others.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads items; an expired one is `None`. Keys are distinct.
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>>;

    /// Stores items whose condition holds. Keys are distinct.
    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>>;

    /// Removes items of the given version. A key that is absent is refused with `None`.
    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>>;

    /// Lists a subject's items by ascending sort key, without expired ones.
    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError>;
}
