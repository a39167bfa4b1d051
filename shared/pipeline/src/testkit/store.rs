//! What every [`Store`] must do. Tables that are only read run the suite of [`table`](super::table) instead.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use vrl::value::{ObjectMap, Value};

use super::{HandClock, unique};
use crate::ports::{Condition, Delete, Item, Key, Put, PutOutcome, Store, StoreError};

/// Says how far a service goes.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// The longest text it must take as a value, in bytes.
    pub largest_value: usize,
    /// How many keys one call must take, whatever the service's own batch limit is.
    pub keys_per_call: usize,
}

impl Default for Capabilities {
    fn default() -> Capabilities {
        Capabilities { largest_value: 256 * 1024, keys_per_call: 500 }
    }
}

/// Runs everything. The store reads the time from `clock`.
pub async fn suite(store: Arc<dyn Store>, clock: &HandClock, can: Capabilities) {
    round_trip(&*store).await;
    absent(&*store).await;
    versions(&*store).await;
    deletes(&*store).await;
    expiry(&*store, clock).await;
    many_keys(&*store, can).await;
    odd_keys(&*store).await;
    big_values(&*store, can).await;
    listing(&*store, clock).await;
    empty_calls(&*store).await;
    writers(store).await;
}

/// Checks that values come back as they were put, of every type JSON has.
pub async fn round_trip(store: &dyn Store) {
    let subject = unique("round-trip");
    let mut nested = ObjectMap::new();
    nested.insert("list".into(), Value::Array(vec![1.into(), "two".into(), Value::Null]));
    let mut object = ObjectMap::new();
    object.insert("nested".into(), Value::Object(nested));
    object.insert("größe".into(), Value::from_f64_or_zero(1.5));
    let values: Vec<Value> = vec![
        "text with \"quotes\", a\nnewline and 🦀".into(),
        "".into(),
        i64::MAX.into(),
        i64::MIN.into(),
        Value::from_f64_or_zero(0.1),
        true.into(),
        Value::Null,
        Value::Object(ObjectMap::new()),
        Value::Object(object),
    ];
    for (place, value) in values.into_iter().enumerate() {
        let key = Key::new(&subject, format!("value#{place}"));
        let version = done(put(store, &key, value.clone(), Condition::Absent, None).await, "a put of a new key");
        let item = found(store, &key).await;
        assert_eq!(item.value, value, "a value must come back as it was put");
        assert_eq!(item.version, version, "get must give the version the put gave");
        assert_eq!(item.expires, None, "an item put without expiry must have none");
    }
}

/// Checks `Absent`: it stores where nothing is, and is refused with what is there.
pub async fn absent(store: &dyn Store) {
    let key = Key::new(unique("absent"), "once#1");
    assert_eq!(get(store, &key).await, None, "a key nobody put must be absent");
    let version = done(put(store, &key, "first".into(), Condition::Absent, None).await, "Absent on an absent key");
    let current = refused(put(store, &key, "second".into(), Condition::Absent, None).await, "Absent on a present key");
    let current = current.expect("a refused put must return the current item");
    assert_eq!((current.value, current.version), ("first".into(), version), "a refused put must return what is there");
    assert_eq!(found(store, &key).await.value, "first".into(), "a refused put must change nothing");
}

/// Checks `Version`: it stores over that version only, and each put makes a new one.
pub async fn versions(store: &dyn Store) {
    let key = Key::new(unique("versions"), "limit#offers");
    let refusal = put(store, &key, 1.into(), Condition::Version(1), None).await;
    assert_eq!(refused(refusal, "Version on an absent key"), None, "nothing is there to be returned");
    assert_eq!(get(store, &key).await, None, "a refused put must store nothing");

    let mut seen = vec![done(put(store, &key, 0.into(), Condition::Absent, None).await, "Absent on an absent key")];
    for round in 1..=5_i64 {
        let before = seen[seen.len() - 1];
        let after = done(put(store, &key, round.into(), Condition::Version(before), None).await, "the right Version");
        assert!(!seen.contains(&after), "each put must give a version not seen before; {after} was");
        let stale = put(store, &key, "stale".into(), Condition::Version(before), None).await;
        let current = refused(stale, "a stale Version").expect("a refused put must return the current item");
        assert_eq!((current.value, current.version), (round.into(), after), "a refused put must return what is there");
        seen.push(after);
    }

    let before = seen[seen.len() - 1];
    let same = done(put(store, &key, 5.into(), Condition::Version(before), None).await, "a put of the same value");
    assert!(!seen.contains(&same), "a put of the same value must give a new version too");
}

