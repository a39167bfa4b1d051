//! What the store in a file promises beside the contract: it lasts, it is shared, it commits in groups.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::DateTime;
use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Condition, Delete, Key, Put, PutOutcome, Store},
    testkit::{
        HandClock, Retrying,
        faults::{Fault, Faults, FaultyStore, Op},
        state, store,
    },
};
use fourstroke_adapters::{memory::MemoryStore, redb::RedbStore};
use futures_util::future::join_all;
use proptest::prelude::*;
use vrl::value::{ObjectMap, Value};

pub fn resource(path: &Path) -> Resource {
    Resource::new("stores.state", format!("redb:{}", path.display()))
}

pub async fn open(path: &Path) -> RedbStore {
    RedbStore::open(&resource(path), Clock::system()).await.unwrap()
}

pub fn new(key: &str, value: impl Into<Value>) -> Put {
    Put { key: Key::new(key, ""), value: value.into(), condition: Condition::Absent, expires: None }
}

pub async fn put(store: &dyn Store, put: Put) -> u64 {
    match store.put(&[put]).await.remove(0) {
        Ok(PutOutcome::Done(version)) => version,
        other => panic!("the put must be done, but: {other:?}"),
    }
}

async fn value(store: &dyn Store, key: &str) -> Option<Value> {
    store.get(&[Key::new(key, "")]).await.remove(0).unwrap().map(|item| item.value)
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    // Its directories do not exist yet.
    let path = directory.path().join("deeper/still/state.redb");
    let redb = Arc::new(RedbStore::open(&resource(&path), clock.clock()).await.unwrap());
    store::suite(redb.clone(), &clock, store::Capabilities::default()).await;
    // A third of all tries fail at first, by throttling or a lost connection; every call takes its time.
    let faults = Faults::seeded(7, &[(Fault::Before, 0.3)]).delayed(Duration::from_millis(1));
    let counts = faults.clone();
    let flaky = Arc::new(Retrying::new(Arc::new(FaultyStore::new(redb, faults))));
    store::suite(flaky, &clock, store::Capabilities::default()).await;
    assert!(counts.counts(Op::Put).calls > 100 && counts.counts(Op::Get).calls > 50, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    let file = resource(&directory.path().join("state.redb"));
    let store = Arc::new(RedbStore::open(&file, clock.clock()).await.unwrap());
    // Each change is on the disk before it is answered: less of it tells as much.
    state::suite(store, &clock, state::Extent { workers: 64, rounds: 40, seeds: 8 }).await;
}

#[tokio::test]
async fn a_put_whose_answer_got_lost_has_happened() {
    let directory = tempfile::tempdir().unwrap();
    let redb = Arc::new(open(&directory.path().join("state.redb")).await);
    let faulty = FaultyStore::new(redb, Faults::first(1, Fault::After));
    assert_eq!(faulty.put(&[new("k", 1)]).await[0].as_ref().unwrap_err().kind, Kind::Retryable);
    let Ok(PutOutcome::Refused(Some(current))) = faulty.put(&[new("k", 1)]).await.remove(0) else {
        panic!("the first put must have happened");
    };
    assert_eq!(current.value, 1.into());
}

#[tokio::test]
async fn items_and_versions_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let mut seen = Vec::new();
    for round in 0..4 {
        let store = open(&path).await;
        assert_eq!(value(&store, "kept").await, (round > 0).then(|| "always".into()));
        if round == 0 {
            seen.push(put(&store, new("kept", "always")).await);
        }
        // The last version of all is given, and deleted.
        let version = put(&store, new("gone", round)).await;
        let deleted = store.delete(&[Delete { key: Key::new("gone", ""), version }]).await;
        assert_eq!(deleted, [Ok(PutOutcome::Done(version))]);
        assert!(!seen.contains(&version), "version {version} came back after a delete and a restart");
        seen.push(version);
    }
}

