//! What every [`Source`] must do.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use bytestring::ByteString;

use super::report;
use crate::{
    event::{Decoded, Event},
    ports::{Batch, Source},
    report::Disposition,
};

/// Says how far a service goes.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// The source ends (a file); else it waits for more (a queue) and is read until all that is expected has come.
    pub ends: bool,
    /// Opened again, it gives settled events too (a file); else only those that are not settled (a queue).
    pub replays: bool,
    /// Each list of what is expected is one group, in order; else events stand alone, in any order.
    pub grouped: bool,
}

/// Names one record that the source holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expected {
    /// The body, or the raw bytes that are kept of a bad record.
    pub body: Bytes,
    /// The record cannot be taken apart.
    pub undecodable: bool,
}

impl Expected {
    /// Expects an event.
    pub fn event(body: impl Into<Bytes>) -> Expected {
        Expected { body: body.into(), undecodable: false }
    }

    /// Expects a bad record.
    pub fn undecodable(body: impl Into<Bytes>) -> Expected {
        Expected { body: body.into(), undecodable: true }
    }
}

/// Runs everything: reads without settling, settles the first event of each batch, then all that is left, and reads once
/// more.
///
/// `open` opens the same source anew; `expected` lists what it holds, group by group.
pub async fn suite<O: AsyncFn() -> Box<dyn Source>>(open: O, expected: &[Vec<Expected>], can: Capabilities) {
    let whole = expected.iter().map(Vec::len).sum();
    let (first, _) = read(&mut *open().await, whole, can, 0).await;
    content(&first, expected, can);
    identity(&first, can);

    let (second, settled) = read(&mut *open().await, whole, can, 1).await;
    assert_eq!(ids(&first), ids(&second), "what was not settled must come again, with the same ids");
    content(&second, expected, can);

    let settled = if can.replays { HashSet::new() } else { settled };
    let left: HashSet<_> = ids(&first).into_iter().filter(|id| !settled.contains(*id)).collect();
    let (third, _) = read(&mut *open().await, left.len(), can, usize::MAX).await;
    let why = if can.replays { "what was settled must come again too" } else { "only what was not settled must come" };
    assert_eq!(left, ids(&third), "{why}, with the same ids");

    if can.ends && !can.replays {
        let (fourth, _) = read(&mut *open().await, 0, can, 0).await;
        assert!(fourth.is_empty(), "what was settled must not come again, but {} records did", fourth.len());
    }
}

/// Reads to the end, or until as many have come as are expected, and settles so many of each batch, by a report that
/// covers no others. Returns all records, and the ids of those that were settled.
async fn read(
    source: &mut dyn Source,
    expected: usize,
    can: Capabilities,
    settle: usize,
) -> (Vec<Decoded>, HashSet<ByteString>) {
    let (mut records, mut settled) = (Vec::new(), HashSet::new());
    while can.ends || records.len() < expected {
        let next = source.next().await.unwrap_or_else(|error| panic!("next must succeed, but: {error}"));
        let Some(Batch { events, acknowledge }) = next else {
            assert!(can.ends, "the source must wait for more, but it ended");
            let again = source.next().await.unwrap_or_else(|error| panic!("next must succeed, but: {error}"));
            assert!(again.is_none(), "a source that has ended must stay so");
            break;
        };
        assert!(!events.is_empty(), "a batch must not be empty");
        if settle > 0 {
            let covered: Vec<Decoded> = events.iter().take(settle).cloned().collect();
            settled.extend(covered.iter().map(|record| record.event().id.clone()));
            let passed = report(covered, |_| Disposition::Passed);
            acknowledge.settle(&passed).await.unwrap_or_else(|error| panic!("settle must succeed, but: {error}"));
        }
        records.extend(events);
    }
    (records, settled)
}

/// Checks that everything came once, byte for byte, in order where there is one.
fn content(records: &[Decoded], expected: &[Vec<Expected>], can: Capabilities) {
    let whole: usize = expected.iter().map(Vec::len).sum();
    assert_eq!(records.len(), whole, "every record must come exactly once");
    if !can.grouped {
        let mut missing: HashMap<Expected, i64> = HashMap::new();
        for record in expected.iter().flatten() {
            *missing.entry(record.clone()).or_default() += 1;
        }
        for record in records {
            *missing.entry(seen(record)).or_default() -= 1;
        }
        missing.retain(|_, times| *times != 0);
        assert!(missing.is_empty(), "every record must come byte for byte; more or less than expected: {missing:?}");
        return;
    }
    let mut groups: Vec<(&ByteString, Vec<Expected>)> = Vec::new();
    for record in records {
        let group = record.event().group.as_ref().expect("every record of an ordered stream must have its group");
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, records)) => records.push(seen(record)),
            None => groups.push((group, vec![seen(record)])),
        }
    }
    assert_eq!(groups.len(), expected.len(), "every part of the stream must be a group of its own");
    for (group, came) in &groups {
        let Some(expected) = expected.iter().find(|expected| expected.first() == came.first()) else {
            panic!(
                "group {group} must start with the first record of one of the lists, but starts with {:?}",
                came.first()
            );
        };
        for (place, (came, expected)) in came.iter().zip(expected).enumerate() {
            assert_eq!(came, expected, "record {place} of group {group} must come in order and byte for byte");
        }
        assert_eq!(came.len(), expected.len(), "group {group} must hold all its records");
    }
}

/// Checks ids and groups.
fn identity(records: &[Decoded], can: Capabilities) {
    let mut seen = HashSet::new();
    for Event { id, group, stable_id, .. } in records.iter().map(Decoded::event) {
        assert!(!id.is_empty(), "every record must have an id");
        assert!(seen.insert(id), "ids must be distinct; {id} came twice");
        assert!(stable_id, "{id} comes again under the same id, so it must be marked as stable");
        assert_eq!(group.is_some(), can.grouped, "only records of an ordered stream have a group");
    }
    for record in records {
        if let Decoded::Undecodable { event, reason } = record {
            assert!(!reason.is_empty(), "{} cannot be taken apart and must say why", event.id);
        }
    }
}

fn ids(records: &[Decoded]) -> HashSet<&ByteString> {
    records.iter().map(|record| &record.event().id).collect()
}

fn seen(record: &Decoded) -> Expected {
    Expected { body: record.event().body.clone(), undecodable: matches!(record, Decoded::Undecodable { .. }) }
}
