//! Acting once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Extent,
    place::{Place, event, run},
};
use crate::{
    code::{Rule, Strokes},
    error::Code,
    event::Decoded,
    pipeline::Pipeline,
    ports::Store,
    report::{Disposition, Report},
    testkit::{
        HandClock,
        faults::{Fault, Faults, Op},
        unique,
    },
};

/// Longer than any lease.
const LEASE: Duration = Duration::from_secs(60);

/// Acts once on every event whose `x` is there.
fn once(place: &Place, name: &str, revision: &str, data: &str) -> Strokes {
    place.strokes(name, revision).rule(Rule::new("go", "out").when("exists(.x) && .x != null").data(data).once("state"))
}

async fn opened(place: &Place, name: &str) -> Pipeline {
    place.open(once(place, name, "1", "{ \"id\": .id }")).await
}

fn events(count: usize, acting: usize) -> Vec<Decoded> {
    let body = |nth: usize| json!({ "id": format!("e{nth}"), "key": format!("k{}", nth % 7), "x": (nth % 10 < acting).then_some(1.0) });
    (0..count).map(|nth| event(&format!("p{nth}"), body(nth))).collect()
}

/// Checks that a batch asks the store twice, one after the other, however many events it has.
pub async fn round_trips(store: Arc<dyn Store>, clock: &HandClock) {
    for count in [100, 1_000] {
        let place = Place { stored: Faults::none(), ..Place::new(store.clone(), clock) };
        let pipeline = opened(&place, &unique("trips")).await;
        let first = run(&pipeline, events(count, 3)).await;
        assert_eq!(first.count(Disposition::Acted), count * 3 / 10);
        let calls = |op| place.stored.counts(op).calls;
        assert_eq!((calls(Op::Put), calls(Op::Get)), (2, 1), "intents beside what is read of the others, then marks");
        let again = run(&pipeline, events(count, 3)).await;
        assert_eq!(again.count(Disposition::Skipped), count * 3 / 10);
        assert_eq!((calls(Op::Put), calls(Op::Get)), (3, 2), "a replay is one round trip");
        assert_eq!(place.out.ids().len(), count * 3 / 10);
    }
}

