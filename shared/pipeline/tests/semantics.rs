//! What holds for every batch, whatever fails: one disposition each, order per key, nothing done behind a retry of its
//! group, groups apart, nothing lost.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{World, bodies, event, run};
use fourstroke::{
    event::{Decoded, Event},
    report::{Disposition, Report},
    testkit::faults::{Fault, Faults},
};
use proptest::prelude::*;

/// What goes wrong with one event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Nothing,
    NothingToDo,
    BadJson,
    BadField,
    Undecodable,
    LookupFailsOnce,
    LookupFails,
    ModelRefuses,
    SendFailsOnce(Fault),
    SendFails(Fault),
}

impl Trouble {
    fn is_poison(self) -> bool {
        use Trouble::*;
        matches!(self, BadJson | BadField | Undecodable | ModelRefuses | SendFails(Fault::Poison))
    }

    /// Asked for again because of itself, not of others.
    fn is_retry(self) -> bool {
        use Trouble::*;
        matches!(self, LookupFails | SendFails(Fault::Before | Fault::After | Fault::Fatal))
    }
}

#[derive(Clone, Debug)]
struct Case {
    trouble: Trouble,
    group: Option<u8>,
    key: Option<u8>,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    use Trouble::*;
    prop_oneof![
        12 => Just(Nothing),
        3 => Just(NothingToDo),
        2 => Just(BadJson),
        1 => Just(BadField),
        1 => Just(Undecodable),
        1 => Just(LookupFailsOnce),
        1 => Just(LookupFails),
        1 => Just(ModelRefuses),
        1 => prop_oneof![Just(SendFailsOnce(Fault::Before)), Just(SendFailsOnce(Fault::After))],
        1 => prop_oneof![Just(Fault::Before), Just(Fault::After), Just(Fault::Poison), Just(Fault::Fatal)].prop_map(SendFails),
    ]
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let case = (trouble(), proptest::option::weighted(0.7, 0u8..3), proptest::option::weighted(0.7, 0u8..4));
    proptest::collection::vec(case.prop_map(|(trouble, group, key)| Case { trouble, group, key }), 1..60)
}

fn id(place: usize) -> String {
    format!("e{place:03}")
}

/// An event of group g has a key of that group, as streams are partitioned by key.
fn input(place: usize, case: &Case) -> Decoded {
    let id = id(place);
    let key = case.key.map(|key| format!("{key}-{:?}", case.group));
    let x = match case.trouble {
        Trouble::NothingToDo => 0.1,
        Trouble::ModelRefuses => 13.0,
        _ => 0.9,
    };
    let body = match case.trouble {
        Trouble::BadJson => format!("{{\"id\": \"{id}\", "),
        Trouble::BadField => format!("{{\"id\": \"{id}\", \"x\": \"much\"}}"),
        _ => serde_json::json!({ "id": id, "k": key, "x": x }).to_string(),
    };
    let mut event = Event::new(format!("position/{place}"), body);
    event.group = case.group.map(|group| format!("shard-{group}").into());
    match case.trouble {
        Trouble::Undecodable => Decoded::Undecodable { event, reason: "the checksum is wrong".to_owned() },
        _ => event.into(),
    }
}

/// A world where these events have their troubles; `over` ends them all.
fn world(cases: &[Case], over: bool) -> World {
    let troubles: HashMap<String, Trouble> =
        cases.iter().enumerate().map(|(place, case)| (id(place), case.trouble)).collect();
    let of = troubles.clone();
    let lookups = Faults::plan(move |attempt| match of.get(attempt.key)? {
        Trouble::LookupFailsOnce if attempt.nth == 1 => Some(Fault::Before),
        Trouble::LookupFails if !over => Some(Fault::Before),
        _ => None,
    });
    let sends = Faults::plan(move |attempt| {
        let body: serde_json::Value = serde_json::from_slice(attempt.body).ok()?;
        match troubles.get(body["id"].as_str()?)? {
            Trouble::SendFailsOnce(fault) if attempt.nth == 1 => Some(*fault),
            Trouble::SendFails(fault) if !over || *fault == Fault::Poison => Some(*fault),
            _ => None,
        }
    });
    World::default().with("stores.table", lookups).with("sinks.out", sends)
}

fn in_paused_time<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}

