//! The loop: retries in process, order, and every way to end.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fourstroke::{
    clock::Deadline,
    error::Kind,
    ports::{Acknowledge, Batch, Source, SourceError},
    report::{Disposition, Report},
    testkit::faults::{Attempt, Fault, Faults, Op},
};
use fourstroke_adapters::memory::MemorySource;
use fourstroke_runtime::{End, Settings, work};
use serde_json::json;
use tokio::sync::Notify;

use crate::world::{World, acting, event, ids};

/// Too short for the core to try again itself: every retry is the loop's.
const LIMIT: Duration = Duration::from_millis(10);

fn settings(tries: Option<u32>) -> Settings {
    Settings { limit: LIMIT, tries, events: None }
}

fn is(attempt: &Attempt<'_>, id: &str) -> bool {
    attempt.body == format!(r#"{{"id":"{id}"}}"#).as_bytes()
}

#[tokio::test(start_paused = true)]
async fn retries_run_again_before_anything_later_and_each_batch_is_settled_once() {
    let world = World::new(Faults::plan(|attempt| (is(attempt, "e1") && attempt.nth <= 4).then_some(Fault::Before)));
    let source = MemorySource::new(acting(6)).in_batches_of(3);
    let settlements = source.settlements();
    let mut seen = Vec::new();
    let observe = |report: &Report| {
        seen.extend(report.decisions.iter().map(|decision| {
            let input = report.inputs[decision.input].event();
            (input.id.to_string(), decision.record.facts().id.to_string(), decision.disposition)
        }));
    };
    let end = work(&world.pipeline().await, Box::new(source), settings(None), pending(), observe, |_| ()).await;
    assert_eq!(end, End::Source);
    assert_eq!(settlements.batches(), 2);
    assert_eq!(settlements.ids(), ids(6));
    let expected: Vec<_> = ids(6).into_iter().map(|id| (id.clone(), id, Disposition::Acted)).collect();
    assert_eq!(seen, expected, "each event once, in order, with how it ended at last");
    let acted = world.acted();
    let first = |id: &str| acted.iter().position(|acted| acted == id).expect("it acted");
    let last = |id: &str| acted.iter().rposition(|acted| acted == id).expect("it acted");
    assert!(last("e1") < first("e3"), "the next batch ran before this one's retries: {acted:?}");
}

#[tokio::test(start_paused = true)]
async fn waits_between_tries_count_as_time_of_the_batch() {
    let world = World::new(Faults::first(2, Fault::Before));
    let mut whole = Duration::ZERO;
    let source = Box::new(MemorySource::new(acting(1)));
    work(&world.pipeline().await, source, settings(None), pending(), |report| whole = report.times.whole, |_| ()).await;
    assert!(whole >= Duration::from_millis(150), "{whole:?}");
}

#[tokio::test(start_paused = true)]
async fn after_the_last_try_the_loop_gives_up_and_settles_what_is_done() {
    let world = World::new(Faults::plan(|attempt| is(attempt, "e1").then_some(Fault::Before)));
    let source = MemorySource::new(acting(6)).in_batches_of(3);
    let settlements = source.settlements();
    let end = work(&world.pipeline().await, Box::new(source), settings(Some(3)), pending(), |_| {}, |_| ()).await;
    assert_eq!(end, End::GaveUp { left: vec!["e1".into(), "e2".into()], held: 0, unsettled: None });
    assert!(!end.is_orderly());
    assert_eq!(settlements.ids(), ["e0"]);
    assert_eq!(end.to_string(), "gave up on 2 events after trying again: e1, e2");
}

#[tokio::test(start_paused = true)]
async fn what_is_fatal_ends_the_loop_at_once() {
    let world = World::new(Faults::plan(|_| Some(Fault::Fatal)));
    let source = MemorySource::new(acting(6)).in_batches_of(3);
    let settlements = source.settlements();
    let mut batches = 0;
    let end =
        work(&world.pipeline().await, Box::new(source), settings(None), pending(), |_| batches += 1, |_| ()).await;
    assert!(matches!(&end, End::Fatal { error, .. } if error.code.as_str() == "FS-A004"), "{end}");
    assert_eq!((batches, settlements.batches(), settlements.ids().len()), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_limit_cuts_the_last_batch() {
    let world = World::new(Faults::none());
    let source = MemorySource::new(acting(6)).in_batches_of(3);
    let settlements = source.settlements();
    let settings = Settings { events: Some(4), ..settings(None) };
    assert_eq!(work(&world.pipeline().await, Box::new(source), settings, pending(), |_| {}, |_| ()).await, End::Limit);
    assert_eq!(settlements.ids(), ids(4));
    assert_eq!(world.acted(), ids(4));
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_and_settles_the_current_batch() {
    let world = World::new(Faults::none());
    let source = MemorySource::new(acting(6)).in_batches_of(3);
    let settlements = source.settlements();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let shutdown = async { drop(stopped.await) };
    let end =
        work(&world.pipeline().await, Box::new(source), settings(None), shutdown, |_| drop(stop.take()), |_| ()).await;
    assert_eq!(end, End::Stopped);
    assert_eq!(settlements.ids(), ids(3));
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_what_keeps_failing() {
    let world = World::new(Faults::plan(|_| Some(Fault::Before)));
    let source = MemorySource::new(acting(3));
    let settlements = source.settlements();
    let shutdown = tokio::time::sleep(Duration::from_secs(60));
    let mut left = 0;
    let count = |report: &Report| left = report.count(Disposition::Retry);
    let end = work(&world.pipeline().await, Box::new(source), settings(None), shutdown, count, |_| ()).await;
    assert_eq!(end, End::Stopped);
    assert_eq!((left, settlements.batches(), settlements.ids().len()), (3, 1, 0));
}

/// A world where a worker has died while it acted on the first event: its lease lasts 15 seconds. `found` is called when the
/// next one comes upon it.
async fn widowed(found: impl Fn(&World) + Send + Sync + 'static) -> World {
    let reached = Arc::new(Notify::new());
    let reaches = reached.clone();
    let hangs = Faults::plan(move |_| {
        reaches.notify_one();
        None
    });
    let world = World::new(hangs.delayed(Duration::from_secs(3600)));
    let pipeline = world.keeper().await;
    tokio::select! {
        _ = pipeline.run(acting(1), Deadline::after(Duration::from_secs(10))) => panic!("the sink hangs"),
        () = reached.notified() => {}
    }
    let world = World { faults: Faults::none(), ..world };
    let finds = world.clone();
    let forgets = Faults::plan(move |attempt| {
        if attempt.op == Op::Put && attempt.name.starts_with("once#") && attempt.nth == 1 {
            found(&finds);
        }
        None
    });
    World { forgets, ..world }
}

#[tokio::test(start_paused = true)]
async fn what_another_worker_holds_is_waited_for_and_costs_no_try() {
    let world = widowed(|world| world.clock.advance(Duration::from_secs(15))).await;
    let mut whole = Duration::ZERO;
    let source = Box::new(MemorySource::new(acting(1)));
    let observe = |report: &Report| whole = report.times.whole;
    let end = work(&world.keeper().await, source, settings(Some(1)), pending(), observe, |_| ()).await;
    assert_eq!((end, world.acted()), (End::Source, ids(1)));
    assert!(whole >= Duration::from_secs(15), "as long as the lease may last: {whole:?}");
    assert!(whole < Duration::from_secs(16), "and no longer: {whole:?}");
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_what_another_worker_holds() {
    let stop = Arc::new(Notify::new());
    let stops = stop.clone();
    let world = widowed(move |_| stops.notify_one()).await;
    let (mut left, mut whole) = (0, Duration::MAX);
    let observe = |report: &Report| (left, whole) = (report.count(Disposition::Retry), report.times.whole);
    let source = Box::new(MemorySource::new(acting(1)));
    let end = work(&world.keeper().await, source, settings(Some(1)), stop.notified(), observe, |_| ()).await;
    assert_eq!((end, left), (End::Stopped, 1));
    assert!(whole < Duration::from_secs(15), "{whole:?}");
}

/// Counts how often it is asked; fails after so many batches.
struct Counted {
    source: MemorySource,
    asked: Arc<AtomicUsize>,
    good: usize,
}

#[async_trait]
impl Source for Counted {
    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == self.good {
            return Err(SourceError { kind: Kind::Fatal, reason: "the disk is gone".to_owned() });
        }
        self.source.next().await
    }
}

#[tokio::test(start_paused = true)]
async fn one_batch_is_fetched_ahead_and_a_broken_source_ends_the_loop_after_what_it_gave() {
    // A send takes a moment: the time stands still until nobody else has anything to do.
    let world = World::new(Faults::none().delayed(Duration::from_millis(1)));
    let asked = Arc::new(AtomicUsize::new(0));
    let source = MemorySource::new(acting(6)).in_batches_of(2);
    let settlements = source.settlements();
    let source = Box::new(Counted { source, asked: asked.clone(), good: 2 });
    let mut ahead = Vec::new();
    let count = |_: &Report| ahead.push(asked.load(Ordering::SeqCst));
    let end = work(&world.pipeline().await, source, settings(None), pending(), count, |_| ()).await;
    assert_eq!(end.to_string(), "the source failed: the disk is gone");
    assert_eq!(ahead, [2, 3]);
    assert_eq!(settlements.ids(), ids(4));
}

/// Gives events and can settle none of them.
struct Unsettling(MemorySource);

#[async_trait]
impl Source for Unsettling {
    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        let batch = self.0.next().await?;
        Ok(batch.map(|batch| Batch { acknowledge: Box::new(Gone), ..batch }))
    }
}

struct Gone;

#[async_trait]
impl Acknowledge for Gone {
    async fn settle(self: Box<Self>, _: &Report) -> Result<(), SourceError> {
        Err(SourceError { kind: Kind::Retryable, reason: "the lease is lost".to_owned() })
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_settled_is_told_however_the_loop_ends() {
    let ended = async |faults: Faults, stop: bool| {
        let (pipeline, source) = (World::new(faults).pipeline().await, Unsettling(MemorySource::new(acting(2))));
        // Longer than the batch takes until it waits for its second try.
        let shutdown = async {
            match stop {
                true => tokio::time::sleep(LIMIT * 2).await,
                false => pending().await,
            }
        };
        work(&pipeline, Box::new(source), settings(Some(3)), shutdown, |_| {}, |_| ()).await
    };
    let gone = SourceError { kind: Kind::Retryable, reason: "the lease is lost".to_owned() };
    assert_eq!(ended(Faults::none(), false).await, End::Failed(gone.clone()));
    assert_eq!(ended(Faults::plan(|_| Some(Fault::Before)), true).await, End::Failed(gone));
    let also = "; and the source could not settle the batch: the lease is lost";
    for fault in [Fault::Before, Fault::Fatal] {
        let end = ended(Faults::plan(move |_| Some(fault)), false).await;
        assert!(!end.is_orderly() && end.to_string().ends_with(also), "{end}");
    }
}

/// Good and rotten events in turn, and then one that is good.
fn rotten() -> Vec<fourstroke::event::Decoded> {
    let bad = (0..6).map(|place| event(json!({ "type": format!("bad {place}") })));
    acting(2).into_iter().chain(bad).chain([event(json!({ "id": "last", "x": 0.9 }))]).collect()
}

const LIMITED: &str = "{ to: dead, stop_above: 20%, of_last: 10 }";

#[tokio::test(start_paused = true)]
async fn what_the_breaker_holds_ends_the_bounded_tries_and_is_not_settled() {
    let world = World::new(Faults::none());
    let source = MemorySource::new(rotten());
    let settlements = source.settlements();
    let mut told = Vec::new();
    let tell = |line: &str| told.push(line.to_owned());
    let pipeline = world.limited(LIMITED).await;
    let end = work(&pipeline, Box::new(source), settings(Some(3)), pending(), |_| {}, tell).await;
    assert!(matches!(&end, End::GaveUp { left, held: 5, .. } if left.len() == 5), "{end}");
    let words =
        "the breaker holds 5 (FS-B003): mend what the dead letters show, or raise `on_error.stop_above`, and run again";
    assert!(end.to_string().contains(words), "{end}");
    assert_eq!(settlements.ids(), ["e0", "e1", "none", "none"]);
    assert_eq!(world.acted(), ids(2));
    assert_eq!(told.len(), 1, "once, not per try: {told:?}");
    assert!(told[0].starts_with("ALARM: FS-B003: 3 of the last 5 events are poison"), "{}", told[0]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_holds_until_a_probe_gets_through_and_says_so_once() {
    let world = World::new(Faults::none());
    // Behind the cut one of seven is bad: the first probe gets through.
    let mut events = rotten();
    events.drain(5..8);
    events.extend((0..5).map(|place| event(json!({ "id": format!("good {place}"), "x": 0.9 }))));
    let source = MemorySource::new(events);
    let settlements = source.settlements();
    let mut told = Vec::new();
    let tell = |line: &str| told.push(line.to_owned());
    let pipeline = world.limited(LIMITED).await;
    let end = work(&pipeline, Box::new(source), settings(None), pending(), |_| {}, tell).await;
    assert_eq!((end, settlements.ids().len()), (End::Source, 11));
    let starts = ["ALARM: FS-B003: 3 of the last 5", "resumed: FS-B003 is over after "];
    assert!(told.len() == 2 && told.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_the_breaker() {
    let world = World::new(Faults::none());
    let source = MemorySource::new(rotten());
    let settlements = source.settlements();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let shutdown = async { drop(stopped.await) };
    let mut held = 0;
    let count = |report: &Report| held = report.held();
    let pipeline = world.limited(LIMITED).await;
    let end = work(&pipeline, Box::new(source), settings(None), shutdown, count, |_| drop(stop.take())).await;
    assert_eq!((end, held, settlements.ids().len()), (End::Stopped, 5, 4));
}
