//! Draws schedules: the same one for the same seed.

use std::{collections::HashMap, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{Event, Fault, Kind, Mishap, Port, Schedule, Trouble, World};
use crate::{
    model::{Destination, Record, Settings, Shard, Stream},
    packed::{packed, torn},
};

/// Draws one.
pub fn draw(seed: u64, world: World) -> Schedule {
    let mut rng = StdRng::seed_from_u64(seed);
    let rng = &mut rng;
    let settings = settings(rng);
    let (stream, events) = stream(rng, seed, world);
    let bounded = settings.maximum_retry_attempts.is_some() || settings.maximum_record_age.is_some();
    let troubles = troubles(rng, world, &events, bounded);
    let mishaps = mishaps(rng);
    let limit = Duration::from_millis(*pick(rng, &[600, 1500, 1500, 3000]));
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
    let destination = *pick(rng, &[Destination::S3, Destination::S3, Destination::Sqs, Destination::Sns]);
    let bounded = maximum_retry_attempts.is_some() || maximum_record_age.is_some();
    Settings {
        batch_size: *pick(rng, &[1, 2, 3, 5, 10, 10, 100, 10_000]),
        maximum_batching_window: Duration::from_secs(*pick(rng, &[0, 0, 1, 5])),
        parallelization_factor: *pick(rng, &[1, 1, 1, 2, 3, 10]),
        maximum_retry_attempts,
        maximum_record_age,
        bisect_batch_on_function_error: !one_in(rng, 4),
        report_batch_item_failures: true,
        on_failure: bounded.then_some(destination),
        loses_second_halves: false,
    }
}

/// What is put on the stream.
fn stream(rng: &mut StdRng, seed: u64, world: World) -> (Stream, Vec<Event>) {
    let name = Schedule::name(seed);
    let keys = rng.random_range(1..=6);
    let (most, padding) = match rng.random_range(0..300) {
        // Few records, of which the payload's bytes are the limit.
        0 => (14, 600_000),
        1..30 => (40, 0),
        _ => (10, 0),
    };
    // A shard that was split has two children.
    let (alone, two, split) = (vec![vec![]], vec![vec![]; 2], vec![vec![], vec![0], vec![0]]);
    let parents: Vec<Vec<usize>> = pick(rng, &[alone.clone(), alone.clone(), alone, two, split]).clone();
    let (mut shards, mut events) = (Vec::new(), Vec::new());
    let mut second = 0;
    for (shard, parents) in parents.iter().enumerate() {
        let mut records = Vec::new();
        for number in 0..rng.random_range(1..=most) {
            second += *pick(rng, &[0, 0, 0, 0, 1, 3]);
            // A key is of one shard at a time.
            let partition_key = format!("{name}-k{}", shard * keys + rng.random_range(0..keys));
            let parts = if padding == 0 && one_in(rng, 8) { rng.random_range(1..=4) } else { 0 };
            let mut event = |rng: &mut StdRng, part: Option<usize>| {
                let kind = if padding > 0 { Kind::Passes } else { kind(rng, world) };
                // In another one it is a body like any other.
                let kind = if part.is_some() && kind == Kind::Torn { Kind::NoJson } else { kind };
                let looks_up = !kind.is_poison() && one_in(rng, 4);
                let id = format!("{name}-e{}", events.len());
                let body = if kind == Kind::Torn {
                    torn(id.as_bytes())
                } else {
                    kind.body(&id, &partition_key, looks_up, padding)
                };
                events.push(Event {
                    kind,
                    place: (shard, number),
                    part,
                    key: partition_key.clone(),
                    body: body.clone(),
                    looks_up,
                });
                body
            };
            let data = match parts {
                0 => event(rng, None),
                // What was packed together has one key here: only the outer one decides which way it goes.
                _ => {
                    let bodies: Vec<Vec<u8>> = (0..parts).map(|part| event(rng, Some(part))).collect();
                    packed(&partition_key, &bodies)
                }
            };
            records.push(Record { partition_key, data, arrived: Duration::from_secs(second) });
        }
        shards.push(Shard { parents: parents.clone(), records });
    }
    let retention = Duration::from_secs(7 * 86_400);
    (Stream { name, shards, retention, began_ms: 1_764_000_000_000 }, events)
}

fn kind(rng: &mut StdRng, world: World) -> Kind {
    let once = if world == World::Killed { Kind::Act } else { Kind::ActOnce };
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
