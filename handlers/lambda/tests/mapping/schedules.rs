//! Thousands of random schedules: none loses an event.
//!
//! `MAPPING_SCHEDULES` says how many a test has, `MAPPING_SEED` which is the first: one alone, if nothing else is said. A schedule is the
//! same for the same seed. How it goes on depends a little on the machine too: the handler's deadlines are of the clock on the wall.

use std::{
    env,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    account::Counts,
    drive::drive,
    schedule::{Fault, Port, World, draw},
    world::{Environment, Receiver, table},
};

/// Acts on every order of at least 10, once if it says so; looks its customer up if it names one.
pub const PIPELINE: &str = r#"
fourstroke: v1
name: orders
stores:
  customers: { url: "${RECEIVER}/customers/{id}", key: [id], fields: { level: integer }, timeout: 300ms }
  state: { url: "${STATE:-memory:}", ephemeral: true }
sinks:
  out:  { url: "${RECEIVER}/out", timeout: 300ms }
  log:  { url: "${RECEIVER}/log", timeout: 300ms }
  dead: { url: "${RECEIVER}/dead", timeout: 300ms }
event:
  fields: { id: string, of: string, amount: float, once: boolean, account: "string?" }
enrich:
  earlier: { window: { in: state, by: [.of], over: [1h], give: [count] } }
  customer: { from: customers, key: [.account], timeout: 400ms, missing: "null" }
act:
  match: first
  rules:
    - { name: once, when: .once && .amount >= 10.0, to: out, key: "%key", once: state, data: '{ "id": .id }' }
    - { name: each, when: .amount >= 10.0, to: out, key: "%key", data: '{ "id": .id, "earlier": .earlier.count_1h }' }
log: { to: log }
on_error: { to: dead }
"#;

/// How many schedules each test has.
const IN_MEMORY: u64 = 1_400;
const KILLED: u64 = 280;
const ONE_AT_A_TIME: u64 = 200;
const ON_DYNAMODB: u64 = 150;

/// As much is said of what is wrong, in bytes.
const ENOUGH: usize = 10_000;

/// How long the handler waits for an answer, or a little less where it gives all of its time.
pub const PATIENCE: Duration = Duration::from_millis(240);

/// Which seeds.
fn seeds(most: u64) -> std::ops::Range<u64> {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let first = number("MAPPING_SEED");
    let count = number("MAPPING_SCHEDULES").unwrap_or(if first.is_some() { 1 } else { most });
    let first = first.unwrap_or(0);
    first..first + count
}