/// Checks deletes: only the version named, refused with what is there, and a new life starts with a new version.
pub async fn deletes(store: &dyn Store) {
    let key = Key::new(unique("deletes"), "");
    assert_eq!(refused(delete(store, &key, 1).await, "a delete of an absent key"), None, "nothing is there to return");
    let first = done(put(store, &key, "a".into(), Condition::Absent, None).await, "Absent on an absent key");
    let second = done(put(store, &key, "b".into(), Condition::Version(first), None).await, "the right Version");
    let current = refused(delete(store, &key, first).await, "a delete of a stale version");
    assert_eq!(current.map(|item| item.version), Some(second), "a refused delete must return what is there");
    assert_eq!(done(delete(store, &key, second).await, "a delete of the current version"), second, "the old version");
    assert_eq!(get(store, &key).await, None, "a deleted item must be absent");

    let third = done(put(store, &key, "c".into(), Condition::Absent, None).await, "Absent on a deleted key");
    assert!(![first, second].contains(&third), "a version from before a delete must never come back; {third} did");
    let late = put(store, &key, "late".into(), Condition::Version(second), None).await;
    let current = refused(late, "a version from before the delete").map(|item| item.version);
    assert_eq!(current, Some(third), "a refused put must return what is there");
}

/// Checks that an expired item is absent to get, list, put and delete, from its moment on and not before.
pub async fn expiry(store: &dyn Store, clock: &HandClock) {
    let subject = unique("expiry");
    let (short, long) = (Key::new(&subject, "short"), Key::new(&subject, "long"));
    let expires = Some(clock.now() + Duration::from_secs(60));
    let version = done(put(store, &short, "old".into(), Condition::Absent, expires).await, "a put with expiry");
    done(put(store, &long, "kept".into(), Condition::Absent, None).await, "a put without expiry");

    clock.advance(Duration::from_secs(59));
    let item = found(store, &short).await;
    assert_eq!((item.value, item.expires), ("old".into(), expires), "an item must be there until it expires");

    clock.advance(Duration::from_secs(1));
    assert_eq!(get(store, &short).await, None, "an expired item must be absent to get");
    let listed = list(store, &subject).await;
    assert_eq!(sorts(&listed), ["long"], "an expired item must be absent to list");
    let over = put(store, &short, "x".into(), Condition::Version(version), None).await;
    assert_eq!(refused(over, "Version on an expired item"), None, "an expired item must not be returned");
    let gone = delete(store, &short, version).await;
    assert_eq!(refused(gone, "a delete of an expired item"), None, "an expired item must not be returned");

    let renewed = Some(clock.now() + Duration::from_secs(60));
    let next = done(put(store, &short, "new".into(), Condition::Absent, renewed).await, "Absent on an expired item");
    assert_ne!(next, version, "an item's next life must have another version");
    assert_eq!(found(store, &short).await.value, "new".into());
    done(put(store, &short, "for good".into(), Condition::Version(next), None).await, "a put that lifts the expiry");
    clock.advance(Duration::from_secs(3600));
    assert_eq!(found(store, &short).await.value, "for good".into(), "a put without expiry must lift the earlier one");
}

