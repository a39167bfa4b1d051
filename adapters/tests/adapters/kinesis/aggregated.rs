//! Records in which the Kinesis Producer Library packed several.

use fourstroke::{
    ports::{Payload, Trigger},
    report::Disposition,
    testkit::{report, retry_from, trigger},
};
use fourstroke_adapters::kinesis::KinesisTrigger;
use md5::{Digest, Md5};
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Value, json};

use super::{STREAM, record};
use crate::lambda::{self, decode, each, events, identifiers, records, text, undecodable};

/// Three records in each aggregated one.
#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| {
        records(raw.chunks(3).enumerate().map(|(place, raw)| {
            let index = |raw: &trigger::Raw| if raw.bad { 7 } else { 0 };
            let parts: Vec<_> = raw.iter().map(|raw| (index(raw), &*raw.body)).collect();
            record("shardId-000000000001", &format!("4959{place:04}"), "k", &aggregated(&["k"], &parts))
        }))
    };
    trigger::suite(&KinesisTrigger, payload, lambda::from_sequence_numbers, each(1, 9));
}

/// An aggregated record of these keys, and records of (place of the key, data).
fn aggregated(keys: &[&str], parts: &[(u64, &[u8])]) -> Vec<u8> {
    let bytes = |tag: u32, value: &[u8], message: &mut Vec<u8>| {
        encode_key(tag, WireType::LengthDelimited, message);
        encode_varint(value.len() as u64, message);
        message.extend_from_slice(value);
    };
    let mut message = Vec::new();
    keys.iter().for_each(|key| bytes(1, key.as_bytes(), &mut message));
    bytes(2, b"340282366920938463463374607431768211455", &mut message);
    for (key, data) in parts {
        let mut record = Vec::new();
        encode_key(1, WireType::Varint, &mut record);
        encode_varint(*key, &mut record);
        bytes(3, data, &mut record);
        bytes(3, &record, &mut message);
    }
    framed(&message)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&[0xf3, 0x89, 0x9a, 0xc2], message, &Md5::digest(message)[..]].concat()
}

fn only(data: &[u8]) -> Payload {
    records([packed(data)])
}

#[test]
fn aggregated_records_are_taken_apart() {
    let data = aggregated(&["a", "größer"], &[(0, b"one"), (1, b""), (0, b"three")]);
    let events = events(&KinesisTrigger, records([packed(&data), record("shardId-1", "43", "k", b"alone")]).body);
    let shard = format!("{STREAM}/shardId-1");
    let seen: Vec<_> = events
        .iter()
        .map(|event| (&event.id[shard.len()..], event.key.as_deref().unwrap(), text(&event.body)))
        .collect();
    assert_eq!(seen, [("/42/0", "a", "one"), ("/42/1", "größer", ""), ("/42/2", "a", "three"), ("/43", "k", "alone")]);
    let positions: Vec<_> = events.iter().map(|event| event.position.as_deref().unwrap()).collect();
    assert_eq!(positions, ["42000000", "42000001", "42000002", "43000000"]);
    assert!(events.iter().all(|event| event.group.as_deref() == Some(&*shard) && event.time.is_some()));
    let bundles: Vec<_> = events.iter().map(|event| event.bundle.as_deref()).collect();
    let whole = format!("{shard}/42");
    assert_eq!(bundles, [Some(&*whole), Some(&*whole), Some(&*whole), None]);
}

fn packed(data: &[u8]) -> Value {
    record("shardId-1", "42", "whole", data)
}

#[test]
fn the_reply_names_the_aggregated_record() {
    let data = aggregated(&["a"], &[(0, b"one"), (0, b"two")]);
    let before = record("shardId-1", "41", "k", b"alone");
    let decoded = decode(&KinesisTrigger, records([before, packed(&data)]).body);
    let reply = KinesisTrigger.reply(&retry_from(decoded.clone(), &[2]));
    assert_eq!(identifiers(&reply), ["42"]);
    assert_eq!(serde_json::to_value(&reply).unwrap(), json!({ "batchItemFailures": [{ "itemIdentifier": "42" }] }));
    let reply = KinesisTrigger.reply(&report(decoded, |_| Disposition::Acted));
    assert_eq!(serde_json::to_value(&reply).unwrap(), json!({ "batchItemFailures": [] }));
}