/// Runs schedules, so many at the same time; gives what there was, and fails with what is wrong.
fn run(world: World, environments: &[Arc<Environment>], at_once: usize, seeds: std::ops::Range<u64>) -> Counts {
    let (next, counts) = (AtomicU64::new(seeds.start), Mutex::new(Counts::default()));
    let wrong = Mutex::new(String::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end || wrong.lock().unwrap().len() > ENOUGH {
                        return;
                    }
                    let account = drive(draw(seed, world), environments, None);
                    *counts.lock().unwrap() += account.counts;
                    for (so, what) in account.wrong {
                        writeln!(wrong.lock().unwrap(), "{world:?}, MAPPING_SEED={seed}: {so:?}: {what}").unwrap();
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong}");
    counts.into_inner().unwrap()
}

/// Requires that all of this happened, and so often that a check was in force: schedules in which nothing goes wrong show nothing, nor do
/// those in which everything is excused.
fn happened(counts: &Counts, what: impl IntoIterator<Item = String>, held: &[(&str, usize)]) {
    println!("{counts}");
    // Some schedules by hand are not all of them.
    if env::var_os("MAPPING_SEED").is_none() && env::var_os("MAPPING_SCHEDULES").is_none() {
        let never: Vec<String> = what.into_iter().filter(|what| counts.of(what) == 0).collect();
        assert!(never.is_empty(), "it never happened: {never:?}");
        let seldom: Vec<_> = held.iter().filter(|(what, least)| counts.of(what) < *least).collect();
        assert!(seldom.is_empty(), "it happened too seldom: {seldom:?}");
    }
}

/// What happens wherever schedules run.
const EVERYWHERE: [&str; 10] = [
    "actions that came again",
    "batches given up: RetryAttemptsExhausted { function_error: true }",
    "events that acted",
    "events that are in an on-failure record alone",
    "events that passed",
    "events that were dead-lettered",
    "invocations that asked for records again",
    "invocations that failed",
    "invocations throttled",
    "shards with new pollers",
];
const ONCE: &str = "actions to be done once that came again under their key";
const CRASHED: &str = "invocations in a process that was ended";
const THAWED: &str = "invocations of a process that stood still before";

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

fn faults<'a>(ports: &'a [Port], faults: &'a [Fault]) -> impl Iterator<Item = String> + 'a {
    ports.iter().flat_map(move |port| faults.iter().map(move |fault| format!("faults: {port:?} {fault:?}")))
}

const SERVICES: [Port; 4] = [Port::Out, Port::Log, Port::Dead, Port::Lookup];

#[test]
fn in_a_process_that_is_never_killed() {
    let receiver = Arc::new(Receiver::start());
    let environment = Environment::start(&receiver, PIPELINE, Some(32), 0, None);
    let counts = run(World::Memory, &[environment], 32, seeds(IN_MEMORY));
    let more = [
        "batches given up: RetryAttemptsExhausted { function_error: false }",
        "batches given up: RecordAgeExceeded",
        "batches cut by their payload",
        "invocations given up while they went on",
        ONCE,
    ];
    let all = texts(&EVERYWHERE).into_iter().chain(texts(&more)).chain(faults(&SERVICES, &Fault::ANSWERS));
    let held = [
        (Counts::HELD_INVOCATIONS, 1_500),
        (Counts::HELD_ONCE, 100),
        (Counts::HELD_ENDS, 150),
        (Counts::HELD_ENTRIES, 3_000),
    ];
    happened(&counts, all, &held);
}

#[test]
fn in_processes_that_are_killed() {
    let receiver = Arc::new(Receiver::start());
    let environments: Vec<_> =
        (0..8).map(|_| Environment::start(&receiver, PIPELINE, Some(32), usize::MAX, None)).collect();
    let counts = run(World::Killed, &environments, 64, seeds(KILLED));
    let all = texts(&EVERYWHERE).into_iter().chain(texts(&[CRASHED])).chain(faults(&SERVICES, &Fault::ENDS));
    let held = [(Counts::HELD_INVOCATIONS, 200), (Counts::HELD_ENDS, 5), (Counts::HELD_ENTRIES, 400)];
    happened(&counts, all, &held);
}

#[test]
fn in_processes_that_stand_still_between_invocations() {
    let receiver = Arc::new(Receiver::start());
    let environments: Vec<_> =
        (0..8).map(|_| Environment::start(&receiver, PIPELINE, None, usize::MAX, None)).collect();
    let mut counts = run(World::OneAtATime, &environments, 32, seeds(ONE_AT_A_TIME));
    counts.add(THAWED, environments.iter().map(|environment| environment.thaws()).sum());
    let all = texts(&EVERYWHERE).into_iter().chain(texts(&[CRASHED])).chain(faults(&SERVICES, &Fault::ENDS));
    let held = [(Counts::HELD_INVOCATIONS, 200), (Counts::HELD_ENDS, 5), (Counts::HELD_ENTRIES, 400), (THAWED, 500)];
    happened(&counts, all, &held);
}

#[test]
fn on_dynamodb() {
    // Who is killed leaves leases behind, and what they are of waits for them: it is killed so often at most.
    const KILLS: usize = 5;
    let Some(dynamodb) = fourstroke_localstack::dynamodb::start() else { return };
    let (receiver, table) = (Arc::new(Receiver::start()), table(&dynamodb));
    let environments: Vec<_> =
        (0..8).map(|_| Environment::start(&receiver, PIPELINE, Some(32), KILLS, Some(table))).collect();
    let counts = run(World::DynamoDb, &environments, 32, seeds(ON_DYNAMODB));
    let of_the_table = faults(&[Port::Store], &Fault::OF_TABLES).chain(faults(&[Port::Store], &[Fault::KillAfter]));
    let all = texts(&EVERYWHERE).into_iter().chain(texts(&[CRASHED, ONCE])).chain(of_the_table);
    let held =
        [(Counts::HELD_INVOCATIONS, 60), (Counts::HELD_ONCE, 2), (Counts::HELD_ENDS, 15), (Counts::HELD_ENTRIES, 100)];
    happened(&counts, all, &held);
}
