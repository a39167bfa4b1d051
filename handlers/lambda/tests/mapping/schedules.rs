//! Thousands of random schedules: none loses an event.
//!
//! `MAPPING_SCHEDULES` says how many, `MAPPING_SEED` which is the first: one alone, if nothing else is said.

use std::{
    env,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    account::Counts,
    drive::drive,
    schedule::{World, draw},
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
  fields: { id: string, amount: float, once: boolean, account: "string?" }
enrich:
  customer: { from: customers, key: [.account], timeout: 400ms, missing: "null" }
act:
  match: first
  rules:
    - { name: once, when: .once && .amount >= 10.0, to: out, key: "%key", once: state, data: '{ "id": .id }' }
    - { name: each, when: .amount >= 10.0, to: out, key: "%key", data: '{ "id": .id }' }
log: { to: log }
on_error: { to: dead }
"#;

/// On DynamoDB: who is killed leaves leases behind, and everything that runs beside it waits for them.
const ENVIRONMENTS: usize = 8;
const KILLS: usize = 3;

/// As much is said of what is wrong, in bytes.
const ENOUGH: usize = 10_000;

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

#[test]
fn in_a_process_that_is_never_killed() {
    let receiver = Arc::new(Receiver::start());
    let environment = Environment::start(&receiver, PIPELINE, 32, 0, None);
    let counts = run(World::Memory, &[environment], 32, seeds(1_400));
    println!("{counts}");
}

#[test]
fn in_processes_that_are_killed() {
    let receiver = Arc::new(Receiver::start());
    let environments: Vec<_> = (0..4).map(|_| Environment::start(&receiver, PIPELINE, 32, usize::MAX, None)).collect();
    let counts = run(World::Killed, &environments, 32, seeds(400));
    println!("{counts}");
}

#[test]
fn with_dynamodb() {
    let Some(dynamodb) = fourstroke_localstack::dynamodb::start() else { return };
    let (receiver, table) = (Arc::new(Receiver::start()), table(&dynamodb));
    let environments: Vec<_> =
        (0..ENVIRONMENTS).map(|_| Environment::start(&receiver, PIPELINE, 32, KILLS, Some(table))).collect();
    let counts = run(World::DynamoDb, &environments, 64, seeds(200));
    println!("{counts}");
}
