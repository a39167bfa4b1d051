//! A clock that jumps, by hours or days, loses nothing and doubles nothing.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use fourstroke::{
    clock::{Clock, Deadline},
    code::{Rule, Strokes},
    config::Resource,
    error::Code,
    event::Event,
    pipeline::Pipeline,
    ports::{Delete, Item, Key, Objects, Open, Outgoing, Put, PutOutcome, SendError, Sink, Source, Store, StoreError},
    report::{Disposition, Report},
};
use fourstroke_adapters::{
    memory::{MemorySink, MemoryStore},
    open::Adapters,
    redb::RedbStore,
};
use tokio::sync::Notify;

/// Acting may take 15 seconds, and others stay away for 5 more.
const LEASE: i64 = 20;

/// A clock that is moved in both directions.
#[derive(Clone)]
struct Hands(Arc<Mutex<DateTime<Utc>>>);

impl Hands {
    fn new() -> Hands {
        Hands(Arc::new(Mutex::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap())))
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::from_fn(move || *hands.0.lock().unwrap())
    }

    fn jump(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

/// Holds up the first who comes, if it is closed, until it is opened.
#[derive(Default)]
struct Gate {
    closed: AtomicBool,
    reached: Notify,
    open: Notify,
}

impl Gate {
    async fn pass(&self) {
        if self.closed.swap(false, Ordering::SeqCst) {
            self.reached.notify_one();
            self.open.notified().await;
        }
    }
}

/// What outlives a process: a store and a sink, and the clock.
#[derive(Clone)]
struct World {
    hands: Hands,
    store: Arc<dyn Store>,
    /// Behind a put.
    put: Arc<Gate>,
    sink: Arc<MemorySink>,
    /// Before anything is taken.
    send: Arc<Gate>,
}

impl World {
    fn new(hands: Hands, store: Arc<dyn Store>) -> World {
        World { hands, store, put: Arc::default(), sink: Arc::default(), send: Arc::default() }
    }

    fn in_memory() -> World {
        let hands = Hands::new();
        World::new(hands.clone(), Arc::new(MemoryStore::new(hands.clock())))
    }

    /// Starts a process, so to speak.
    async fn open(&self, keep: Option<Duration>) -> Pipeline {
        let rule = Rule::new("tell", "out");
        let rule = match keep {
            Some(keep) => rule.once_for("ledger", keep),
            None => rule.once("ledger"),
        };
        let strokes = Strokes::named("jumps", "1")
            .clock(self.hands.clock())
            .fields("id: string")
            .identity(".id", ".id")
            .store("ledger", "memory:", &[], "")
            .sink("out", "memory:")
            .sink("dead", "memory:")
            .rule(rule)
            .dead_letters("dead");
        strokes.open(self).await.unwrap_or_else(|mistakes| panic!("{mistakes}")).1
    }

    fn sent(&self) -> usize {
        self.sink.taken().len()
    }
}

#[async_trait]
impl Open for World {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        Err(format!("there is no source {}", resource.shown()))
    }

    async fn store(&self, _: &Resource) -> Result<Arc<dyn Store>, String> {
        Ok(Arc::new(self.clone()))
    }

    async fn sink(&self, _: &Resource) -> Result<Arc<dyn Sink>, String> {
        Ok(Arc::new(self.clone()))
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(Adapters::new(|_, _| Err("there are no models here".to_owned())))
    }
}

#[async_trait]
impl Sink for World {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        self.send.pass().await;
        self.sink.send(items).await
    }
}

#[async_trait]
impl Store for World {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.store.get(keys).await
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        let answers = self.store.put(puts).await;
        self.put.pass().await;
        answers
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        self.store.delete(deletes).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        self.store.list(partition).await
    }
}

