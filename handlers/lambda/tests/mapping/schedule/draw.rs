//! Draws schedules: the same one for the same seed.

use std::{collections::HashMap, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{Event, Fault, Kind, Mishap, Port, Schedule, Trouble, World};
use crate::{
    model::{Destination, Record, Settings, Shard, Stream},
    packed::{packed, torn},
};

/// So many bytes more an event has where the payload's are the limit: ten of them are too many.
const PADDING: usize = 600_000;

/// Draws one.
pub fn draw(seed: u64, world: World) -> Schedule {
    let mut rng = StdRng::seed_from_u64(seed);
    let rng = &mut rng;
    let mut settings = settings(rng);
    let (stream, events) = stream(rng, seed, world);
    let bounded = settings.maximum_retry_attempts.is_some() || settings.maximum_record_age.is_some();
    let troubles = troubles(rng, world, &events, bounded);
    let mishaps = mishaps(rng);
    let mut limit = Duration::from_millis(*pick(rng, &[600, 1500, 1500, 3000]));
    if events.iter().any(|event| event.body.len() > PADDING) {
        settings.batch_size = settings.batch_size.max(10);
        settings.maximum_batching_window = Duration::from_secs(5);
        // So that a busy machine gets through a payload of 6 MB.
        limit = Duration::from_secs(10);
    }
    Schedule { seed, world, stream, settings, events, troubles, mishaps, limit }
}

fn pick<'a, T>(rng: &mut StdRng, all: &'a [T]) -> &'a T {
    &all[rng.random_range(0..all.len())]
}

fn one_in(rng: &mut StdRng, many: u32) -> bool {
    rng.random_range(0..many) == 0
}

fn settings(rng: &mut StdRng) -> Settings {
    let maximum_retry_attempts = *pick(rng, &[None, None, None, Some(0), Some(1), Some(2), Some(5)]);
    let maximum_record_age = one_in(rng, 4).then_some(Duration::from_secs(60));
    let parallelization_factor = *pick(rng, &[1, 1, 1, 2, 3, 10]);
    let destination = match *pick(rng, &[Destination::S3, Destination::S3, Destination::Sqs, Destination::Sns]) {
        // From a range of a shard nobody can tell which lane's records were meant.
        _ if parallelization_factor > 1 => Destination::S3,
        destination => destination,
    };
    let bounded = maximum_retry_attempts.is_some() || maximum_record_age.is_some();
    Settings {
        batch_size: *pick(rng, &[1, 2, 3, 5, 10, 10, 100, 10_000]),
        maximum_batching_window: Duration::from_secs(*pick(rng, &[0, 0, 1, 5])),
        parallelization_factor,
        maximum_retry_attempts,
        maximum_record_age,
        bisect_batch_on_function_error: !one_in(rng, 4),
        report_batch_item_failures: true,
        on_failure: bounded.then_some(destination),
        loses_second_halves: false,
        begins_children_early: false,
    }
}

/// What is put on the stream.
fn stream(rng: &mut StdRng, seed: u64, world: World) -> (Stream, Vec<Event>) {
    let name = Schedule::name(seed);
    let (records_per_shard, padding) = match rng.random_range(0..40) {
        // Where nothing stands still, for as long as these may take.
        0 if world == World::Memory => (12..=14, PADDING),
        1..5 => (1..=40, 0),
        _ => (1..=10, 0),
    };
    // A shard that was split has two children, and one that was merged two parents.
    let (alone, two) = (vec![vec![]], vec![vec![]; 2]);
    let (split, merged) = (vec![vec![], vec![0], vec![0]], vec![vec![], vec![], vec![0, 1]]);
    let parents: Vec<Vec<usize>> = match padding {
        0 => pick(rng, &[alone.clone(), alone.clone(), alone, two, split, merged]).clone(),
        _ => alone,
    };
    let keys = keys(rng, &name, &parents);
    let (mut shards, mut events) = (Vec::new(), Vec::new());
    let mut second = 0;
    for (shard, parents) in parents.iter().enumerate() {
        let mut records = Vec::new();
        for number in 0..rng.random_range(records_per_shard.clone()) {
            second += *pick(rng, &[0, 0, 0, 0, 1, 3]);
            let partition_key = pick(rng, &keys[shard]).clone();
            let parts = if padding == 0 && one_in(rng, 8) { rng.random_range(1..=4) } else { 0 };
            let mut event = |rng: &mut StdRng, key: &str, part: Option<usize>| {
                let kind = kind(rng, world);
                // In another one it is a body like any other.
                let kind = if part.is_some() && kind == Kind::Torn { Kind::NoJson } else { kind };
                let looks_up = !kind.is_poison() && one_in(rng, 4);
                let id = format!("{name}-e{}", events.len());
                let body =
                    if kind == Kind::Torn { torn(id.as_bytes()) } else { kind.body(&id, key, looks_up, padding) };
                events.push(Event {
                    kind,
                    place: (shard, number),
                    part,
                    key: key.to_owned(),
                    body: body.clone(),
                    looks_up,
                });
                body
            };
            let data = match parts {
                0 => event(rng, &partition_key, None),
                // Only the outer key decides which way a record goes: the others in it are of no other record.
                _ => {
                    let part = |part| {
                        let key = format!("{partition_key}{}", pick(rng, &["", "", "-a", "-b"]));
                        let body = event(rng, &key, Some(part));
                        (key, body)
                    };
                    packed(&(0..parts).map(part).collect::<Vec<(String, Vec<u8>)>>())
                }
            };
            records.push(Record { partition_key, data, arrived: Duration::from_secs(second) });
        }
        shards.push(Shard { parents: parents.clone(), records });
    }
    let retention = Duration::from_secs(7 * 86_400);
    (Stream { name, shards, retention, began_ms: 1_764_000_000_000 }, events)
}