/// Checks that what was decided is what is done, though the worker went away and another version was deployed.
pub async fn a_replay_is_not_decided_anew(store: Arc<dyn Store>, clock: &HandClock) {
    let (place, name) = (Place::new(store, clock), unique("replay"));
    let old = opened(&place, &name).await;
    let new = place.open(once(&place, &name, "2", "{ \"id\": .id, \"new\": true }")).await;
    let none = place.open(place.strokes(&name, "3").rule(Rule::new("other", "out").when("false").once("state"))).await;
    let one = || vec![event("p", json!({ "id": "e", "key": "k", "x": 1.0 }))];

    // The sink does not answer: the worker is dropped while it sends.
    let closed = place.out.close().await;
    let gone = tokio::time::timeout(Duration::from_millis(300), run(&old, one())).await;
    assert!(gone.is_err(), "the sink is closed");
    let waits = run(&new, one()).await;
    assert_eq!(waits.count(Disposition::Retry), 1);
    assert_eq!(waits.decisions[0].error.as_ref().map(|error| error.code), Some(Code::LEASED));
    assert!(waits.leased.is_some(), "it says how long");
    drop(closed);
    assert_eq!(run(&new, one()).await.count(Disposition::Retry), 1, "the lease is not over");
    clock.advance(LEASE);
    // Also a version that would do nothing goes on with what was decided.
    let goes_on = run(&none, one()).await;
    assert_eq!(goes_on.count(Disposition::Acted), 1);
    assert!(goes_on.decisions[0].replay.is_some());
    for pipeline in [&old, &new, &none] {
        let done = run(pipeline, one()).await;
        assert_eq!(done.count(Disposition::Skipped), 1);
        assert_eq!(&*done.decisions[0].candidates[0], "go");
    }
    let bodies: Vec<String> =
        place.out.items().iter().map(|item| String::from_utf8_lossy(&item.body).into_owned()).collect();
    assert_eq!(bodies, [r#"{"id":"e"}"#], "once, as it was decided first");

    // What certainly was not sent may be decided anew.
    let fails = Place { sent: Faults::plan(|_| Some(Fault::Before)), ..place.clone() };
    let failing = fails.open(once(&fails, &name, "1", "{ \"id\": .id }")).await;
    let other = || vec![event("q", json!({ "id": "f", "key": "k", "x": 1.0 }))];
    let short = crate::clock::Deadline::after(Duration::from_millis(100));
    assert_eq!(failing.run(other(), short).await.count(Disposition::Retry), 1);
    assert_eq!(run(&new, other()).await.count(Disposition::Acted), 1, "at once: nobody holds it");
    assert!(place.out.items().last().is_some_and(|item| item.body.ends_with(br#""new":true}"#)));
}

/// Checks that an event of the same id but another body is neither acted on nor lost, and that of one body delivered twice in
/// a batch one acts.
pub async fn another_body_is_refused(store: Arc<dyn Store>, clock: &HandClock) {
    let place = Place::new(store, clock);
    let pipeline = opened(&place, &unique("body")).await;
    let of = |x: f64| event("p", json!({ "id": "e", "key": "k", "x": x }));
    let twins = run(&pipeline, vec![of(1.0), of(1.0)]).await;
    assert_eq!((twins.count(Disposition::Acted), twins.count(Disposition::Skipped)), (1, 1));
    let code = |report: &Report, nth: usize| report.decisions[nth].error.as_ref().map(|error| error.code);
    let other = run(&pipeline, vec![of(2.0)]).await;
    assert_eq!(code(&other, 0), Some(Code::OTHER_BODY));
    assert_eq!((place.out.ids().len(), place.dead.ids().len()), (1, 1));

    // In one batch too, and what cannot be acted on does not keep a good one of the same id from acting.
    let of = |x: serde_json::Value| event("q", json!({ "id": "f", "key": "k", "x": x }));
    let both = run(&pipeline, vec![of(json!("no number")), of(json!(1.0)), of(json!(2.0))]).await;
    let ends: Vec<Disposition> = both.decisions.iter().map(|decision| decision.disposition).collect();
    assert_eq!(ends, [Disposition::DeadLettered, Disposition::Acted, Disposition::DeadLettered]);
    assert_eq!(code(&both, 2), Some(Code::OTHER_BODY));
    assert_eq!((place.out.ids().len(), place.dead.ids().len()), (2, 3));
    // Behind one that is refused nothing of that id is sent without an entry.
    let again = run(&pipeline, vec![of(json!(2.0)), of(json!(1.0))]).await;
    assert_eq!(again.count(Disposition::Acted), 0);
    assert_eq!(place.out.ids().len(), 2, "it was done once");
}

/// Checks, by chance, that whatever fails every event acts in the end, under one key, and twice only where an answer got lost.
pub async fn faults_lose_nothing(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    let chances = [(Fault::Before, 0.15), (Fault::After, 0.1)];
    for seed in 0..extent.seeds {
        let place = Place {
            stored: Faults::seeded(seed, &chances),
            sent: Faults::seeded(seed + 1_000, &chances),
            ..Place::new(store.clone(), clock)
        };
        let pipeline = opened(&place, &unique("faults")).await;
        let all = events(20, 5);
        let mut left = all.clone();
        for delivery in 0.. {
            assert!(delivery < 50, "seed {seed}: it never ends");
            let report = pipeline.run(left, crate::clock::Deadline::after(Duration::from_millis(200))).await;
            assert_eq!(report.fatal, None);
            left = report.retries();
            if left.is_empty() {
                break;
            }
            clock.advance(LEASE);
        }
        clock.advance(LEASE);
        // Everything comes again: what is marked is not done again.
        drop(run(&pipeline, all).await);
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        place.out.ids().into_iter().for_each(|id| *times.entry(id).or_default() += 1);
        assert_eq!(times.len(), 10, "seed {seed}: every event acts, under its key");
        assert_eq!(place.dead.ids().len(), 0, "seed {seed}: nothing is poison");
        // A sink fault of the plan is the only reason to send again, but for marks that could not be written.
        let tried: usize = times.values().sum();
        assert!(tried <= 10 + place.sent.counts(Op::Send).items, "seed {seed}: {tried}");
    }
}

/// Checks that of workers that get the same event at the same time one acts.
pub async fn one_of_many_workers_acts(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    let (place, name) = (Place::new(store, clock), unique("workers"));
    let mut workers = Vec::new();
    for _ in 0..extent.workers {
        workers.push(opened(&place, &name).await);
    }
    for round in 0..extent.rounds {
        let id = format!("e{round}");
        let mut running = JoinSet::new();
        for worker in workers.clone() {
            let one = event(&id, json!({ "id": id, "key": "k", "x": 1.0 }));
            running.spawn(async move { run(&worker, vec![one]).await });
        }
        let mut acted = 0;
        while let Some(report) = running.join_next().await {
            let report = report.expect("a worker panicked");
            acted += report.count(Disposition::Acted);
            let others = report.count(Disposition::Skipped) + report.count(Disposition::Retry);
            assert_eq!(report.count(Disposition::Acted) + others, 1);
        }
        assert_eq!(acted, 1, "round {round}");
    }
    let ids = place.out.ids();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (extent.rounds, extent.rounds));
}