/// Checks that a call of many keys is answered key by key in the order asked, refused and absent ones among them.
pub async fn many_keys(store: &dyn Store, can: Capabilities) {
    let subject = unique("many");
    let keys: Vec<Key> =
        (0..can.keys_per_call).map(|n| Key::new(format!("{subject}:{}", n % 7), format!("k{n}"))).collect();
    let wanted = |n: usize, value: &str, condition| Put {
        key: keys[n].clone(),
        value: format!("{value} {n}").into(),
        condition,
        expires: None,
    };
    let thirds: Vec<Put> = (0..keys.len()).step_by(3).map(|n| wanted(n, "early", Condition::Absent)).collect();
    for outcome in answers(store.put(&thirds).await, thirds.len(), "put") {
        done(outcome, "Absent on an absent key");
    }

    let all: Vec<Put> = (0..keys.len()).rev().map(|n| wanted(n, "late", Condition::Absent)).collect();
    let outcomes = answers(store.put(&all).await, all.len(), "put");
    for (n, outcome) in (0..keys.len()).rev().zip(outcomes) {
        if n % 3 == 0 {
            let current = refused(outcome, "Absent on a present key").expect("a refused put must return what is there");
            assert_eq!(current.value, format!("early {n}").into(), "answer {n} must be that of key {n}");
        } else {
            done(outcome, "Absent on an absent key");
        }
    }

    let asked: Vec<Key> =
        keys.iter().flat_map(|key| [key.clone(), Key::new(&key.partition, format!("no {}", key.sort))]).collect();
    let items = answers(store.get(&asked).await, asked.len(), "get");
    for (n, pair) in items.chunks(2).enumerate() {
        let value = format!("{} {n}", if n % 3 == 0 { "early" } else { "late" });
        let item = pair[0].as_ref().unwrap_or_else(|| panic!("key {n} was put and must be found"));
        assert_eq!(item.value, value.into(), "answer {n} must be that of key {n}");
        assert_eq!(pair[1], None, "a key nobody put must be absent, also among present ones");
    }
}

/// Checks keys of every sort of character, and that no two of them are mixed up.
pub async fn odd_keys(store: &dyn Store) {
    const ODD: [&str; 22] = [
        "", "a", "A", "a b", " a", "a ", "a#b", "a:b", "a/b", "a\\b", "a%20b", "a.b", "a*", "{a}", "[a]", "\"a\"",
        "a\nb", "a\tb", "a\u{1f}b", "ключ", "ａ", "🦀",
    ];
    let subject = unique("odd");
    let mut keys: Vec<Key> = ODD.iter().map(|odd| Key::new(format!("{subject}{odd}"), "kind")).collect();
    keys.extend(ODD.iter().map(|odd| Key::new(&subject, format!("{odd}z"))));
    keys.extend([
        Key::new(&subject, ""),
        Key::new(format!("{subject}a"), "z#b"),
        Key::new(format!("{subject}a#z"), "b"),
    ]);
    for (n, key) in keys.iter().enumerate() {
        done(put(store, key, n.into(), Condition::Absent, None).await, &format!("a put of the new key {key:?}"));
    }
    let items = answers(store.get(&keys).await, keys.len(), "get");
    for (n, (key, item)) in keys.iter().zip(items).enumerate() {
        assert_eq!(item.map(|item| item.value), Some(n.into()), "{key:?} must hold its own value");
    }
}

/// Checks a value as large as the service must take.
pub async fn big_values(store: &dyn Store, can: Capabilities) {
    let key = Key::new(unique("big"), "blob");
    let value = Value::from("é".repeat(can.largest_value / 2));
    done(put(store, &key, value.clone(), Condition::Absent, None).await, "a put of a big value");
    assert!(found(store, &key).await.value == value, "a value of {} bytes must come back whole", can.largest_value);
}

