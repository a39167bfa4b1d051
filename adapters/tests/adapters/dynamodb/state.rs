//! State: the suites, and what only this store promises.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ScalarAttributeType},
};
use chrono::TimeDelta;
use fourstroke::{
    clock::Clock,
    error::Kind,
    ports::{Condition, Delete, Key, Put, PutOutcome, Store},
    testkit::{
        HandClock, Retrying,
        faults::{Fault, Faults, FaultyStore, Op},
        state, store,
    },
};
use fourstroke_adapters::{dynamodb::DynamoDbStore, memory::MemoryStore};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use vrl::value::Value;

use super::{local, new, opened, put, state_table, table, value};
use crate::redb_store::{Step, Told, steps};

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let Some(account) = local().await else { return };
    let clock = HandClock::default();
    let resource = state_table(&account, "contract").await;
    let dynamodb = Arc::new(DynamoDbStore::at(&resource, &account, clock.clock()).unwrap());
    dynamodb.connect().await;
    assert!(!dynamodb.is_table());
    store::suite(dynamodb.clone(), &clock, store::Capabilities::default()).await;
    // A third of all tries fail at first, by throttling or a lost connection; every call takes its time.
    let faults = Faults::seeded(7, &[(Fault::Before, 0.3)]).delayed(Duration::from_millis(1));
    let counts = faults.clone();
    let flaky = Arc::new(Retrying::new(Arc::new(FaultyStore::new(dynamodb, faults))));
    store::suite(flaky, &clock, store::Capabilities::default()).await;
    assert!(counts.counts(Op::Put).calls > 100 && counts.counts(Op::Get).calls > 50, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_kept() {
    let Some(account) = local().await else { return };
    let clock = HandClock::default();
    let resource = state_table(&account, "kept").await;
    let store = Arc::new(DynamoDbStore::at(&resource, &account, clock.clock()).unwrap());
    // A round of 64 workers is some hundred requests to one process.
    state::suite(store, &clock, state::Extent { workers: 64, rounds: 10, seeds: 5 }).await;
}

#[tokio::test]
async fn answers_as_the_memory_store_does() {
    let Some(account) = local().await else { return };
    let resource = state_table(&account, "as-memory").await;
    let (steps, mut runner) = (steps(), TestRunner::default());
    for case in 0..24 {
        let (clock, subject) = (HandClock::default(), format!("subject:{case}"));
        let mut dynamodb = Told::new(DynamoDbStore::at(&resource, &account, clock.clock()).unwrap(), &subject);
        let mut memory = Told::new(MemoryStore::new(clock.clock()), &subject);
        for step in steps.new_tree(&mut runner).unwrap().current() {
            match step {
                Step::Advance(by) => clock.advance(Duration::from_secs(by.into())),
                Step::Reopen => {
                    dynamodb.store = Box::new(DynamoDbStore::at(&resource, &account, clock.clock()).unwrap());
                }
                ref step => assert_eq!(dynamodb.tell(step, &clock).await, memory.tell(step, &clock).await, "{step:?}"),
            }
            assert_eq!(dynamodb.all().await, memory.all().await, "case {case}, after {step:?}");
        }
    }
}

#[tokio::test]
async fn what_can_never_be_stored_is_refused_alone() {
    let Some(account) = local().await else { return };
    let store = opened(&account, "limits").await;
    let key = |partition: usize, sort: usize| Key::new("p".repeat(partition), "s".repeat(sort));
    let largest = (396 << 10) - 5;
    let mut expiring = new(key(2048, 1024), "x".repeat(largest));
    expiring.expires = Some(chrono::Utc::now() + TimeDelta::days(1));
    let puts = [
        (new(key(1, 1), 1), None),
        (new(key(2049, 1), 1), Some("the key's pk has 2049 bytes, where 2048 are the most")),
        (new(key(1, 1025), 1), Some("the key's sk has 1025 bytes, where 1024 are the most")),
        (new(key(3, 1), "x".repeat(largest + 1)), Some("the value is larger than 396 KiB")),
        (expiring, None),
        (new(key(4, 0), 1), None),
    ];
    let answers = store.put(&puts.clone().map(|(put, _)| put)).await;
    let keys = puts.clone().map(|(put, _)| put.key);
    let read = store.get(&keys).await;
    for (((put, refused), answer), read) in puts.into_iter().zip(answers).zip(read) {
        match refused {
            None => {
                assert!(matches!(answer, Ok(PutOutcome::Done(_))), "{answer:?}");
                assert!(read.unwrap().unwrap().value == put.value);
            }
            Some(why) => {
                let error = answer.unwrap_err();
                assert!(error.kind == Kind::Poison && error.reason.contains(why), "{error}");
                assert!(error.reason.starts_with("`dynamodb://limits`: "), "{error}");
                match why.starts_with("the key") {
                    true => assert_eq!(read.unwrap_err().kind, Kind::Poison),
                    false => assert_eq!(read, Ok(None)),
                }
            }
        }
    }
    let removed = store.delete(&[Delete { key: key(2049, 1), version: 1 }]).await;
    assert_eq!(removed[0].as_ref().unwrap_err().kind, Kind::Poison);
    assert_eq!(store.list(&"p".repeat(3000)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_key_may_be_anything() {
    let Some(account) = local().await else { return };
    let store = opened(&account, "keys").await;
    let parts = ["", "\0", "\0\0", "\0a", "a", "a\0", "\u{1}"];
    let keys: Vec<Key> = parts.iter().flat_map(|a| parts.iter().map(|b| Key::new(*a, *b))).collect();
    for (n, key) in keys.iter().enumerate() {
        assert!(matches!(put(&store, new(key.clone(), n)).await, Ok(PutOutcome::Done(_))), "{key:?}");
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(value(&store, key).await, Ok(Some(n.into())), "{key:?}");
    }
    let mut sorted = parts;
    sorted.sort_unstable();
    for partition in parts {
        let listed = store.list(partition).await.unwrap();
        assert_eq!(listed.iter().map(|(sort, _)| sort).collect::<Vec<_>>(), sorted, "{partition:?}");
    }
}

#[tokio::test]
async fn long_lists_come_whole() {
    let Some(account) = local().await else { return };
    let store = opened(&account, "lists").await;
    // A page ends at 1 MB.
    let puts: Vec<Put> = (0..30).map(|n| new(Key::new("p", format!("{n:02}")), "x".repeat(100_000))).collect();
    assert!(store.put(&puts).await.iter().all(|outcome| matches!(outcome, Ok(PutOutcome::Done(_)))));
    let listed = store.list("p").await.unwrap();
    let sorts: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
    assert_eq!(listed.iter().map(|(sort, _)| sort.clone()).collect::<Vec<_>>(), sorts);
}

#[tokio::test]
async fn the_table_is_laid_out_as_it_is_said() {
    let Some(account) = local().await else { return };
    let store = opened(&account, "layout").await;
    let expires = chrono::DateTime::from_timestamp(4_000_000_000, 500_000_000);
    let wanted = Put { expires, ..new(Key::new("customer:42", ""), "once") };
    let Ok(PutOutcome::Done(version)) = put(&store, wanted).await else { panic!("it must be done") };
    let found = Client::new(&account).scan().table_name("layout").send().await.unwrap().items.unwrap().remove(0);
    let s = |text: &str| AttributeValue::S(text.to_owned());
    let n = |number: &str| AttributeValue::N(number.to_owned());
    let mut told: HashMap<String, AttributeValue> = found;
    assert!(told.remove("v").is_some_and(|value| value.is_b()));
    let layout = [
        ("pk", s("customer:42")),
        ("sk", s("\0")),
        ("n", n(&version.to_string())),
        ("x", n("4000000000500000000")),
        ("ttl", n("4000000001")),
    ];
    assert_eq!(told, layout.map(|(name, attribute)| (name.to_owned(), attribute)).into());
}

#[tokio::test]
async fn somebody_elses_item_is_poison_and_no_other() {
    let Some(account) = local().await else { return };
    let store = opened(&account, "foreign").await;
    let call = Client::new(&account).put_item().table_name("foreign");
    let s = |text: &str| AttributeValue::S(text.to_owned());
    call.item("pk", s("p")).item("sk", s("s")).item("v", s("theirs")).send().await.unwrap();
    put(&store, new(Key::new("p", "t"), 1)).await.unwrap();
    let theirs = Key::new("p", "s");
    let read = store.get(&[theirs.clone(), Key::new("p", "t")]).await;
    let error = read[0].as_ref().unwrap_err();
    assert!(error.kind == Kind::Poison && error.reason.contains("not of this layout"), "{error}");
    assert_eq!(read[1].as_ref().unwrap().as_ref().map(|item| &item.value), Some(&Value::from(1)));
    assert_eq!(put(&store, new(theirs.clone(), 1)).await.unwrap_err().kind, Kind::Poison);
    let over = Put { condition: Condition::Version(1), ..new(theirs, 1) };
    assert_eq!(put(&store, over).await.unwrap_err().kind, Kind::Poison);
}

#[tokio::test]
async fn a_table_that_is_not_there_or_another_one_is_fatal() {
    let Some(account) = local().await else { return };
    table(&account, "others", &[("id", ScalarAttributeType::S)]).await;
    for (name, why) in [("missing", "ResourceNotFoundException"), ("others", "the partition key `pk`")] {
        let resource = fourstroke::config::Resource::new("stores.x", format!("dynamodb://{name}"));
        let store = DynamoDbStore::at(&resource, &account, Clock::system()).unwrap();
        let key = Key::new("p", "s");
        let errors = [
            store.get(std::slice::from_ref(&key)).await.remove(0).unwrap_err(),
            put(&store, new(key.clone(), 1)).await.unwrap_err(),
            store.delete(&[Delete { key, version: 1 }]).await.remove(0).unwrap_err(),
            store.list("p").await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.kind == Kind::Fatal && error.reason.contains(why), "{error:?}");
        }
    }
}
