//! The account finds what is wrong: each way to break mapping, handler or pipeline is found within some schedules, by its name.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    account::{Account, Wrong},
    drive::{Lie, drive},
    model::{Destination, Mapping, Stream},
    schedule::{Fault, Port, Schedule, Trouble, World, draw},
    schedules::PIPELINE,
    world::{Environment, Receiver, Said, Seen, Track, table},
};

/// How many schedules may go by before it must be found.
const WITHIN: u64 = 300;
const AT_ONCE: usize = 16;

/// Requires that this is found in a process that is never killed.
fn finds(wrong: Wrong, pipeline: &str, change: impl Fn(&mut Schedule) + Sync, lie: Option<Lie>) {
    let receiver = Arc::new(Receiver::start());
    let environments = [Environment::start(&receiver, pipeline, Some(AT_ONCE), 0, None)];
    finds_in(World::Memory, &environments, wrong, change, lie);
}

/// Requires that this is found.
fn finds_in(
    world: World,
    environments: &[Arc<Environment>],
    wrong: Wrong,
    change: impl Fn(&mut Schedule) + Sync,
    lie: Option<Lie>,
) {
    let (next, found) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !found.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= WITHIN {
                        return;
                    }
                    let mut schedule = draw(seed, world);
                    change(&mut schedule);
                    let account = drive(schedule, environments, lie);
                    if account.wrong.iter().any(|(so, _)| *so == wrong) {
                        found.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!(found.load(Ordering::SeqCst), "{wrong:?} is not found in {WITHIN} schedules");
}

fn as_it_is(_: &mut Schedule) {}

#[test]
fn a_mapping_that_does_not_report_batch_item_failures() {
    finds(Wrong::NotDone, PIPELINE, |schedule| schedule.settings.report_batch_item_failures = false, None);
}

#[test]
fn an_answer_that_says_all_is_well() {
    finds(Wrong::NotDone, PIPELINE, as_it_is, Some(|_| json!({ "batchItemFailures": [] })));
}

#[test]
fn an_answer_that_asks_for_everything_again() {
    let change = |schedule: &mut Schedule| {
        schedule.settings.maximum_retry_attempts = Some(0);
        schedule.settings.on_failure = Some(Destination::S3);
    };
    let lie: Lie = |_| json!({ "batchItemFailures": [{ "itemIdentifier": "" }] });
    finds(Wrong::AskedAgain, PIPELINE, change, Some(lie));
}

#[test]
fn an_answer_that_asks_for_what_has_ended() {
    let change = |schedule: &mut Schedule| {
        schedule.settings.maximum_retry_attempts = Some(0);
        schedule.settings.on_failure = Some(Destination::S3);
    };
    let lie: Lie = |places| json!({ "batchItemFailures": [{ "itemIdentifier": Stream::sequence_number(places[0]) }] });
    finds(Wrong::Ended, PIPELINE, change, Some(lie));
}

#[test]
fn an_answer_that_names_a_record_of_another_batch() {
    let change = |schedule: &mut Schedule| {
        schedule.settings.maximum_retry_attempts = Some(0);
        schedule.settings.on_failure = Some(Destination::Sqs);
    };
    let lie: Lie = |_| json!({ "batchItemFailures": [{ "itemIdentifier": Stream::sequence_number((9, 9)) }] });
    finds(Wrong::OtherRecord, PIPELINE, change, Some(lie));
}

/// Requires that this is found of actions with these keys: of the first event or the second.
fn finds_in_keys(wrong: Wrong, actions: &[(usize, &str)]) {
    let receiver = Arc::new(Receiver::start());
    let mut seeds = (0..).map(|seed| draw(seed, World::Memory));
    let act =
        |schedule: &Schedule| schedule.events.len() > 1 && schedule.events[..2].iter().all(|event| event.kind.acts());
    let schedule = seeds.find(act).unwrap();
    let (settings, stream) = (schedule.settings.clone(), schedule.stream.clone());
    let track = Arc::new(Track::new(schedule, Box::new(|_| {})));
    let seen = |(of, key): &(usize, &str)| Seen {
        of: *of,
        key: (*key).to_owned(),
        told: true,
        runs: Vec::new(),
        said: Said::Action,
    };
    track.state().seen.extend(actions.iter().map(seen));
    let mut account = Account::new(track, receiver);
    account.close(&Mapping::new(settings, &stream));
    let of_keys = [Wrong::NoKey, Wrong::OtherKey, Wrong::SharedKey];
    let found: Vec<Wrong> = account.wrong.iter().map(|(so, _)| *so).filter(|so| of_keys.contains(so)).collect();
    assert_eq!(found, [wrong]);
}

#[test]
fn an_action_that_comes_again_under_another_key() {
    finds_in_keys(Wrong::OtherKey, &[(0, "one"), (0, "another")]);
}

#[test]
fn an_action_without_a_key() {
    finds_in_keys(Wrong::NoKey, &[(0, "")]);
}

#[test]
fn actions_of_two_events_under_one_key() {
    finds_in_keys(Wrong::SharedKey, &[(0, "one"), (1, "one")]);
}

#[test]
fn actions_that_are_of_no_event() {
    finds(
        Wrong::Nonsense,
        &PIPELINE.replace(r#"data: '{ "id": .id }'"#, r#"data: '{ "id": "another" }'"#),
        as_it_is,
        None,
    );
}

#[test]
fn a_child_shard_that_begins_before_its_parents_have_ended() {
    finds(Wrong::OutOfOrder, PIPELINE, |schedule| schedule.settings.begins_children_early = true, None);
}

#[test]
fn halving_that_loses_the_other_half() {
    let change = |schedule: &mut Schedule| {
        schedule.settings.bisect_batch_on_function_error = true;
        schedule.settings.loses_second_halves = true;
    };
    finds(Wrong::Lost, PIPELINE, change, None);
}

#[test]
fn a_bound_without_a_destination() {
    let change = |schedule: &mut Schedule| {
        schedule.settings.maximum_retry_attempts = Some(0);
        schedule.settings.on_failure = None;
    };
    finds(Wrong::Lost, PIPELINE, change, None);
}

#[test]
fn a_shard_held_for_longer_than_the_stream_keeps_records() {
    let change = |schedule: &mut Schedule| {
        schedule.stream.retention = Duration::from_secs(30);
        schedule.settings.maximum_retry_attempts = None;
        schedule.settings.maximum_record_age = None;
        let acts = schedule.events.iter().position(|event| event.kind.acts());
        let forbids = |of| Trouble { port: Port::Out, of, fault: Fault::Forbidden, times: Trouble::ALWAYS };
        schedule.troubles = acts.map(forbids).into_iter().collect();
    };
    finds(Wrong::Lost, PIPELINE, change, None);
}

#[test]
fn a_sink_without_order() {
    let pipeline = PIPELINE.replace("/out\", timeout", "/out\", order: none, timeout");
    finds(Wrong::OutOfOrder, &pipeline, as_it_is, None);
}

#[test]
fn actions_that_are_not_done_once() {
    finds(Wrong::Repeated, &PIPELINE.replace("once: state, ", ""), as_it_is, None);
}

#[test]
fn actions_that_are_not_done_once_on_dynamodb() {
    let Some(dynamodb) = fourstroke_localstack::dynamodb::start() else { return };
    let (receiver, table) = (Arc::new(Receiver::start()), table(&dynamodb));
    let pipeline = PIPELINE.replace("once: state, ", "");
    let environments = [Environment::start(&receiver, &pipeline, Some(AT_ONCE), 3, Some(table))];
    finds_in(World::DynamoDb, &environments, Wrong::Repeated, as_it_is, None);
}

#[test]
fn a_rule_that_wants_what_should_pass() {
    finds(Wrong::Misjudged, &PIPELINE.replace(">= 10.0", ">= 1.0"), as_it_is, None);
}

#[test]
fn dead_letters_with_other_bytes() {
    let change = |schedule: &mut Schedule| {
        let poison = schedule.events.iter_mut().filter(|event| event.kind.is_poison());
        poison.for_each(|event| event.body.push(b' '));
    };
    finds(Wrong::OtherBytes, PIPELINE, change, None);
}

#[test]
fn a_pipeline_without_a_log() {
    finds(Wrong::Log, &PIPELINE.replace("log: { to: log }\n", ""), as_it_is, None);
}
