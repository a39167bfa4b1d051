//! What stands in a table of ours. Names are short, as they are paid for with every item.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use chrono::{DateTime, Utc};
use fourstroke::ports::{Item, Key, Put};

use super::number::whole;
use crate::encoding;

/// What DynamoDB has of an item, by name.
pub(super) type Attributes = HashMap<String, AttributeValue>;

pub(super) const PARTITION: &str = "pk";
pub(super) const SORT: &str = "sk";
const VALUE: &str = "v";
pub(super) const VERSION: &str = "n";
pub(super) const EXPIRES: &str = "x";
const TTL: &str = "ttl";

/// The longest keys, in bytes.
pub(super) const LONGEST_PARTITION: usize = 2048;
pub(super) const LONGEST_SORT: usize = 1024;
/// The largest value, in bytes as it is stored: an item may have 400 KiB with its key, the names and the numbers.
const LARGEST: usize = (400 - 4) << 10;

const NANOS: i128 = 1_000_000_000;

/// Writes a key.
///
/// # Errors
/// It is too long.
pub(super) fn key(key: &Key) -> Result<Attributes, String> {
    let part = |name: &str, part: &str, longest: usize| {
        let text = written(part);
        match text.len() <= longest {
            true => Ok((name.to_owned(), AttributeValue::S(text))),
            false => Err(format!("the key's {name} has {} bytes, where {longest} are the most", text.len())),
        }
    };
    let (partition, sort) = (part(PARTITION, &key.partition, LONGEST_PARTITION)?, part(SORT, &key.sort, LONGEST_SORT)?);
    Ok(HashMap::from([partition, sort]))
}

/// Writes a part of a key so that it is never empty, which DynamoDB does not take, and the order stays what it was.
pub(super) fn written(part: &str) -> String {
    if part.is_empty() || part.starts_with('\0') { format!("\0{part}") } else { part.to_owned() }
}

fn read_part(attributes: &Attributes, name: &str) -> Option<String> {
    let text = attributes.get(name)?.as_s().ok()?;
    Some(text.strip_prefix('\0').unwrap_or(text).to_owned())
}

/// Reads the sort part of an item's key.
pub(super) fn sort(attributes: &Attributes) -> Option<String> {
    read_part(attributes, SORT)
}

/// Writes what is to be put, under a version.
///
/// # Errors
/// It can never be stored.
pub(super) fn write(put: &Put, version: u64) -> Result<Attributes, String> {
    let mut attributes = key(&put.key)?;
    let value = encoding::encode(&put.value, LARGEST)?;
    attributes.insert(VALUE.to_owned(), AttributeValue::B(Blob::new(value)));
    attributes.insert(VERSION.to_owned(), AttributeValue::N(version.to_string()));
    if let Some(expires) = put.expires {
        attributes.insert(EXPIRES.to_owned(), moment(expires));
        // Later rather than earlier: what has not expired must not be removed.
        let seconds = expires.timestamp() + i64::from(expires.timestamp_subsec_nanos() > 0);
        attributes.insert(TTL.to_owned(), AttributeValue::N(seconds.to_string()));
    }
    Ok(attributes)
}

/// Reads an item; none where it is not one of ours.
pub(super) fn read(attributes: &Attributes) -> Option<Item> {
    let number = |name: &str| attributes.get(name).map(|attribute| whole(attribute.as_n().ok()?));
    let value = encoding::decode(attributes.get(VALUE)?.as_b().ok()?.as_ref())?;
    let version = u64::try_from(number(VERSION)??).ok()?;
    let expires = match number(EXPIRES) {
        None => None,
        Some(nanos) => {
            let (seconds, nanos) = (nanos?.div_euclid(NANOS), nanos?.rem_euclid(NANOS));
            Some(DateTime::from_timestamp(i64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?)?)
        }
    };
    Some(Item { value, version, expires })
}

/// Writes a moment, in nanoseconds since 1970.
pub(super) fn moment(time: DateTime<Utc>) -> AttributeValue {
    let nanos = i128::from(time.timestamp()) * NANOS + i128::from(time.timestamp_subsec_nanos());
    AttributeValue::N(nanos.to_string())
}

