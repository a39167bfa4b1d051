//! The core alone retries: only what failed, in order, while half the remaining time is left.

mod common;

use std::time::Duration;

use common::{World, acting, bodies, event, run};
use fourstroke::{
    clock::Deadline,
    report::Disposition,
    testkit::faults::{Fault, Faults, Op},
};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn only_failed_items_are_sent_again() {
    let faults = Faults::plan(|attempt| {
        (attempt.nth == 1 && attempt.body == br#"{"id":"e3"}"#.as_slice()).then_some(Fault::Before)
    });
    let world = World::default().with("sinks.out", faults.clone());
    let report = run(&world.pipeline().await, acting(10)).await;
    assert_eq!(report.count(Disposition::Acted), 10);
    assert_eq!((faults.counts(Op::Send).calls, faults.counts(Op::Send).items), (2, 11));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_failed_keeps_later_ones_of_its_key_behind_it() {
    let faults = Faults::plan(|attempt| {
        (attempt.nth == 1 && attempt.body == br#"{"id":"e1"}"#.as_slice()).then_some(Fault::Before)
    });
    let world = World::default().with("sinks.out", faults);
    let events = (0..4).map(|place| event("", json!({ "id": format!("e{place}"), "k": "same", "x": 0.9 }))).collect();
    run(&world.pipeline().await, events).await;
    let taken: Vec<_> = bodies(&world.out).iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(taken, ["e0", "e1", "e2", "e3"]);
}

#[tokio::test(start_paused = true)]
async fn trying_again_ends_when_half_the_time_is_used_up() {
    let faults = Faults::plan(|_| Some(Fault::Before));
    let world = World::default().with("sinks.out", faults.clone());
    let pipeline = world.pipeline().await;
    let started = tokio::time::Instant::now();
    let report = pipeline.run(acting(1), Deadline::after(Duration::from_secs(10))).await;
    assert_eq!(report.dispositions(), [Disposition::Retry]);
    assert!(started.elapsed() <= Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(faults.counts(Op::Send).calls > 3);
    assert_eq!(report.decisions[0].error.as_ref().unwrap().code.as_str(), "FS-A002");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_never_answers_ends_at_the_deadline() {
    let world = World::default().with("sinks.out", Faults::none().delayed(Duration::from_secs(3600)));
    let pipeline = world.pipeline().await;
    let started = tokio::time::Instant::now();
    let report = pipeline.run(acting(2), Deadline::after(Duration::from_secs(2))).await;
    assert_eq!(report.count(Disposition::Retry), 2);
    assert!(started.elapsed() <= Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_not_there_is_fatal_and_nothing_is_lost() {
    let world = World::default().with("sinks.out", Faults::plan(|_| Some(Fault::Fatal)));
    let report = run(&world.pipeline().await, acting(2)).await;
    assert_eq!(report.count(Disposition::Retry), 2);
    assert_eq!(report.fatal.unwrap().code.as_str(), "FS-A004");
}
