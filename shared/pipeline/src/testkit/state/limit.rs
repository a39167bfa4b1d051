//! Limits.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Extent,
    place::{Place, event, run},
};
use crate::{
    code::Rule,
    ports::Store,
    report::Disposition,
    testkit::{HandClock, faults::Op, unique},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Checks, by chance, that a limit holds for every stretch of time, counts an event once, and lets through what it has room for.
pub async fn a_limit_slides(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    for seed in 0..extent.seeds {
        let mut chance = StdRng::seed_from_u64(seed);
        let place = Place::new(store.clone(), clock);
        let rule = Rule::new("go", "out").limit("state", [".key"], "3", HOUR).limit("state", [".key"], "5", HOUR * 4);
        let pipeline = place.open(place.strokes(&unique("slides"), "1").rule(rule)).await;
        let subject = unique("subject");
        // What each limit has counted: an event when it acted first, until that is too long ago.
        let mut counted = [(3, HOUR, Vec::new()), (5, HOUR * 4, Vec::new())];
        for nth in 0..40 {
            clock.advance(Duration::from_secs(chance.random_range(0..3_000)));
            // Some events have been delivered before.
            let id = if chance.random_bool(0.2) { format!("e{}", nth / 2) } else { format!("e{nth}") };
            let report = run(&pipeline, vec![event(&id, json!({ "id": id, "key": subject }))]).await;
            let now = clock.now();
            for (_, per, list) in &mut counted {
                list.retain(|(at, _)| *at > now - *per);
            }
            let room = counted.iter().all(|(at_most, _, list)| {
                list.len() < *at_most || list.iter().any(|(_, known): &(DateTime<Utc>, String)| *known == id)
            });
            let acts = report.count(Disposition::Acted) == 1;
            assert_eq!(acts, room, "seed {seed}, event {nth}: {counted:?} at {now}");
            assert_eq!(report.decisions[0].held_back.len(), usize::from(!acts), "what is held back is told");
            for (_, _, list) in counted.iter_mut().filter(|_| acts) {
                if list.iter().all(|(_, known)| *known != id) {
                    list.push((now, id.clone()));
                }
            }
        }
    }
}

/// Checks that many workers at the same time never exceed a limit, and use it up; that a batch of many events asks twice.
pub async fn workers_never_exceed_a_limit(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    const AT_MOST: usize = 20;
    let (place, name) = (Place::new(store, clock), unique("limits"));
    let rule = || Rule::new("go", "out").limit("state", [".key"], "20", HOUR).data("{ \"key\": .key }");
    let mut workers = Vec::new();
    for _ in 0..extent.workers {
        workers.push(place.open(place.strokes(&name, "1").rule(rule())).await);
    }
    let rounds = extent.rounds;
    for round in 0..rounds {
        let subject = unique(&format!("subject-{round}"));
        let mut running = JoinSet::new();
        for (nth, worker) in workers.iter().cloned().enumerate() {
            let one = event("p", json!({ "id": format!("e{round}-{nth}"), "key": subject }));
            running.spawn(async move { run(&worker, vec![one]).await });
        }
        let (mut acted, mut held) = (0, 0);
        while let Some(report) = running.join_next().await {
            let report = report.expect("a worker panicked");
            acted += report.count(Disposition::Acted);
            held += report.decisions.iter().filter(|decision| !decision.held_back.is_empty()).count();
        }
        assert_eq!(
            (acted, held),
            (AT_MOST.min(extent.workers), extent.workers.saturating_sub(AT_MOST)),
            "round {round}"
        );
    }
    for count in [100, 1_000] {
        let place = Place { stored: crate::testkit::faults::Faults::none(), ..place.clone() };
        let pipeline = place.open(place.strokes(&name, "1").rule(rule())).await;
        let subject = unique("trips");
        let one = |nth: usize| {
            event("p", json!({ "id": format!("{subject}-{nth}"), "key": format!("{subject}{}", nth % 3) }))
        };
        let report = run(&pipeline, (0..count).map(one).collect()).await;
        assert_eq!(report.count(Disposition::Acted), AT_MOST * 3);
        let calls = |op| place.stored.counts(op).calls;
        assert_eq!((calls(Op::Get), calls(Op::Put)), (1, 1), "read, then written");
    }
    let mut by_key: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    place.out.items().into_iter().for_each(|item| *by_key.entry(item.body.to_vec()).or_default() += 1);
    assert!(by_key.values().all(|count| *count <= AT_MOST), "{by_key:?}");
}

/// Checks that a limit holds also for what a worker left behind: room that was taken long ago is no room now.
pub async fn what_is_taken_over_is_limited(store: Arc<dyn Store>, clock: &HandClock) {
    let (place, name, subject) = (Place::new(store, clock), unique("left"), unique("subject"));
    let minute = Duration::from_secs(60);
    let rule = || Rule::new("go", "out").once("state").limit("state", [".key"], "1", minute);
    let pipeline = place.open(place.strokes(&name, "1").rule(rule())).await;
    let one = |id: &str| vec![event(id, json!({ "id": id, "key": subject }))];
    let closed = place.out.close().await;
    let gone = tokio::time::timeout(Duration::from_millis(300), run(&pipeline, one("a"))).await;
    assert!(gone.is_err(), "the worker is dropped while it sends");
    drop(closed);
    clock.advance(minute + minute / 2);
    assert_eq!(run(&pipeline, one("b")).await.count(Disposition::Acted), 1, "there is room again");
    clock.advance(Duration::from_secs(10));
    let late = run(&pipeline, one("a")).await;
    assert_eq!((late.count(Disposition::Acted), late.decisions[0].held_back.len()), (0, 1), "there is none now");
    clock.advance(minute);
    assert_eq!(run(&pipeline, one("a")).await.count(Disposition::Acted), 1, "and it was not forgotten");
    assert_eq!(place.out.ids().len(), 2);

    // What is done takes no room when it comes again.
    clock.advance(minute * 2);
    let both = run(&pipeline, [one("a"), one("c")].concat()).await;
    assert_eq!((both.count(Disposition::Skipped), both.count(Disposition::Acted)), (1, 1));
}
