use fourstroke::{
    event::{Decoded, Event},
    ports::Trigger,
    testkit::{retry_from, trigger},
};
use fourstroke_adapters::dynamodb::DynamoDbTrigger;
use serde_json::{Value, json};

use super::lambda::{self, attributes, decode, events, fixture, identifiers, records, text, undecodable};

const STREAM: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2023-09-06T10:18:02.123";

fn record(keys: Value) -> Value {
    json!({
        "eventID": "c4ca",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": { "Keys": keys, "SequenceNumber": "42", "ApproximateCreationDateTime": 1693997155.0 },
        "eventSourceARN": STREAM,
    })
}

/// The body of an event is the whole record, so what the suite makes up is not in it byte for byte: only replies and
/// garbage are checked by it.
#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| {
        records((0..raw.len()).map(|place| {
            let mut record = record(json!({ "Id": { "N": "1" } }));
            record["dynamodb"]["SequenceNumber"] = json!(format!("42{place:04}"));
            record
        }))
    };
    trigger::reply(&DynamoDbTrigger, &payload, &lambda::from_sequence_numbers, lambda::each(1, 9));
    trigger::garbage(&DynamoDbTrigger);
}

#[test]
fn records_are_taken_apart_as_documented() {
    let payload = fixture("dynamodb");
    let events = events(&DynamoDbTrigger, payload.clone());
    let expected = Event {
        key: Some("101".into()),
        time: Some("2023-09-06T10:45:55Z".parse().unwrap()),
        attributes: vec![("eventName".into(), "INSERT".into())],
        body: events[0].body.clone(),
        ..Event::new(format!("{STREAM}/4421584500000000017450439091/c4ca4238a0b923820dcc509a6f75849b"), "")
            .in_group(STREAM)
    };
    assert_eq!(events[0], expected);
    assert_eq!(events.iter().map(|event| attributes(event)[0].1).collect::<Vec<_>>(), ["INSERT", "MODIFY", "REMOVE"]);
    for event in &events {
        assert!(payload.contains(text(&event.body)), "the record's JSON as it came");
        let record: Value = serde_json::from_slice(&event.body).unwrap();
        assert!(record["dynamodb"]["NewImage"].is_object() || record["dynamodb"]["OldImage"].is_object());
    }
    let again = retry_from(decode(&DynamoDbTrigger, payload), &[1]);
    assert_eq!(identifiers(&DynamoDbTrigger.reply(&again)), ["4421584500000000017450439092"]);
}

#[test]
fn the_key_is_the_items() {
    let key = |keys| events(&DynamoDbTrigger, records([record(keys)]).body)[0].key.clone();
    assert_eq!(key(json!({ "pk": { "S": "customer\n42" } })).as_deref(), Some("customer\n42"));
    assert_eq!(key(json!({ "sk": { "N": "7" }, "pk": { "S": "c" } })).as_deref(), Some("c/7"), "in one order always");
    assert_eq!((key(json!({})), key(json!(null))), (None, None));
}

#[test]
fn a_bad_record_spoils_no_other() {
    let good = || record(json!({ "pk": { "S": "c" } }));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut record = good();
        change(&mut record);
        record
    };
    for (bad, known) in [
        (changed(&|record| record["dynamodb"]["Keys"] = json!("none")), true),
        (changed(&|record| record["eventName"] = json!(3)), true),
        (changed(&|record| record["dynamodb"]["SequenceNumber"] = json!("-1")), false),
        (changed(&|record| record["dynamodb"] = json!(null)), false),
        (changed(&|record| record["eventSourceARN"] = json!({})), false),
        (json!([]), false),
    ] {
        let decoded = decode(&DynamoDbTrigger, records([good(), bad.clone(), good()]).body);
        assert!(matches!((&decoded[0], &decoded[2], decoded.len()), (Decoded::Event(_), Decoded::Event(_), 3)));
        let (event, reason) = undecodable(decoded[1].clone());
        assert!(!reason.is_empty());
        assert_eq!((text(&event.body), event.stable_id), (&*bad.to_string(), known));
        let expected = if known { format!("{STREAM}/42/c4ca") } else { "Records[1]".to_owned() };
        assert_eq!(&*event.id, expected);
    }
}