/// Everything one batch must hold, whatever happened.
fn holds(cases: &[Case], report: &Report, world: &World) {
    // One disposition per event, in order.
    assert_eq!(report.decisions.len(), cases.len());
    assert!(report.decisions.iter().enumerate().all(|(place, decision)| decision.input == place));
    let dispositions = report.dispositions();

    // Nothing behind a retry in its group is reported done; groups do not hold each other.
    let mut held = HashSet::new();
    for (place, case) in cases.iter().enumerate() {
        let behind = case.group.is_some_and(|group| held.contains(&group));
        let disposition = dispositions[place];
        // What is fatal ends the repetitions for everything else too.
        let fatal = report.fatal.is_some();
        // A send of its key that failed before it holds it back.
        let blocked = cases[..place].iter().any(|earlier| {
            earlier.key.is_some()
                && (earlier.key, earlier.group) == (case.key, case.group)
                && matches!(earlier.trouble, Trouble::SendFails(fault) if fault != Fault::Poison)
        });
        let waits = blocked || fatal;
        if behind {
            assert_eq!(disposition, Disposition::Retry, "{} stands behind a retry of its group", id(place));
        } else if case.trouble.is_retry() {
            assert_eq!(disposition, Disposition::Retry, "{} {case:?}", id(place));
        } else if case.trouble.is_poison() && !(waits && case.trouble == Trouble::SendFails(Fault::Poison)) {
            assert_eq!(disposition, Disposition::DeadLettered, "{} {case:?}", id(place));
        } else if case.trouble == Trouble::NothingToDo {
            assert_eq!(disposition, Disposition::Passed, "{} {case:?}", id(place));
        }
        // What is fatal ends the repetitions for everything else too.
        if report.fatal.is_none()
            && !behind
            && !blocked
            && matches!(case.trouble, Trouble::Nothing | Trouble::SendFailsOnce(_))
        {
            assert_eq!(disposition, Disposition::Acted, "{} {case:?}", id(place));
        }
        if disposition == Disposition::Retry {
            held.extend(case.group);
        }
    }

    // Acted means the sink has it; dead-lettered means its exact bytes are there.
    let sent: BTreeSet<String> =
        bodies(&world.out).iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect();
    let dead: HashMap<String, Vec<u8>> = bodies(&world.dead)
        .iter()
        .map(|letter| {
            assert!(
                letter["code"].as_str().unwrap().starts_with("FS-") && !letter["reason"].as_str().unwrap().is_empty()
            );
            (
                letter["id"].as_str().unwrap().to_owned(),
                STANDARD.decode(letter["body_base64"].as_str().unwrap()).unwrap(),
            )
        })
        .collect();
    for (place, decision) in report.decisions.iter().enumerate() {
        match decision.disposition {
            Disposition::Acted => assert!(sent.contains(&id(place)), "{} acted, but the sink has nothing", id(place)),
            Disposition::DeadLettered => {
                let facts = decision.record.facts();
                assert_eq!(dead.get(&*facts.id), Some(&report.inputs[place].event().body.to_vec()), "{}", id(place));
            }
            _ => {}
        }
    }

    // The log has an entry for every event that ended.
    let ended = dispositions.iter().filter(|disposition| **disposition != Disposition::Retry).count();
    assert_eq!(bodies(&world.log).len(), ended);
}

