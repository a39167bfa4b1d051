//! Keyed state with versions and expiry, and tables to look things up in.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::{Instant, timeout_at};
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
        parts.enumerate().for_each(|(place, part)| Key::push_part(&mut sort, place, part));
        Key { partition, sort }
    }

    /// Adds a part to a sort key, the first one being in place 0.
    pub(crate) fn push_part(sort: &mut String, place: usize, part: &str) {
        if place > 0 {
            sort.push(Key::SEPARATOR);
        }
        if !part.contains([Key::SEPARATOR, '\u{1e}']) {
            sort.push_str(part);
            return;
        }
        for c in part.chars() {
            match c {
                Key::SEPARATOR => sort.push_str("\u{1e}s"),
                '\u{1e}' => sort.push_str("\u{1e}e"),
                c => sort.push(c),
            }
        }
    }

    /// Returns the parts a lookup's key was made of, where the resource names so many columns; none if it was not made
    /// of so many.
    ///
    /// ```
    /// use fourstroke::ports::Key;
    /// assert_eq!(Key::of_parts(&["EWR", "9\u{1f}h", ""]).parts(3), Some(vec!["EWR".into(), "9\u{1f}h".into(), "".into()]));
    /// assert_eq!(Key::new("EWR", "").parts(3), None);
    /// ```
    pub fn parts(&self, count: usize) -> Option<Vec<String>> {
        let mut parts = vec![self.partition.clone()];
        // Without a second column there is no sort part, with one it may be empty.
        if count > 1 || !self.sort.is_empty() {
            // The escape's own escape comes last, or it would make new separators.
            let part = |part: &str| part.replace("\u{1e}s", "\u{1f}").replace("\u{1e}e", "\u{1e}");
            parts.extend(self.sort.split(Key::SEPARATOR).map(part));
        }
        (parts.len() == count).then_some(parts)
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
    /// Makes what the first call would wait for: finds the endpoint, gets credentials, connects. Where it fails, the first call
    /// tells.
    async fn connect(&self) {}

    /// Reads items; an expired one is `None`. Keys are distinct.
    ///
    /// An item whose value is null says that nothing is there, and until when that may be believed, to a lookup.
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>>;

    /// Reads items as [`Store::get`] does, until that moment: `None` is what has not come by then. A store that asks key by
    /// key gives what it has; one that asks for all at once has all or nothing.
    async fn get_by(&self, keys: &[Key], until: Instant) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        match timeout_at(until, self.get(keys)).await {
            Ok(items) => items.into_iter().map(Some).collect(),
            Err(_) => keys.iter().map(|_| None).collect(),
        }
    }

    /// Stores items whose condition holds. Keys are distinct.
    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>>;

    /// Removes items of the given version. A key that is absent is refused with `None`.
    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>>;

    /// Tells whether it is a table that is only looked up in: nothing can be put.
    fn is_table(&self) -> bool {
        false
    }

    /// Lists a subject's items by ascending sort key, without expired ones.
    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Key;

    proptest! {
        #[test]
        fn a_keys_parts_come_back(parts in prop::collection::vec("[es\u{1e}\u{1f}é/]{0,6}", 1..5)) {
            prop_assert_eq!(Key::of_parts(&parts).parts(parts.len()), Some(parts));
        }
    }
}
