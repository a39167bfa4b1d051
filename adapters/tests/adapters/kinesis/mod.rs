//! Kinesis as a trigger: what its payloads are taken apart to, and what is to be delivered again.

mod aggregated;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fourstroke::{
    event::{Decoded, Event},
    ports::Trigger,
    testkit::{retry_from, trigger},
};
use fourstroke_adapters::kinesis::KinesisTrigger;
use serde_json::{Value, json};

use crate::lambda::{self, decode, each, events, fixture, identifiers, records, text, undecodable};

const STREAM: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/orders";

fn record(shard: &str, sequence_number: &str, key: &str, data: &[u8]) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": key,
            "sequenceNumber": sequence_number,
            "data": STANDARD.encode(data),
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis",
        "eventID": format!("{shard}:{sequence_number}"),
        "eventSourceARN": STREAM,
    })
}

/// A record with something else at one place; nothing: without it.
fn with(record: Value, at: &str, value: Option<Value>) -> Value {
    let (parent, name) = at.rsplit_once('/').unwrap();
    let mut changed = record;
    let fields = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
    changed
}

#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| {
        records(raw.iter().enumerate().map(|(place, raw)| {
            let record = record(&raw.group, &format!("4959{place:04}"), "k", &raw.body);
            if raw.bad { with(record, "/kinesis/data", Some(json!("no base64!"))) } else { record }
        }))
    };
    for groups in [1, 3] {
        trigger::suite(&KinesisTrigger, payload, lambda::from_sequence_numbers, each(groups, 9));
    }
}

