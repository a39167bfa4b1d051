//! What every [`Trigger`] must do. The suite builds payloads and reads replies through closures.

use std::collections::HashSet;

use bytes::Bytes;

use super::{report, retry_from};
use crate::{
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Disposition,
};

/// One record of a payload to be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Names its shard, partition or message group, where the platform has such a thing.
    pub group: String,
    /// Its body, or what stands there instead when it is bad.
    pub body: Bytes,
    /// It cannot be taken apart: not base64, a field is missing.
    pub bad: bool,
}

/// Tells what a platform delivers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Just the events that are asked for and what follows them in their groups.
    Each,
    /// The whole payload, once any event is asked for.
    Whole,
}

/// Says how far a platform goes.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// How many groups one payload may hold; 0: events stand alone.
    pub groups: usize,
    /// How many records one payload may hold.
    pub records: usize,
    /// A record can be bad while the payload is not.
    pub bad_records: bool,
    /// What comes again.
    pub replay: Replay,
}

/// Runs everything.
///
/// `payload` builds what the platform would send for these records. `asked` says which places of the payload the
/// platform delivers again when it hears that reply.
pub fn suite<T: Trigger>(
    trigger: &T,
    payload: impl Fn(&[Raw]) -> Payload,
    asked: impl Fn(&T::Reply, &[Decoded]) -> Vec<usize>,
    can: Capabilities,
) {
    decode(trigger, &payload, can);
    if can.bad_records {
        bad_record(trigger, &payload, can);
    }
    reply(trigger, &payload, &asked, can);
    garbage(trigger);
}

/// Checks that every record becomes one event: in order, byte for byte, with a distinct id that stays the same.
pub fn decode<T: Trigger>(trigger: &T, payload: &impl Fn(&[Raw]) -> Payload, can: Capabilities) {
    let records = records(can, None);
    let first = taken_apart(trigger, payload(&records));
    let second = taken_apart(trigger, payload(&records));
    assert_eq!(first.len(), records.len(), "every record must become one event");
    let mut ids = HashSet::new();
    for (place, (record, decoded)) in records.iter().zip(&first).enumerate() {
        let Decoded::Event(event) = decoded else { panic!("record {place} is good, but came as {decoded:?}") };
        assert_eq!(event.body, record.body, "the body of record {place} must come byte for byte, in its place");
        assert!(ids.insert(&event.id), "ids must be distinct; {} came twice", event.id);
        if event.stable_id {
            assert_eq!(
                event.id,
                second[place].event().id,
                "an id marked as stable must be the same when delivered again"
            );
        }
        assert_eq!(event.group.is_some(), can.groups > 0, "an event has a group where the platform replays in order");
    }
    same_groups(&records, &first, can);
}

/// Checks that a bad record comes as undecodable, in its place and group, and spoils no other.
pub fn bad_record<T: Trigger>(trigger: &T, payload: &impl Fn(&[Raw]) -> Payload, can: Capabilities) {
    for bad in [0, can.records / 2, can.records - 1] {
        let records = records(can, Some(bad));
        let decoded = taken_apart(trigger, payload(&records));
        assert_eq!(decoded.len(), records.len(), "every record must become one event, bad ones too");
        for (place, (record, decoded)) in records.iter().zip(&decoded).enumerate() {
            match decoded {
                Decoded::Event(event) => {
                    assert_ne!(place, bad, "record {place} is bad, but came as an event");
                    assert_eq!(event.body, record.body, "a bad record must spoil no other");
                }
                Decoded::Undecodable { event, reason } => {
                    assert_eq!(place, bad, "record {place} is good, but: {reason}");
                    assert!(!reason.is_empty() && !event.id.is_empty(), "a bad record must say why, and where it is");
                    assert!(!event.body.is_empty(), "a bad record must keep its raw bytes");
                }
            }
        }
    }
}

/// Checks the reply: what is to be retried is asked for again, and nothing that the platform could spare.
pub fn reply<T: Trigger>(
    trigger: &T,
    payload: &impl Fn(&[Raw]) -> Payload,
    asked: &impl Fn(&T::Reply, &[Decoded]) -> Vec<usize>,
    can: Capabilities,
) {
    let decoded = taken_apart(trigger, payload(&records(can, None)));
    let settled = [Disposition::Passed, Disposition::Skipped, Disposition::Acted, Disposition::DeadLettered];
    for disposition in settled {
        let answer = trigger.reply(&report(decoded.clone(), |_| disposition));
        let again = asked(&answer, &decoded);
        assert!(again.is_empty(), "a batch of {disposition:?} must ask for nothing again, but asks for {again:?}");
    }
    let answer = trigger.reply(&report(decoded.clone(), |place| settled[place % settled.len()]));
    assert!(asked(&answer, &decoded).is_empty(), "a batch of all that is settled must ask for nothing again");

    let last = decoded.len() - 1;
    let wanted: Vec<usize> = (0..decoded.len()).collect();
    for places in [&[0][..], &[last / 2], &[last], &[last, 0], &[last / 2, last / 3], &wanted] {
        let report = retry_from(decoded.clone(), places);
        let retries = report.dispositions().into_iter().enumerate();
        let expected: Vec<usize> = match can.replay {
            Replay::Whole => (0..decoded.len()).collect(),
            Replay::Each => retries.filter(|(_, end)| *end == Disposition::Retry).map(|(place, _)| place).collect(),
        };
        let mut again = asked(&trigger.reply(&report), &decoded);
        again.sort_unstable();
        assert_eq!(again, expected, "a batch to be retried from {places:?} on must be asked for again from there on");
    }
}

/// Checks that bytes that are no payload at all are refused or given as undecodable, without a panic.
pub fn garbage<T: Trigger>(trigger: &T) {
    for body in [&b""[..], b"\0\xff\xfe garbage", b"{", b"null", b"[]", b"{\"Records\":3}"] {
        let payload = Payload { body: Bytes::from_static(body), attributes: Vec::new() };
        if let Err(error) = trigger.decode(payload) {
            assert!(!error.reason.is_empty(), "a refused payload must say why");
        }
    }
}

/// Makes as many records as one payload may hold, spread over its groups.
fn records(can: Capabilities, bad: Option<usize>) -> Vec<Raw> {
    (0..can.records)
        .map(|n| Raw {
            group: format!("group-{}", n % can.groups.max(1)),
            body: Bytes::from(format!("{{\"n\": {n}, \"text\": \"größer 🦀 \\\"{n}\\\"\"}}")),
            bad: bad == Some(n),
        })
        .collect()
}

fn taken_apart<T: Trigger>(trigger: &T, payload: Payload) -> Vec<Decoded> {
    trigger
        .decode(payload)
        .unwrap_or_else(|error| panic!("a payload of the platform must be taken apart, but: {error}"))
}

/// Checks that two events share a group just when their records do.
fn same_groups(records: &[Raw], decoded: &[Decoded], can: Capabilities) {
    if can.groups == 0 {
        return;
    }
    let events: Vec<&Event> = decoded.iter().map(Decoded::event).collect();
    for (a, b) in (1..records.len()).map(|n| (n - 1, n)).chain((can.groups..records.len()).map(|n| (n - can.groups, n)))
    {
        let (same, came) = (records[a].group == records[b].group, events[a].group == events[b].group);
        assert_eq!(came, same, "events {a} and {b} must share a group just when their records do");
    }
}