#[tokio::test]
async fn every_type_of_value_comes_back_and_what_is_none_is_refused_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let mut object = ObjectMap::new();
    object.insert("at".into(), DateTime::from_timestamp(-5, 123_456_789).unwrap().into());
    object.insert("bytes".into(), Value::Bytes(vec![0xff, 0, 0xfe].into()));
    object.insert(
        "floats".into(),
        [0.1 + 0.2, f64::MIN_POSITIVE, f64::MAX, 1.0].map(Value::from_f64_or_zero).to_vec().into(),
    );
    let nested = |depth| (0..depth).fold(Value::Null, |value, _| Value::Array(vec![value]));
    let regex = Value::Regex(regex::Regex::new("x").unwrap().into());
    let values = [
        (Value::Object(object), None),
        (Value::Array(vec![1.into(), regex]), Some("a regular expression cannot be stored")),
        ("x".repeat(1 << 20).into(), Some("the value is larger than 1024 KiB")),
        (Value::Array(vec![Value::Null; 2 << 20]), Some("the value is larger than 1024 KiB")),
        (nested(128), None),
        (nested(129), Some("nested deeper than 128")),
        ("the last".into(), None),
    ];
    let puts: Vec<Put> = values.iter().enumerate().map(|(n, (value, _))| new(&n.to_string(), value.clone())).collect();
    let answers = open(&path).await.put(&puts).await;
    let store = open(&path).await;
    for (n, ((wanted, refused), answer)) in values.iter().zip(answers).enumerate() {
        let kept = value(&store, &n.to_string()).await;
        match refused {
            None => {
                assert!(matches!(answer, Ok(PutOutcome::Done(_))) && kept.as_ref() == Some(wanted), "{n}: {answer:?}")
            }
            Some(why) => {
                let error = answer.unwrap_err();
                assert!(error.kind == Kind::Poison && error.reason.contains(why) && kept.is_none(), "{n}: {error}");
            }
        }
    }
    assert_eq!(store.put(&puts[1..2]).await[0].as_ref().unwrap_err().kind, Kind::Poison, "alone too");
}

/// One long call, and behind it many short ones at the same time.
#[tokio::test]
async fn calls_that_wait_share_a_commit_and_reads_do_not_wait() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("state.redb")).await;
    put(&store, new("before", 1)).await;
    let before = store.commits();
    let long: Vec<Put> = (0..200).map(|n| new(&format!("long:{n}"), "x".repeat(200_000))).collect();
    let short: Vec<Put> = (0..200).map(|n| new(&format!("short:{n}"), n)).collect();
    let written = std::sync::atomic::AtomicBool::new(false);
    let long = async {
        assert!(store.put(&long).await.iter().all(|answer| matches!(answer, Ok(PutOutcome::Done(_)))));
        written.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let read = async {
        assert_eq!(value(&store, "before").await, Some(1.into()));
        assert!(!written.load(std::sync::atomic::Ordering::Relaxed), "a read must not wait for a writer");
    };
    let short = join_all(short.iter().map(|short| put(&store, short.clone())));
    let ((), (), versions) = tokio::join!(long, read, short);
    assert_eq!(versions.len(), 200);
    let commits = store.commits() - before;
    assert!(commits <= 5, "201 calls took {commits} commits");

    // What changes nothing needs no flush.
    assert!(matches!(store.put(&[new("before", 2)]).await[0], Ok(PutOutcome::Refused(Some(_)))));
    assert_eq!(store.commits() - before, commits);
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_one_file_share_it_and_it_can_be_opened_again_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let other = directory.path().join("./state.redb");
    let (first, second) = (open(&path).await, open(&other).await);
    put(&first, new("a", 1)).await;
    assert_eq!(value(&second, "a").await, Some(1.into()));
    drop(first);
    put(&second, new("b", 2)).await;
    drop(second);
    // While others close it.
    let round = async |n: usize| put(&open(&path).await, new(&format!("round:{n}"), n as i64)).await;
    for n in 0..20 {
        tokio::join!(round(2 * n), round(2 * n + 1));
    }
    assert_eq!(value(&open(&path).await, "round:39").await, Some(39.into()));
}

#[tokio::test]
async fn expired_items_nobody_asks_for_do_not_pile_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let clock = HandClock::default();
    let store = RedbStore::open(&resource(&path), clock.clock()).await.unwrap();
    let blob = "x".repeat(1_000);
    for call in 0..50 {
        let expires = Some(clock.now() + Duration::from_secs(10));
        let puts: Vec<Put> = (0..200).map(|n| Put { expires, ..new(&format!("{call}:{n}"), blob.as_str()) }).collect();
        assert!(store.put(&puts).await.iter().all(Result::is_ok));
        clock.advance(Duration::from_secs(11));
    }
    let kept = std::fs::metadata(&path).unwrap().len();
    assert!(kept < 3_000_000, "10 MB were put and have expired, yet the file is {kept} bytes long");
}