#[test]
fn records_are_taken_apart_as_documented() {
    let events = events(&KinesisTrigger, fixture("kinesis"));
    let shard = format!("{STREAM}/shardId-000000000006");
    let number = "49590338271490256608559692538361571095921575989136588898";
    let expected = Event {
        key: Some("customer-1".into()),
        position: Some(format!("{number}000000").into()),
        time: Some("2018-12-17T22:10:50.987Z".parse().unwrap()),
        ..Event::new(format!("{shard}/{number}"), r#"{"id": "order-1", "amount": 42.5}"#).in_group(shard)
    };
    assert_eq!(events[0], expected);
    assert_eq!((events.len(), text(&events[1].body)), (2, r#"{"id": "order-2", "amount": 7}"#));
}

#[test]
fn a_batch_keeps_one_buffer() {
    let events = events(&KinesisTrigger, fixture("kinesis"));
    let end = |text: &Bytes| text.as_ptr() as usize + text.len();
    assert_eq!(end(&events[0].body), events[1].body.as_ptr() as usize, "bodies are one behind the other");
    let position = events[0].position.as_ref().unwrap();
    assert_eq!(end(position.as_bytes()), events[1].id.as_ptr() as usize, "ids are one behind the other");
}

#[test]
fn keys_may_have_escapes() {
    let body = records([record("shardId-1", "1", "größer \"🦀\"\n\u{1}", b"{}")]).body;
    let escaped = text(&body).replace("größer", "gr\\u00f6\\u00dfer").replace("🦀", "\\ud83e\\udd80");
    for body in [text(&body), &escaped] {
        let events = events(&KinesisTrigger, body.to_owned());
        assert_eq!(events[0].key.as_deref(), Some("größer \"🦀\"\n\u{1}"));
    }
}

#[test]
fn a_record_that_comes_twice_is_two_events_of_one_id() {
    let twice = record("shardId-1", "17", "k", b"{}");
    let events = events(&KinesisTrigger, records([twice.clone(), twice]).body);
    assert_eq!((events.len(), &events[0]), (2, &events[1]));
}

#[test]
fn a_bad_record_spoils_no_other() {
    let good = |number: &str| record("shardId-1", number, "k", b"{}");
    let cases = [
        (with(good("5"), "/kinesis/data", Some(json!("e30"))), true, "base64"),
        (with(good("5"), "/kinesis/data", Some(json!("e3\u{e9}="))), true, "base64"),
        (with(good("5"), "/kinesis/data", None), true, "missing field `data`"),
        (with(good("5"), "/kinesis/data", Some(json!(3))), true, "invalid type"),
        (with(good("5"), "/kinesis/partitionKey", None), true, "partitionKey"),
        (with(good("5"), "/kinesis/approximateArrivalTimestamp", Some(json!("today"))), true, "invalid type"),
        (with(good("5"), "/kinesis/sequenceNumber", Some(json!(5))), false, "invalid type"),
        (with(good("5"), "/kinesis/sequenceNumber", Some(json!("5a"))), false, "sequence number"),
        (with(good("5"), "/kinesis/sequenceNumber", Some(json!(""))), false, "sequence number"),
        (with(good("5"), "/eventID", Some(json!("5"))), false, "shard"),
        (with(good("5"), "/eventSourceARN", None), false, "eventSourceARN"),
        (with(good("5"), "/kinesis", Some(json!([]))), false, "invalid"),
        (json!("no record"), false, "invalid type"),
        (Value::Null, false, "invalid type"),
    ];
    for (bad, known, expected) in cases {
        let decoded = decode(&KinesisTrigger, records([good("4"), bad.clone(), good("6")]).body);
        assert_eq!(decoded.len(), 3, "{bad}");
        assert!(matches!((&decoded[0], &decoded[2]), (Decoded::Event(_), Decoded::Event(_))), "{bad}");
        let (event, reason) = undecodable(decoded[1].clone());
        assert!(reason.contains(expected), "{bad}: {reason}");
        assert_eq!(text(&event.body), bad.to_string(), "its JSON as it came");
        let again = retry_from(decoded, &[1]);
        if known {
            assert_eq!((&*event.id, event.stable_id), (&*format!("{STREAM}/shardId-1/5"), true), "{bad}");
            assert_eq!(event.group.as_deref(), Some(&*format!("{STREAM}/shardId-1")));
            assert_eq!(identifiers(&KinesisTrigger.reply(&again)), ["5"]);
        } else {
            assert_eq!((&*event.id, event.stable_id, event.group), ("Records[1]", false, None), "{bad}");
            assert_eq!(identifiers(&KinesisTrigger.reply(&again)), [""], "all of the batch comes again");
        }
    }
}

#[test]
fn a_payload_without_records_is_refused() {
    for body in ["{}", r#"{"Records": null}"#, r#"{"Records": {}}"#, "[]", "", "\u{feff}{}", r#"{"Records": []} x"#] {
        let error = KinesisTrigger.decode(lambda::payload(body)).unwrap_err();
        assert_eq!(error.code.as_str(), "FS-D005", "{body}");
    }
    assert!(KinesisTrigger.decode(lambda::payload(&b"{\"Records\": [\"\xff\"]}"[..])).is_err());
    assert_eq!(decode(&KinesisTrigger, r#"{"Records": []}"#), []);
}

#[test]
fn a_time_is_read_as_the_platform_writes_it() {
    let time = |written: Value| {
        let record = with(record("shardId-1", "1", "k", b"{}"), "/kinesis/approximateArrivalTimestamp", Some(written));
        events(&KinesisTrigger, records([record]).body)[0].time.map(|time| time.timestamp_millis())
    };
    assert_eq!(time(json!(1545084650)), Some(1_545_084_650_000));
    assert_eq!(time(json!(1545084650.9)), Some(1_545_084_650_900));
    assert_eq!((time(json!(1e300)), time(json!(null)), time(json!(-1e300))), (None, None, None));
}

#[test]
fn fields_nobody_asked_for_may_be_anything() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = text(&records([record("shardId-1", "1", "k", b"{}")]).body)
        .replace("\"eventSource\":", &format!("\"deep\":{deep},\"eventSource\":"));
    assert_eq!(events(&KinesisTrigger, body).len(), 1);
}

#[test]
fn a_huge_payload_is_taken_apart() {
    let data = [b'x'; 450];
    let number = |n: usize| format!("4959033827149025660855969253836157109592157598913658{n:04}");
    let body = records((0..9_000).map(|n| record("shardId-000000000000", &number(n), "k", &data))).body;
    assert!(body.len() > 6 << 20, "{}", body.len());
    let events = events(&KinesisTrigger, body);
    assert_eq!((events.len(), events.iter().all(|event| event.body == data[..])), (9_000, true));
    assert!(events.windows(2).all(|pair| pair[0].position < pair[1].position));
}