/// The order in which a sink first took the actions of each key.
fn first_taken(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in world.out.taken() {
        let body: serde_json::Value = serde_json::from_slice(&item.body).unwrap();
        let (Some(key), Some(id)) = (item.key, body["id"].as_str()) else { continue };
        let taken = order.entry(key.to_string()).or_default();
        if !taken.iter().any(|taken| taken == id) {
            taken.push(id.to_owned());
        }
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_batch_keeps_its_promises(cases in cases()) {
        in_paused_time(async {
            let world = world(&cases, false);
            let pipeline = world.pipeline().await;
            let inputs = cases.iter().enumerate().map(|(place, case)| input(place, case)).collect();
            let report = run(&pipeline, inputs).await;
            holds(&cases, &report, &world);
            let fatal = cases.iter().any(|case| case.trouble == Trouble::SendFails(Fault::Fatal));
            prop_assert!(fatal || report.fatal.is_none());

            // What the platform hears: from each group the first to replay, and every event that stands alone.
            let mut seen = HashSet::new();
            let expected: Vec<usize> = report.dispositions().iter().enumerate()
                .filter(|(_, disposition)| **disposition == Disposition::Retry)
                .filter(|(place, _)| cases[*place].group.is_none_or(|group| seen.insert(group)))
                .map(|(place, _)| place)
                .collect();
            let heard: Vec<usize> = report.replay_from().iter()
                .map(|event| event.id.strip_prefix("position/").unwrap().parse().unwrap())
                .collect();
            prop_assert_eq!(heard, expected);
            Ok(())
        })?;
    }

    /// A platform that delivers again what it is asked for ends with every event acted on, passed or dead-lettered,
    /// and the actions of each key in the order of the events.
    #[test]
    fn nothing_is_lost_over_redeliveries(cases in cases()) {
        in_paused_time(async {
            let first = world(&cases, false);
            let report = run(&first.pipeline().await, cases.iter().enumerate().map(|(place, case)| input(place, case)).collect()).await;
            // The trouble is over; the same sinks go on.
            let second = World { faults: world(&cases, true).faults, ..first.clone() };
            let again = report.retries();
            let expected = again.len();
            let report = if again.is_empty() { report } else { run(&second.pipeline().await, again).await };
            prop_assert!(expected == 0 || report.inputs.len() == expected);
            prop_assert!(report.retries().is_empty(), "nothing is left to be asked for again");

            let letters = bodies(&first.dead);
            let logged: HashMap<String, String> = bodies(&first.log).iter()
                .map(|entry| (entry["event_id"].as_str().unwrap().to_owned(), entry["disposition"].as_str().unwrap().to_owned()))
                .collect();
            let sent: HashSet<String> = bodies(&first.out).iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect();
            for (place, case) in cases.iter().enumerate() {
                // What cannot be decoded has the platform's id.
                let known = logged.get(&id(place)).or(logged.get(&format!("position/{place}")));
                let disposition = known.map(String::as_str);
                prop_assert_eq!(disposition, Some(match case.trouble {
                    trouble if trouble.is_poison() => "dead-lettered",
                    Trouble::NothingToDo => "passed",
                    _ => "acted",
                }), "{} {:?}", id(place), case);
                if disposition == Some("acted") {
                    prop_assert!(sent.contains(&id(place)));
                } else if case.trouble.is_poison() {
                    let body = STANDARD.encode(&input(place, case).event().body);
                    prop_assert!(letters.iter().any(|letter| letter["body_base64"] == body.as_str()));
                }
            }
            // Within a group; events without one stand alone.
            for (key, taken) in first_taken(&first).into_iter().filter(|(key, _)| key.contains("Some")) {
                let mut sorted = taken.clone();
                sorted.sort();
                prop_assert_eq!(taken, sorted, "the order of {}", key);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_written_holds_its_group_before_anything_acts() {
    let world = World::default().with("sinks.dead", Faults::plan(|_| Some(Fault::Before)));
    let pipeline = world.pipeline().await;
    let in_shard = |id: &str, body: &str| Decoded::from(Event::new(id.to_owned(), body.to_owned()).in_group("s"));
    let good = r#"{"id": "a", "x": 0.9}"#;
    let after = r#"{"id": "b", "x": 0.9}"#;
    let report = run(&pipeline, vec![in_shard("1", good), in_shard("2", "{"), in_shard("3", after)]).await;
    assert_eq!(report.dispositions(), [Disposition::Acted, Disposition::Retry, Disposition::Retry]);
    assert_eq!(bodies(&world.out).len(), 1, "what stands behind has not acted");
    assert_eq!(report.decisions[1].error.as_ref().unwrap().code.as_str(), "FS-L001");
    assert_eq!(report.decisions[2].error.as_ref().unwrap().code.as_str(), "FS-B001");
}

#[tokio::test(start_paused = true)]
async fn past_the_deadline_nothing_is_started() {
    use fourstroke::clock::Deadline;
    let world = World::default();
    let pipeline = world.pipeline().await;
    let events = vec![event("1", serde_json::json!({ "id": "a", "x": 0.9 }))];
    let report = pipeline.run(events, Deadline::after(std::time::Duration::ZERO)).await;
    assert_eq!(report.dispositions(), [Disposition::Retry]);
    assert!(bodies(&world.out).is_empty() && bodies(&world.log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_written_changes_no_disposition_and_loses_no_entry() {
    let world = World::default().with("sinks.log", Faults::plan(|_| Some(Fault::Before)));
    let pipeline = world.pipeline().await;
    let report = run(&pipeline, common::acting(3)).await;
    assert_eq!(report.count(Disposition::Acted), 3);
    assert_eq!((report.log_diverted, report.log_lost), (3, 0));
    for letter in bodies(&world.dead) {
        assert_eq!((letter["stage"].as_str(), letter["code"].as_str()), (Some("log"), Some("FS-L002")));
        let entry = STANDARD.decode(letter["body_base64"].as_str().unwrap()).unwrap();
        let entry: serde_json::Value = serde_json::from_slice(&entry).unwrap();
        assert_eq!(entry["disposition"], "acted");
    }
}

#[tokio::test(start_paused = true)]
async fn the_events_of_one_body_share_its_fate() {
    let yaml = common::PIPELINE.replace("event:\n", "event:\n  format: jsonl\n");
    let body = [r#"{"id": "a", "x": 0.9}"#, r#"{"id": "b", "x": 0.9}"#, r#"{"id": "c", "x": 0.9}"#].join("\n");
    let inputs = || vec![Event::new("1", body.clone()).into(), event("2", serde_json::json!({ "id": "d", "x": 0.9 }))];

    // Known before anything acts: none of them does.
    let lookup = Faults::plan(|attempt| (attempt.key == "b").then_some(Fault::Before));
    let world = World::default().with("stores.table", lookup);
    let report = run(&world.open(&yaml).await.unwrap(), inputs()).await;
    assert_eq!(report.dispositions(), [Disposition::Retry, Disposition::Acted]);
    assert_eq!(report.count(Disposition::Retry), 3);
    assert_eq!(bodies(&world.out), [serde_json::json!({ "id": "d" })]);

    // Known only when a send failed: all of them are asked for again, and logged when they are through.
    let send = Faults::plan(|attempt| (attempt.body == br#"{"id":"b"}"#.as_slice()).then_some(Fault::Before));
    let world = World::default().with("sinks.out", send);
    let report = run(&world.open(&yaml).await.unwrap(), inputs()).await;
    assert_eq!(report.dispositions(), [Disposition::Retry, Disposition::Acted]);
    assert_eq!((report.retries().len(), bodies(&world.log).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_events_of_one_bundle_share_its_fate() {
    let bundled = |id: &str, bundle: Option<&str>| {
        let mut event = Event::new(id.to_owned(), serde_json::json!({ "id": id, "x": 0.9 }).to_string()).in_group("s");
        event.bundle = bundle.map(Into::into);
        Decoded::from(event)
    };
    let inputs = || {
        let first = [bundled("a", None), bundled("b", Some("1")), bundled("c", Some("1"))];
        first.into_iter().chain([bundled("d", Some("1")), bundled("e", None)]).collect::<Vec<_>>()
    };
    let held = [Disposition::Acted, Disposition::Retry, Disposition::Retry, Disposition::Retry, Disposition::Retry];

    // Known before anything acts: none of the bundle does, and nothing behind it.
    let lookup = Faults::plan(|attempt| (attempt.key == "c").then_some(Fault::Before));
    let world = World::default().with("stores.table", lookup);
    let report = run(&world.pipeline().await, inputs()).await;
    assert_eq!(report.dispositions(), held);
    assert_eq!(bodies(&world.out), [serde_json::json!({ "id": "a" })]);
    assert_eq!(report.decisions[1].error.as_ref().unwrap().code.as_str(), "FS-B001");
    let from: Vec<&str> = report.replay_from().iter().map(|event| &*event.id).collect();
    assert_eq!(from, ["b"], "the bundle's first event is where the group is replayed from");

    // Known only when a send failed: all of the bundle is asked for again, what was sent too.
    let send = Faults::plan(|attempt| (attempt.body == br#"{"id":"d"}"#.as_slice()).then_some(Fault::Before));
    let world = World::default().with("sinks.out", send);
    let report = run(&world.pipeline().await, inputs()).await;
    assert_eq!(report.dispositions(), held);
    assert_eq!((report.retries().len(), bodies(&world.log).len()), (4, 1));

    // What ends for good harms no other event of its bundle.
    let send = Faults::plan(|attempt| (attempt.body == br#"{"id":"c"}"#.as_slice()).then_some(Fault::Poison));
    let world = World::default().with("sinks.out", send);
    let report = run(&world.pipeline().await, inputs()).await;
    let ended: Vec<Disposition> = report.dispositions();
    assert_eq!((ended[1], ended[2], ended[3]), (Disposition::Acted, Disposition::DeadLettered, Disposition::Acted));
}