#[derive(Clone, Debug)]
pub enum Step {
    Put { key: u8, value: i64, absent: bool, stale: bool, expires: Option<u8> },
    Delete { key: u8, stale: bool },
    Advance(u8),
    Reopen,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = (0..4_u8, any::<i64>(), any::<bool>(), prop::bool::weighted(0.2), prop::option::of(0..30_u8));
    let step = prop_oneof![
        6 => put.prop_map(|(key, value, absent, stale, expires)| Step::Put { key, value, absent, stale, expires }),
        2 => (0..4_u8, prop::bool::weighted(0.2)).prop_map(|(key, stale)| Step::Delete { key, stale }),
        2 => (0..20_u8).prop_map(Step::Advance),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// A store, the last version it gave or showed of each key, and what it answers with versions as places in that history.
pub struct Told {
    pub store: Box<dyn Store>,
    subject: String,
    versions: [u64; 4],
}

impl Told {
    pub fn new(store: impl Store + 'static, subject: &str) -> Told {
        Told { store: Box::new(store), subject: subject.to_owned(), versions: [0; 4] }
    }

    fn key(&self, key: u8) -> Key {
        Key::new(&self.subject, key.to_string())
    }

    pub async fn tell(&mut self, step: &Step, clock: &HandClock) -> String {
        let (key, outcome) = match *step {
            Step::Put { key, value, absent, stale, expires } => {
                let version = if stale { u64::MAX } else { self.versions[usize::from(key)] };
                let condition = if absent { Condition::Absent } else { Condition::Version(version) };
                let expires = expires.map(|after| clock.now() + Duration::from_secs(after.into()));
                let put = Put { key: self.key(key), value: value.into(), condition, expires };
                (key, self.store.put(&[put]).await.remove(0).unwrap())
            }
            Step::Delete { key, stale } => {
                let version = if stale { u64::MAX } else { self.versions[usize::from(key)] };
                (key, self.store.delete(&[Delete { key: self.key(key), version }]).await.remove(0).unwrap())
            }
            Step::Advance(_) | Step::Reopen => return String::new(),
        };
        match outcome {
            PutOutcome::Done(version) => {
                self.versions[usize::from(key)] = version;
                "done".to_owned()
            }
            PutOutcome::Refused(None) => "nothing there".to_owned(),
            PutOutcome::Refused(Some(item)) => {
                assert_eq!(item.version, self.versions[usize::from(key)]);
                format!("{} until {:?}", item.value, item.expires)
            }
        }
    }

    pub async fn all(&self) -> String {
        let listed = self.store.list(&self.subject).await.unwrap();
        let got = self.store.get(&[0, 1, 2, 3].map(|key| self.key(key))).await;
        let mut shown: Vec<String> = Vec::new();
        for (place, item) in got.into_iter().map(Result::unwrap).enumerate() {
            let in_list = listed.iter().find(|(sort, _)| *sort == place.to_string()).map(|(_, item)| item);
            assert_eq!(in_list, item.as_ref(), "get and list must agree");
            shown.push(item.map_or_else(String::new, |item| format!("{} until {:?}", item.value, item.expires)));
        }
        shown.join("; ")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn answers_as_the_memory_store_does(steps in steps()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("state.redb");
            let clock = HandClock::default();
            let open = async || RedbStore::open(&resource(&path), clock.clock()).await.unwrap();
            let mut redb = Told::new(open().await, "subject");
            let mut memory = Told::new(MemoryStore::new(clock.clock()), "subject");
            for step in &steps {
                match step {
                    Step::Advance(by) => clock.advance(Duration::from_secs((*by).into())),
                    Step::Reopen => {
                        redb.store = Box::new(MemoryStore::new(clock.clock()));
                        redb.store = Box::new(open().await);
                    }
                    step => assert_eq!(redb.tell(step, &clock).await, memory.tell(step, &clock).await, "{step:?}"),
                }
                assert_eq!(redb.all().await, memory.all().await, "after {step:?}");
            }
        });
    }
}
