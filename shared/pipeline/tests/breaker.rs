//! The breaker: too much poison among the last events, and events are held instead of being dead-lettered.

mod common;

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use common::{PIPELINE, World, bodies, run};
use fourstroke::{
    clock::Deadline,
    error::Code,
    event::{Decoded, Event},
    pipeline::Pipeline,
    report::{BreakerChange, Disposition, Report},
    testkit::faults::{Fault, Faults, Op},
};
use proptest::prelude::*;
use serde_json::json;

/// Longer than any wait between probes.
const LONG: Duration = Duration::from_secs(61);

/// Two of the last ten may be poison.
fn small() -> String {
    PIPELINE.replace("{ to: dead }", "{ to: dead, stop_above: 20%, of_last: 10 }")
}

async fn open(world: &World) -> Pipeline {
    world.open(&small()).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Events of two groups in turn, from number `from` on: `g` acts, `-` has nothing to do, `p` is no JSON.
fn events(from: usize, kinds: &str) -> Vec<Decoded> {
    let event = |(place, kind)| {
        let id = format!("e{place:03}");
        let body = match kind {
            'p' => format!("{id} {{"),
            'g' => json!({ "id": id, "x": 0.9 }).to_string(),
            _ => json!({ "id": id, "x": 0.1 }).to_string(),
        };
        Event::new(id, body).in_group(["even", "odd"][place % 2]).into()
    };
    (from..).zip(kinds.chars()).map(event).collect()
}

/// How each event ended: `a`cted, `d`ead-lettered, `n`othing to do, `h`eld by the breaker, `r`etry for another reason.
fn ends(report: &Report) -> String {
    let end = |decision: &fourstroke::report::Decision| match decision.disposition {
        Disposition::Acted => 'a',
        Disposition::DeadLettered => 'd',
        Disposition::Retry if decision.error.as_ref().unwrap().code == Code::BREAKER => 'h',
        Disposition::Retry => 'r',
        _ => 'n',
    };
    report.decisions.iter().map(end).collect()
}

fn acted(world: &World) -> Vec<String> {
    bodies(&world.out).iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect()
}

fn dead(world: &World) -> Vec<String> {
    bodies(&world.dead).iter().map(|letter| letter["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn from_the_event_that_trips_it_on_all_groups_are_held() {
    let world = World::default();
    let report = run(&open(&world).await, events(0, "gpgpggpgpg-g")).await;
    assert_eq!(ends(&report), "adadaahhhhhh");
    assert_eq!(acted(&world), ["e000", "e002", "e004", "e005"]);
    assert_eq!(dead(&world), ["e001", "e003"]);
    assert_eq!(bodies(&world.log).len(), 6, "what is held has no entry yet");
    assert_eq!((report.held(), report.retries().len()), (6, 6));
    let [BreakerChange::Tripped { poison: 3, of: 7, most: Code::MALFORMED, .. }] = report.breaker.as_slice() else {
        panic!("{:?}", report.breaker)
    };
    let shown = report.breaker[0].to_string();
    assert!(
        shown.starts_with("FS-B003: 3 of the last 7 events are poison, and `on_error.stop_above` is 20%"),
        "{shown}"
    );
    let reason = &report.decisions[6].error.as_ref().unwrap().reason;
    assert!(reason.contains("it says: FS-D001 in decode"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn by_default_it_is_the_201st_of_the_last_thousand() {
    let world = World::default();
    let pipeline = world.open(&PIPELINE.replace("{ to: dead }", "{ to: dead, stop_above: 20% }")).await.unwrap();
    let report = run(&pipeline, events(0, &"p".repeat(500))).await;
    assert_eq!((report.count(Disposition::DeadLettered), report.held()), (200, 300));
    assert_eq!(bodies(&world.dead).len(), 200);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_open_no_stroke_runs_and_every_input_is_a_retry() {
    let lookups = Faults::none();
    let world = World::default().with("stores.table", lookups.clone());
    let pipeline = open(&world).await;
    run(&pipeline, events(0, "ppp")).await;
    let mut inputs = events(3, "ggp");
    let event = Event::new("torn", "raw");
    inputs.push(Decoded::Undecodable { event, reason: "the checksum is wrong".to_owned() });
    let report = run(&pipeline, inputs).await;
    assert_eq!((ends(&report).as_str(), report.dispositions()), ("hhhh", vec![Disposition::Retry; 4]));
    assert_eq!(report.replay_from().len(), 3, "both groups, and what stands alone");
    assert_eq!((report.breaker.len(), lookups.counts(Op::Get).calls), (0, 0));
    let decision = &report.decisions[0];
    assert_eq!((&*decision.record.facts().id, &*decision.id), ("e003", &*decision_id("e003")));
    assert!(run(&pipeline, Vec::new()).await.decisions.is_empty());
}

fn decision_id(event: &str) -> String {
    fourstroke::identity::decision_id("small", event)
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_gets_through_closes_it_and_goes_on_as_usual() {
    let world = World::default();
    let pipeline = open(&world).await;
    let mut report = run(&pipeline, events(0, "ppgpggggg")).await;
    assert_eq!(ends(&report), "ddahhhhhh");
    tokio::time::advance(Duration::from_millis(499)).await;
    let early = run(&pipeline, report.retries()).await;
    assert_eq!((ends(&early).as_str(), early.breaker.len()), ("hhhhhh", 0), "no probe before half a second");
    tokio::time::advance(Duration::from_millis(501)).await;
    report.absorb(early);
    let probe = run(&pipeline, report.retries()).await;
    assert_eq!(ends(&probe), "daaaaa", "one of six is less than a fifth");
    report.absorb(probe);
    assert_eq!(ends(&report), "ddadaaaaa");
    let changes: Vec<String> = report.breaker.iter().map(ToString::to_string).collect();
    assert!(changes[0].starts_with("FS-B003: 3 of the last 4"), "{changes:?}");
    assert_eq!(changes[1..], ["FS-B003 is over after 1 s: a batch got through, events are taken again"]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_with_too_much_poison_is_held_and_the_next_one_waits_longer() {
    let world = World::default();
    let pipeline = open(&world).await;
    run(&pipeline, events(0, "ppp")).await;
    for longest in [1, 2, 4] {
        tokio::time::advance(Duration::from_millis(longest * 500 - 1)).await;
        assert_eq!(ends(&run(&pipeline, events(3, "g")).await), "h", "before half of {longest} s");
        tokio::time::advance(Duration::from_millis(longest * 500 + 1)).await;
        let failed = run(&pipeline, events(3, "ggpp")).await;
        assert_eq!((ends(&failed).as_str(), failed.breaker.len()), ("aadh", 0), "a little gets through");
    }
    assert_eq!((acted(&world).len(), dead(&world).len()), (6, 5));
}

#[tokio::test(start_paused = true)]
async fn of_batches_at_the_same_time_one_is_the_probe() {
    let world = World::default().with("sinks.out", Faults::none().delayed(Duration::from_secs(2)));
    let pipeline = open(&world).await;
    run(&pipeline, events(0, "ppp")).await;
    tokio::time::advance(LONG).await;
    let reports = futures_util::future::join_all((0..5).map(|n| run(&pipeline, events(n * 10, "gg")))).await;
    let ends: Vec<String> = reports.iter().map(ends).collect();
    assert_eq!(ends, ["aa", "hh", "hh", "hh", "hh"]);
    assert_eq!(acted(&world).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_on_its_way_leaves_the_turn_to_another() {
    let world = World::default().with("sinks.out", Faults::none().delayed(Duration::from_secs(2)));
    let pipeline = open(&world).await;
    run(&pipeline, events(0, "ppp")).await;
    tokio::time::advance(LONG).await;
    let dropped = tokio::time::timeout(Duration::from_secs(1), run(&pipeline, events(3, "gg"))).await;
    assert!(dropped.is_err());
    tokio::time::advance(LONG).await;
    assert_eq!(ends(&run(&pipeline, events(3, "gg")).await), "aa");
}

#[tokio::test(start_paused = true)]
async fn what_a_sink_refuses_counts_and_is_held_beyond_the_share() {
    let refuse = |ids: &'static [&str]| {
        let bodies: Vec<String> = ids.iter().map(|id| json!({ "id": id }).to_string()).collect();
        Faults::plan(move |attempt| bodies.iter().any(|body| body.as_bytes() == attempt.body).then_some(Fault::Poison))
    };
    let world = World::default().with("sinks.out", refuse(&["e000", "e002", "e004"]));
    let pipeline = open(&world).await;
    let report = run(&pipeline, events(0, "ggggggg")).await;
    assert_eq!(
        ends(&report),
        "dadahar",
        "what stands behind it in its group is asked for again, as behind a failed send"
    );
    assert_eq!(dead(&world), ["e000", "e002"]);
    assert!(matches!(report.breaker.as_slice(), [BreakerChange::Tripped { most: Code::SEND_REFUSED, .. }]));

    // A probe that looks good until its actions are refused does not close it.
    tokio::time::advance(LONG).await;
    let probe = run(&pipeline, report.retries()).await;
    assert_eq!((ends(&probe).as_str(), probe.breaker.len()), ("da", 0), "one of them gets through");
    assert_eq!(dead(&world).len(), 3);
    assert_eq!(ends(&run(&pipeline, events(7, "g")).await), "h");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_tried_again_counts_once_when_it_is_decided() {
    let mut dead_letters = Faults::first(3, Fault::Before);
    for over in [false, true] {
        if over {
            dead_letters = Faults::none();
        }
        let world = World::default().with("sinks.dead", dead_letters.clone());
        let pipeline = open(&world).await;
        for _ in 0..if over { 2 } else { 4 } {
            // Too little time for the core to try again itself: each of the first three ends as retry.
            let report = pipeline.run(events(0, "p"), Deadline::after(Duration::from_millis(10))).await;
            assert_eq!(report.held(), 0);
        }
        let report = run(&pipeline, events(1, "pp")).await;
        assert_eq!(ends(&report), if over { "hh" } else { "dh" });
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_held_as_a_whole() {
    let world = World::default();
    let pipeline = world.open(&small().replace("event:\n", "event:\n  format: jsonl\n")).await.unwrap();
    let good = |id: &str| json!({ "id": id, "x": 0.9 }).to_string();
    let body = |id, lines: &[&str]| Event::new(id, lines.join("\n")).into();
    let inputs: Vec<Decoded> = vec![
        body("1", &[&good("a"), "{", &good("b")]),
        body("2", &[&good("c"), "{", "{", &good("d")]),
        body("3", &[&good("e")]),
    ];
    let report = run(&pipeline, inputs).await;
    assert_eq!(ends(&report), "adahhhhh", "nothing of the body that trips it is done");
    assert_eq!(report.dispositions(), [Disposition::DeadLettered, Disposition::Retry, Disposition::Retry]);
    assert_eq!(acted(&world), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_up_does_not_concern_it() {
    let world = World::default();
    let pipeline = open(&world).await;
    let deadline = || Deadline::after(Duration::from_secs(10));
    let stubbed = pipeline.run_with(events(0, "pppppp"), deadline(), fourstroke::pipeline::Stubs::default()).await;
    assert_eq!((stubbed.count(Disposition::DeadLettered), stubbed.breaker.len()), (6, 0));
    assert_eq!(ends(&run(&pipeline, events(0, "gpgp")).await), "adad");
}

/// One disposition each, nothing behind a retry done in its group, and what is done was sent and written, once.
fn holds(report: &Report, events: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(report.decisions.len(), events);
    let mut behind: HashMap<_, bool> = HashMap::new();
    for (place, decision) in report.decisions.iter().enumerate() {
        prop_assert_eq!(decision.input, place);
        let retry = decision.disposition == Disposition::Retry;
        let held = behind.entry(report.inputs[place].event().group.clone()).or_default();
        prop_assert!(retry || !*held, "something behind a retry is done: {}", ends(report));
        *held |= retry;
    }
    Ok(())
}

/// No ten decided events of one run in a row hold more than two dead letters.
fn bounded(report: &Report) -> Result<(), TestCaseError> {
    let decided = ends(report).replace('h', "").into_bytes();
    let dead = |last: &[u8]| last.iter().filter(|end| **end == b'd').count();
    prop_assert!(decided.windows(decided.len().clamp(1, 10)).all(|last| dead(last) <= 2), "{}", ends(report));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// A worker that asks again, and gives up poison only when the breaker lets it through: every event ends once, in the
    /// order of its group, and unless it trips no ten events in a row hold more than two dead letters.
    #[test]
    fn every_event_is_accounted_for(batches in prop::collection::vec("[ggggg\\-p]{1,20}|p{1,8}", 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::default();
            let pipeline = open(&world).await;
            let (mut from, mut left, mut changes) = (0, 0, Vec::new());
            let mut decided = String::new();
            for kinds in &batches {
                let mut report = run(&pipeline, events(from, kinds)).await;
                holds(&report, kinds.len())?;
                bounded(&report)?;
                for _ in 0..4 {
                    let retries = report.retries();
                    if retries.is_empty() {
                        break;
                    }
                    tokio::time::advance(LONG).await;
                    let again = run(&pipeline, retries).await;
                    holds(&again, again.inputs.len())?;
                    bounded(&again)?;
                    report.absorb(again);
                    holds(&report, kinds.len())?;
                }
                let ends = ends(&report);
                for (kind, end) in kinds.chars().zip(ends.chars()) {
                    prop_assert!(end == 'h' || (kind, end) == ('g', 'a') || (kind, end) == ('p', 'd') || (kind, end) == ('-', 'n'));
                }
                prop_assert!(ends.trim_end_matches('h').find('h').is_none(), "all behind the cut are held: {}", ends);
                decided.extend(ends.chars().filter(|end| *end != 'h'));
                left += report.held();
                changes.append(&mut report.breaker);
                from += kinds.len();
            }
            let count = |ends: &str, kind| ends.matches(kind).count();
            prop_assert_eq!(decided.len() + left, from);
            prop_assert_eq!((acted(&world).len(), dead(&world).len()), (count(&decided, 'a'), count(&decided, 'd')));
            prop_assert_eq!(acted(&world).iter().collect::<BTreeSet<_>>().len(), count(&decided, 'a'), "nothing acted twice");
            // It trips and closes in turn.
            let tripped: Vec<bool> = changes.iter().map(|change| matches!(change, BreakerChange::Tripped { .. })).collect();
            prop_assert!(tripped.iter().enumerate().all(|(place, tripped)| *tripped == (place % 2 == 0)), "{:?}", tripped);
            if changes.is_empty() {
                let ends = decided.as_bytes();
                prop_assert!(ends.windows(10).all(|last| last.iter().filter(|end| **end == b'd').count() <= 2), "{}", decided);
            }
            Ok(())
        })?;
    }
}