/// Delivers the one event there is.
async fn deliver(pipeline: &Pipeline) -> Report {
    let event = Event::new("e1", r#"{ "id": "e1" }"#);
    pipeline.run(vec![event.into()], Deadline::after(Duration::from_secs(60))).await
}

fn ended(report: &Report) -> (Disposition, Option<Code>) {
    let decision = &report.decisions[0];
    (decision.disposition, decision.error.as_ref().map(|error| error.code))
}

const ACTED: (Disposition, Option<Code>) = (Disposition::Acted, None);
const SKIPPED: (Disposition, Option<Code>) = (Disposition::Skipped, None);
const LEASED: (Disposition, Option<Code>) = (Disposition::Retry, Some(Code::LEASED));
const OUT_OF_TIME: (Disposition, Option<Code>) = (Disposition::Retry, Some(Code::DEADLINE));

/// Delivers it in a task of its own, which is held up at the gate.
async fn held_up(pipeline: &Pipeline, gate: &Gate) -> tokio::task::JoinHandle<Report> {
    gate.closed.store(true, Ordering::SeqCst);
    let pipeline = pipeline.clone();
    let running = tokio::spawn(async move { deliver(&pipeline).await });
    gate.reached.notified().await;
    running
}

#[tokio::test]
async fn a_jump_forward_while_it_is_sent_lets_no_second_delivery_act() {
    let world = World::in_memory();
    let pipeline = world.open(None).await;
    let first = held_up(&pipeline, &world.send).await;
    world.hands.jump(TimeDelta::hours(5));
    assert_eq!(ended(&deliver(&pipeline).await), LEASED, "the lease is over, but this process is acting");
    world.send.open.notify_one();
    assert_eq!(ended(&first.await.unwrap()), ACTED);
    assert_eq!(ended(&deliver(&pipeline).await), SKIPPED);
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn a_jump_forward_between_intent_and_send_sends_nothing_without_a_lease() {
    let world = World::in_memory();
    let pipeline = world.open(None).await;
    let first = held_up(&pipeline, &world.put).await;
    world.hands.jump(TimeDelta::hours(5));
    assert_eq!(ended(&deliver(&pipeline).await), LEASED, "the lease is over, but this process is acting");
    world.put.open.notify_one();
    // It cannot tell a jump from a long sleep, in which another worker may have taken over.
    assert_eq!(ended(&first.await.unwrap()), OUT_OF_TIME);
    assert_eq!(world.sent(), 0);
    assert_eq!(ended(&deliver(&pipeline).await), ACTED);
    assert_eq!(ended(&deliver(&pipeline).await), SKIPPED);
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn another_process_whose_clock_jumps_meanwhile_sends_the_same() {
    let world = World::in_memory();
    let (one, other) = (world.open(None).await, world.open(None).await);
    let first = held_up(&one, &world.send).await;
    world.hands.jump(TimeDelta::hours(5));
    assert_eq!(ended(&deliver(&other).await), ACTED, "nothing tells it that the first is still there");
    world.send.open.notify_one();
    assert_eq!(ended(&first.await.unwrap()), ACTED);
    assert_eq!(ended(&deliver(&other).await), SKIPPED);
    let [first, second] = &world.sink.taken()[..] else { panic!("it is sent twice, as it must be") };
    assert_eq!(first, second, "a sink that honours the key has one");
}

#[tokio::test]
async fn a_jump_backward_after_a_crash_waits_until_the_clock_has_caught_up() {
    let world = World::in_memory();
    let killed = held_up(&world.open(None).await, &world.send).await;
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());

    let pipeline = world.open(None).await;
    world.hands.jump(TimeDelta::hours(-3));
    for forward in [TimeDelta::zero(), TimeDelta::hours(1), TimeDelta::hours(2), TimeDelta::seconds(LEASE - 1)] {
        world.hands.jump(forward);
        let report = deliver(&pipeline).await;
        assert_eq!(ended(&report), LEASED, "it is asked for again");
        assert!(report.leased.is_some_and(|left| left <= Duration::from_secs(15)), "soon: {:?}", report.leased);
        assert_eq!(world.sent(), 0, "not before the lease is over");
    }
    world.hands.jump(TimeDelta::seconds(1));
    assert_eq!(ended(&deliver(&pipeline).await), ACTED);
    assert_eq!(ended(&deliver(&pipeline).await), SKIPPED);
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn what_is_remembered_outlasts_jumps_of_a_day() {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    let directory = tempfile::tempdir().unwrap();
    for in_file in [false, true] {
        let hands = Hands::new();
        let store: Arc<dyn Store> = if in_file {
            let url = format!("redb:{}", directory.path().join("state.redb").display());
            Arc::new(RedbStore::open(&Resource::new("ledger", url), hands.clock()).await.unwrap())
        } else {
            Arc::new(MemoryStore::new(hands.clock()))
        };
        let world = World::new(hands, store);
        let pipeline = world.open(Some(WEEK)).await;
        // The clock is a day ahead between intent and send: it was corrected before what is done was put.
        let first = held_up(&pipeline, &world.send).await;
        world.hands.jump(TimeDelta::days(-1));
        world.send.open.notify_one();
        assert_eq!(ended(&first.await.unwrap()), ACTED);
        let day = TimeDelta::days(1);
        for jump in [day, -day, -day, day, day * 6, day - TimeDelta::seconds(1)] {
            world.hands.jump(jump);
            assert_eq!(ended(&deliver(&pipeline).await), SKIPPED, "after {jump}");
        }
        assert_eq!(world.sent(), 1);
        world.hands.jump(TimeDelta::seconds(1));
        assert_eq!(ended(&deliver(&pipeline).await), ACTED, "`keep` says how long, and is over");

        let pipeline = world.open(None).await;
        world.hands.jump(TimeDelta::days(8));
        assert_eq!(ended(&deliver(&pipeline).await), ACTED);
        world.hands.jump(TimeDelta::days(365));
        assert_eq!(ended(&deliver(&pipeline).await), SKIPPED, "a year, where nothing is said");
        assert_eq!(world.sent(), 3);
    }
}