#[cfg(test)]
mod tests {
    use fourstroke::{Value, ports::Condition};
    use proptest::prelude::*;

    use super::*;

    fn put(value: impl Into<Value>, expires: Option<DateTime<Utc>>) -> Put {
        Put { key: Key::new("p", "s"), value: value.into(), condition: Condition::Absent, expires }
    }

    #[test]
    fn an_item_comes_back() {
        for expires in [None, DateTime::from_timestamp(1_700_000_000, 123_456_789), DateTime::from_timestamp(-2, 1)] {
            let attributes = write(&put("x", expires), 7).unwrap();
            assert_eq!(read(&attributes), Some(Item { value: "x".into(), version: 7, expires }));
            assert_eq!(sort(&attributes), Some("s".to_owned()));
        }
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let attributes = write(&put(1, Some(extreme)), u64::MAX).unwrap();
            assert_eq!(read(&attributes), Some(Item { value: 1.into(), version: u64::MAX, expires: Some(extreme) }));
        }
    }

    #[test]
    fn dynamodb_removes_an_item_when_it_has_expired_and_not_before() {
        let ttl = |seconds, nanos| {
            let expires = DateTime::from_timestamp(seconds, nanos);
            write(&put(1, expires), 1).unwrap().remove(TTL).map(|ttl| ttl.as_n().unwrap().clone())
        };
        assert_eq!(ttl(10, 0).as_deref(), Some("10"));
        assert_eq!(ttl(10, 1).as_deref(), Some("11"));
        assert!(!write(&put(1, None), 1).unwrap().contains_key(TTL));
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let long = |partition: usize, sort: usize| key(&Key::new("p".repeat(partition), "s".repeat(sort))).map(|_| ());
        assert_eq!(long(2048, 1024), Ok(()));
        assert_eq!(long(2049, 0).unwrap_err(), "the key's pk has 2049 bytes, where 2048 are the most");
        assert_eq!(long(1, 1025).unwrap_err(), "the key's sk has 1025 bytes, where 1024 are the most");
        let longest =
            Put { key: Key::new("p".repeat(2048), "s".repeat(1024)), ..put("x".repeat(LARGEST - 5), Some(Utc::now())) };
        let attributes = write(&longest, u64::MAX >> 1).unwrap();
        let size: usize = attributes
            .iter()
            .map(|(name, attribute)| match attribute {
                AttributeValue::S(text) => name.len() + text.len(),
                AttributeValue::B(blob) => name.len() + blob.as_ref().len(),
                _ => name.len() + 21,
            })
            .sum();
        assert!(size <= 400 << 10, "{size}");
        let why = write(&put("x".repeat(LARGEST - 4), None), 1).unwrap_err();
        assert_eq!(why, "the value is larger than 396 KiB, the most that is stored");
    }

    #[test]
    fn what_is_not_ours_is_no_item() {
        let fine = write(&put(1, Some(Utc::now())), 7).unwrap();
        for (name, attribute) in [
            (VALUE, Some(AttributeValue::S("x".into()))),
            (VALUE, Some(AttributeValue::B(Blob::new([99])))),
            (VALUE, None),
            (VERSION, Some(AttributeValue::N("1.5".into()))),
            (VERSION, Some(AttributeValue::N("-1".into()))),
            (VERSION, None),
            (EXPIRES, Some(AttributeValue::S("x".into()))),
            (EXPIRES, Some(AttributeValue::N("1E+37".into()))),
        ] {
            let mut attributes = fine.clone();
            attributes.remove(name);
            attributes.extend(attribute.map(|attribute| (name.to_owned(), attribute)));
            assert_eq!(read(&attributes), None, "{attributes:?}");
        }
    }

    proptest! {
        #[test]
        fn keys_come_back_in_their_order(a in "[\0a]{0,3}", b in "[\0a]{0,3}") {
            let key = |sort: &str| key(&Key::new("p", sort)).unwrap();
            prop_assert_eq!(sort(&key(&a)), Some(a.clone()));
            prop_assert!(!written(&a).is_empty());
            prop_assert_eq!(written(&a).cmp(&written(&b)), a.cmp(&b));
        }
    }
}
