//! What a [`Store`] must do that is only read: a file, or a user's own table. It need not take puts.

use vrl::value::Value;

use super::{
    store::{answers, found, get},
    unique,
};
use crate::{
    error::Kind,
    ports::{Condition, Delete, Key, Put, Store},
};

/// Checks a table: what it has is found, what it has not is `None`, and answers come in the order asked.
///
/// `known` names at least two rows of the table and what they hold; `unknown` at least one key it has not.
pub async fn suite(table: &dyn Store, known: &[(Key, Value)], unknown: &[Key]) {
    assert!(known.len() >= 2 && !unknown.is_empty(), "the suite needs two known rows and an unknown key");
    assert!(table.get(&[]).await.is_empty(), "a get of no keys must be answered with nothing");
    for (key, value) in known {
        assert_eq!(found(table, key).await.value, *value, "{key:?} must hold its row");
        for other in
            [Key::new(&key.partition, ""), Key::new(&key.partition, format!("{}x", key.sort)), Key::new("", &key.sort)]
        {
            if known.iter().all(|(known, _)| *known != other) {
                assert_eq!(get(table, &other).await, None, "{other:?} is only like {key:?} and must not be found");
            }
        }
    }
    for key in unknown {
        assert_eq!(get(table, key).await, None, "{key:?} must not be found");
    }

    let subject = unique("table");
    let strangers = (0..1_000).map(|n| Key::new(format!("{subject}{n}"), "x"));
    let mut asked: Vec<Key> = unknown.iter().cloned().chain(strangers).collect();
    for (n, (key, _)) in known.iter().enumerate() {
        asked.insert((n * 37) % asked.len(), key.clone());
    }
    for _ in 0..2 {
        let items = answers(table.get(&asked).await, asked.len(), "get");
        for (key, item) in asked.iter().zip(items) {
            let value = known.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
            assert_eq!(item.map(|item| item.value), value, "the answer at the place of {key:?} must be its own");
        }
        asked.reverse();
    }
}

/// Checks that a table that is only read refuses puts and deletes for good, one answer each.
pub async fn read_only(table: &dyn Store, key: &Key) {
    let before = get(table, key).await;
    let wanted = Put { key: key.clone(), value: 1.into(), condition: Condition::Absent, expires: None };
    let refusals = table.put(&[wanted.clone(), wanted]).await;
    assert_eq!(refusals.len(), 2, "every put must have its answer");
    let removals = table.delete(&[Delete { key: key.clone(), version: 1 }]).await;
    assert_eq!(removals.len(), 1, "every delete must have its answer");
    for answer in refusals.into_iter().chain(removals) {
        let error = answer.expect_err("a table must not be written to");
        assert_eq!(error.kind, Kind::Fatal, "no repetition lets a table be written to: {error}");
    }
    assert_eq!(get(table, key).await, before, "a refused put must change nothing");
}