/// Checks that a subject's items, and no others, are listed by ascending sort key.
pub async fn listing(store: &dyn Store, clock: &HandClock) {
    let subject = unique("list");
    assert!(list(store, &subject).await.is_empty(), "a subject without items must list none");
    let kinds = ["b", "once#2", "a", "once#10", "", "ä", "Z"];
    for kind in kinds {
        let key = Key::new(&subject, kind);
        let expires = Some(clock.now() + Duration::from_secs(60));
        done(put(store, &key, kind.into(), Condition::Absent, expires).await, "Absent on an absent key");
    }
    let neighbour = Key::new(format!("{subject}x"), "a");
    done(put(store, &neighbour, "not mine".into(), Condition::Absent, None).await, "Absent on an absent key");

    let listed = list(store, &subject).await;
    let mut expected = kinds;
    expected.sort_unstable();
    assert_eq!(sorts(&listed), expected, "a subject's items must be listed by ascending sort key, in byte order");
    for (sort, item) in &listed {
        assert_eq!(item.value, sort.as_str().into(), "a listed item must hold its value");
        assert_eq!(*item, found(store, &Key::new(&subject, sort)).await, "list and get must agree");
    }
}

/// Checks that calls of nothing are answered with nothing.
pub async fn empty_calls(store: &dyn Store) {
    assert!(store.get(&[]).await.is_empty(), "a get of no keys must be answered with nothing");
    assert!(store.put(&[]).await.is_empty(), "no puts must be answered with nothing");
    assert!(store.delete(&[]).await.is_empty(), "no deletes must be answered with nothing");
}

/// Checks that of several writers of one version exactly one wins, in every round.
pub async fn writers(store: Arc<dyn Store>) {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 10;
    let key = Key::new(unique("writers"), "count");
    let mut condition = Condition::Absent;
    for round in 0..ROUNDS {
        let tasks: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, key) = (store.clone(), key.clone());
                let value = Value::from(format!("{round} {writer}"));
                tokio::spawn(async move { (value.clone(), put(&*store, &key, value, condition, None).await) })
            })
            .collect();
        let mut wins = Vec::new();
        for task in tasks {
            let (value, outcome) = task.await.expect("a put must not panic");
            if let PutOutcome::Done(version) = outcome {
                wins.push((value, version));
            }
        }
        assert_eq!(wins.len(), 1, "of {WRITERS} writers of {condition:?} exactly one must win, in round {round}");
        let item = found(&*store, &key).await;
        assert_eq!((item.value, item.version), wins[0], "what is there must be the winner's");
        condition = Condition::Version(item.version);
    }
}

pub(super) async fn get(store: &dyn Store, key: &Key) -> Option<Item> {
    answers(store.get(std::slice::from_ref(key)).await, 1, "get").remove(0)
}

pub(super) async fn found(store: &dyn Store, key: &Key) -> Item {
    get(store, key).await.unwrap_or_else(|| panic!("{key:?} must be found"))
}

async fn put(
    store: &dyn Store,
    key: &Key,
    value: Value,
    condition: Condition,
    expires: Option<DateTime<Utc>>,
) -> PutOutcome {
    let wanted = Put { key: key.clone(), value, condition, expires };
    answers(store.put(&[wanted]).await, 1, "put").remove(0)
}

async fn delete(store: &dyn Store, key: &Key, version: u64) -> PutOutcome {
    answers(store.delete(&[Delete { key: key.clone(), version }]).await, 1, "delete").remove(0)
}

async fn list(store: &dyn Store, partition: &str) -> Vec<(String, Item)> {
    store.list(partition).await.unwrap_or_else(|error| panic!("list must succeed, but: {error}"))
}

fn sorts(listed: &[(String, Item)]) -> Vec<&str> {
    listed.iter().map(|(sort, _)| sort.as_str()).collect()
}

pub(super) fn answers<T>(answers: Vec<Result<T, StoreError>>, asked: usize, call: &str) -> Vec<T> {
    assert_eq!(answers.len(), asked, "{call} must give one answer per key");
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(|error| panic!("{call} must succeed, but: {error}")))
        .collect()
}

fn done(outcome: PutOutcome, what: &str) -> u64 {
    match outcome {
        PutOutcome::Done(version) => version,
        PutOutcome::Refused(current) => panic!("{what} must be done, but was refused with {current:?}"),
    }
}

fn refused(outcome: PutOutcome, what: &str) -> Option<Item> {
    match outcome {
        PutOutcome::Refused(current) => current,
        PutOutcome::Done(version) => panic!("{what} must be refused, but was done as version {version}"),
    }
}
