//! The fault-injecting wrappers, around the memory adapters.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use fourstroke::{
    error::Kind,
    ports::{Condition, Key, Outgoing, Put, PutOutcome, SendError, Sent, Sink, Store},
    testkit::{
        HandClock,
        faults::{Counts, Fault, Faults, FaultySink, FaultyStore, Op},
        sink, store,
    },
};
use fourstroke_adapters::memory::{MemorySink, MemoryStore};

fn item(key: &str, id: &str) -> Outgoing {
    Outgoing {
        id: id.into(),
        key: Some(key.into()),
        content_type: "application/json",
        attributes: Vec::new(),
        body: Bytes::copy_from_slice(id.as_bytes()),
    }
}

fn ids(sink: &MemorySink) -> Vec<String> {
    sink.taken().iter().map(|item| item.id.to_string()).collect()
}

#[tokio::test]
async fn without_faults_the_contract_is_kept() {
    let clock = HandClock::default();
    let memory = Arc::new(MemoryStore::new(clock.clock()));
    store::suite(Arc::new(FaultyStore::new(memory, Faults::none())), &clock, store::Capabilities::default()).await;

    let memory = Arc::new(MemorySink::default());
    let taken = async || memory.taken().into_iter().map(|item| item.body).collect();
    let faulty = Arc::new(FaultySink::new(memory.clone(), Faults::none()));
    sink::suite(faulty, taken, sink::Capabilities::default()).await;
}

#[tokio::test]
async fn a_retryable_failure_holds_what_follows_it_in_its_key() {
    let memory = Arc::new(MemorySink::default());
    let faults = Faults::plan(|attempt| match (attempt.name, attempt.nth) {
        ("a1", 1) => Some(Fault::Before),
        ("b1", 1) => Some(Fault::After),
        ("c1", _) => Some(Fault::Poison),
        _ => None,
    });
    let faulty = FaultySink::new(memory.clone(), faults.clone());
    let items = ["a1", "b1", "c1", "a2", "b2", "c2", "d1"].map(|id| item(&id[..1], id));
    let answers = faulty.send(&items).await;
    let failure = |place: usize| answers[place].clone().map_err(|error| (error.kind, error.sent));
    assert_eq!(failure(0), Err((Kind::Retryable, Sent::No)));
    assert_eq!(failure(1), Err((Kind::Retryable, Sent::Unknown)));
    assert_eq!(failure(2), Err((Kind::Poison, Sent::No)));
    assert_eq!(answers[3..5], [Err(SendError::held()), Err(SendError::held())]);
    assert_eq!(answers[5..], [Ok(()), Ok(())], "poison holds nothing");
    assert_eq!(ids(&memory), ["b1", "c2", "d1"]);

    let again = [items[0].clone(), items[1].clone(), items[3].clone(), items[4].clone()];
    assert!(faulty.send(&again).await.iter().all(Result::is_ok));
    assert_eq!(ids(&memory)[3..], ["a1", "b1", "a2", "b2"]);
    assert_eq!(faults.counts(Op::Send), Counts { calls: 2, items: 11 });
}

#[tokio::test]
async fn a_put_whose_answer_got_lost_has_happened() {
    let clock = HandClock::default();
    let faulty = FaultyStore::new(Arc::new(MemoryStore::new(clock.clock())), Faults::first(1, Fault::After));
    let put = Put { key: Key::new("k", "s"), value: 1.into(), condition: Condition::Absent, expires: None };
    assert_eq!(faulty.put(std::slice::from_ref(&put)).await[0].as_ref().unwrap_err().kind, Kind::Retryable);
    let Ok(PutOutcome::Refused(Some(current))) = faulty.put(&[put]).await.remove(0) else {
        panic!("the first put must have happened");
    };
    assert_eq!(current.value, 1.into());
}

#[tokio::test(start_paused = true)]
async fn delays_add_up_over_calls_that_wait_for_each_other() {
    let clock = HandClock::default();
    let faults = Faults::none().delayed(Duration::from_millis(10));
    let faulty = FaultyStore::new(Arc::new(MemoryStore::new(clock.clock())), faults.clone());
    let start = tokio::time::Instant::now();
    let keys = [Key::new("a", ""), Key::new("b", "")];
    tokio::join!(faulty.get(&keys), faulty.get(&keys));
    faulty.get(&keys).await;
    assert_eq!(start.elapsed(), Duration::from_millis(20));
    assert_eq!(faults.counts(Op::Get), Counts { calls: 3, items: 6 });
}

#[tokio::test]
async fn the_same_seed_fails_the_same_tries() {
    let run = async || {
        let faults = Faults::seeded(7, &[(Fault::Before, 0.2), (Fault::Poison, 0.1)]);
        let faulty = FaultySink::new(Arc::new(MemorySink::default()), faults);
        let items: Vec<Outgoing> = (0..500).map(|n| item(&format!("k{n}"), &n.to_string())).collect();
        faulty.send(&items).await
    };
    let (first, second) = (run().await, run().await);
    assert_eq!(first, second);
    let kinds = |kind| first.iter().filter(|answer| answer.as_ref().is_err_and(|error| error.kind == kind)).count();
    assert!((60..140).contains(&kinds(Kind::Retryable)), "{} of 500", kinds(Kind::Retryable));
    assert!((25..80).contains(&kinds(Kind::Poison)), "{} of 500", kinds(Kind::Poison));
}