/// The partition keys of each shard: a key is of one shard at a time, of its parents' each is one child's, and a child has one at least.
fn keys(rng: &mut StdRng, name: &str, parents: &[Vec<usize>]) -> Vec<Vec<String>> {
    let mut keys: Vec<Vec<String>> = Vec::new();
    for (shard, of) in parents.iter().enumerate() {
        let own = (0..rng.random_range(1..=6)).map(|number| format!("{name}-k{}", shard * 6 + number));
        let own: Vec<String> = if of.is_empty() { own.collect() } else { own.take(1).collect() };
        keys.push(own);
    }
    for parent in 0..parents.len() {
        let children: Vec<usize> = (0..parents.len()).filter(|shard| parents[*shard].contains(&parent)).collect();
        for key in keys[parent].clone() {
            if !children.is_empty() {
                let child = *pick(rng, &children);
                keys[child].push(key);
            }
        }
    }
    keys
}

fn kind(rng: &mut StdRng, world: World) -> Kind {
    let keeps_what_was_done = matches!(world, World::Memory | World::DynamoDb);
    let once = if keeps_what_was_done { Kind::ActOnce } else { Kind::Act };
    match rng.random_range(0..10) {
        0..3 => Kind::Act,
        3..6 => once,
        6..8 => Kind::Passes,
        _ => *pick(rng, &[Kind::NoJson, Kind::NoAmount, Kind::WrongAmount, Kind::Torn]),
    }
}

fn troubles(rng: &mut StdRng, world: World, events: &[Event], bounded: bool) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for _ in 0..*pick(rng, &[0, 0, 1, 1, 1, 2, 2, 3, 4, 6]) {
        let port = *pick(rng, &[Port::Out, Port::Out, Port::Out, Port::Log, Port::Dead, Port::Lookup, Port::Store]);
        let concerned: Vec<usize> = match port {
            Port::Out => of(events, |event| event.kind.acts()),
            Port::Log => (0..events.len()).collect(),
            Port::Dead => of(events, |event| event.kind.is_poison()),
            Port::Lookup => of(events, |event| event.looks_up),
            Port::Store if world == World::DynamoDb => of(events, |event| event.kind == Kind::ActOnce),
            Port::Store => continue,
        };
        if concerned.is_empty() {
            continue;
        }
        let of = *pick(rng, &concerned);
        let fault = fault(rng, world, port);
        let times = match fault {
            Fault::Refused => Trouble::ALWAYS,
            Fault::KillBefore | Fault::KillAfter | Fault::Stall | Fault::Abandon => 1,
            // Each takes as long as the handler waits.
            Fault::SilentBefore | Fault::SilentAfter => rng.random_range(1..=3),
            _ => match rng.random_range(0..20) {
                0 if bounded => Trouble::ALWAYS,
                0..8 => 1,
                8..14 => rng.random_range(2..=4),
                _ => rng.random_range(5..=14),
            },
        };
        // Who never takes a dead letter, for good, never lets its event end.
        if port == Port::Dead && fault == Fault::Refused && !bounded {
            continue;
        }
        troubles.push(Trouble { port, of, fault, times });
    }
    troubles
}

fn of(events: &[Event], concerns: impl Fn(&Event) -> bool) -> Vec<usize> {
    (0..events.len()).filter(|event| concerns(&events[*event])).collect()
}

fn fault(rng: &mut StdRng, world: World, port: Port) -> Fault {
    // Who stands still keeps all that runs beside it waiting.
    const ENDS: [Fault; 5] = [Fault::KillBefore, Fault::KillBefore, Fault::KillAfter, Fault::KillAfter, Fault::Stall];
    let ends = world != World::Memory && one_in(rng, 3);
    *pick(
        rng,
        match port {
            _ if ends => &ENDS[..],
            Port::Store => &Fault::OF_TABLES,
            _ => &Fault::ANSWERS,
        },
    )
}

fn mishaps(rng: &mut StdRng) -> HashMap<u64, Mishap> {
    let mut mishaps = HashMap::new();
    for _ in 0..*pick(rng, &[0, 0, 0, 1, 1, 2]) {
        let mishap = *pick(rng, &[Mishap::AnswerLost, Mishap::NotInvoked, Mishap::NewPollers]);
        mishaps.insert(rng.random_range(1..=6), mishap);
    }
    mishaps
}