#[test]
fn what_only_begins_like_an_aggregated_record_is_an_ordinary_one() {
    let good = aggregated(&["a"], &[(0, b"one")]);
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let torn = good[..good.len() - 1].to_vec();
    let short = good[..12].to_vec();
    for data in [wrong, torn, short, good[..4].to_vec(), b"\xf3\x89".to_vec(), Vec::new()] {
        let events = events(&KinesisTrigger, only(&data).body);
        assert_eq!((events.len(), &events[0].body[..], events[0].bundle.clone()), (1, &data[..], None));
        assert_eq!(events[0].key.as_deref(), Some("whole"));
    }
}

#[test]
fn an_aggregated_record_that_cannot_be_taken_apart_is_kept_whole() {
    for (data, expected) in [
        (aggregated(&["a"], &[]), "no record"),
        (framed(b""), "no record"),
        (framed(b"\xff\xff\xff"), "cannot be taken apart"),
        (framed(&[0x1a, 0x7f]), "cannot be taken apart"),
    ] {
        let (event, reason) = undecodable(decode(&KinesisTrigger, only(&data).body).remove(0));
        assert!(reason.contains(expected), "{reason}");
        assert_eq!((&event.body[..], &*event.id), (&data[..], &*format!("{STREAM}/shardId-1/42")));
    }
}

#[test]
fn a_bad_record_in_an_aggregated_one_spoils_no_other() {
    let no_data = |message: &mut Vec<u8>| message.extend([0x1a, 2, 8, 0]);
    let no_key = |message: &mut Vec<u8>| message.extend([0x1a, 3, 0x1a, 1, b'x']);
    let with = |bad: &dyn Fn(&mut Vec<u8>)| {
        let good = aggregated(&["a"], &[(0, b"one")]);
        let mut message = good[4..good.len() - 16].to_vec();
        bad(&mut message);
        framed(&message)
    };
    for (data, expected, body) in [
        (aggregated(&["a"], &[(0, b"one"), (1, b"two")]), "partition key 1 of 1", "two"),
        (aggregated(&["a"], &[(0, b"one"), (u64::MAX, b"two")]), "of 1", "two"),
        (with(&no_data), "no data", ""),
        (with(&no_key), "no partition key", "x"),
    ] {
        let decoded = decode(&KinesisTrigger, only(&data).body);
        assert_eq!(text(&decoded[0].event().body), "one");
        let (event, reason) = undecodable(decoded[1].clone());
        assert!(reason.contains(expected), "{reason}");
        assert_eq!((text(&event.body), &*event.id), (body, &*format!("{STREAM}/shardId-1/42/1")));
        assert_eq!(event.bundle, decoded[0].event().bundle);
    }
    let not_utf8 = with(&|message| message.extend([0x0a, 1, 0xff, 0x1a, 5, 8, 1, 0x1a, 1, b'x']));
    let decoded = decode(&KinesisTrigger, only(&not_utf8).body);
    assert!(undecodable(decoded[1].clone()).1.contains("not UTF-8"));
}

#[test]
fn an_aggregated_record_may_hold_very_many() {
    const MANY: usize = 100_000;
    let parts = vec![(0, &b"{}"[..]); MANY];
    // Looking at so long a key for each of them would take minutes.
    let key = "k".repeat(100_000);
    let events = events(&KinesisTrigger, only(&aggregated(&[&key], &parts)).body);
    assert_eq!(events.len(), MANY);
    let last = events.last().unwrap();
    assert!(last.id.ends_with("/42/99999") && last.position.as_deref() == Some("42099999"));
    assert_eq!(last.key.as_deref(), Some(&*key));
}
