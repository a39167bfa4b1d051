//! Whatever comes in, a trigger answers, and one bad record spoils no other.

use fourstroke::{
    event::Decoded,
    ports::{Payload, Trigger},
    report::Disposition,
    testkit::report,
};
use fourstroke_adapters::{
    dynamodb::DynamoDbTrigger, event_bridge::EventBridgeTrigger, function_url::FunctionUrlTrigger, iot::IotTrigger,
    kinesis::KinesisTrigger, sns::SnsTrigger, sqs::SqsTrigger,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::lambda::{fixture, payload};

const RECORDS: [&str; 5] = ["kinesis", "dynamodb", "sqs", "sqs_fifo", "sns"];
const ALONE: [&str; 4] = ["event_bridge", "iot", "function_url", "api_gateway_v2"];

/// Takes it apart by the trigger of that fixture, and lets it answer that all is to come again.
fn decoded(name: &str, payload: Payload) -> Option<Vec<Decoded>> {
    fn by(trigger: &impl Trigger, payload: Payload) -> Option<Vec<Decoded>> {
        let decoded = trigger.decode(payload).ok()?;
        trigger.reply(&report(decoded.clone(), |_| Disposition::Retry));
        Some(decoded)
    }
    match name {
        "kinesis" => by(&KinesisTrigger, payload),
        "dynamodb" => by(&DynamoDbTrigger, payload),
        "sqs" | "sqs_fifo" => by(&SqsTrigger, payload),
        "sns" => by(&SnsTrigger, payload),
        "event_bridge" => by(&EventBridgeTrigger, payload),
        "iot" => by(&IotTrigger, payload),
        _ => {
            let trigger = FunctionUrlTrigger::default();
            trigger.preflight(&payload);
            by(&trigger, payload)
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("84mawgoBYRoECAAaABoECAEaAA==")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|pairs| pairs.into_iter().collect::<Value>())
        ]
    })
}

/// The places in a value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| places(value, &format!("{at}/{place}"), found));
        }
        _ => {}
    }
}

/// Puts something else at one place of a value.
fn changed(value: &Value, at: usize, other: Value) -> Value {
    let mut found = Vec::new();
    places(value, "", &mut found);
    let mut value = value.clone();
    if let Some(place) = value.pointer_mut(&found[at % found.len()]) {
        *place = other;
    }
    value
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        for name in RECORDS.into_iter().chain(ALONE) {
            decoded(name, payload(bytes.clone()));
        }
    }

    #[test]
    fn any_cut_or_flipped_payload_is_taken_or_refused(which in 0..9_usize, at in any::<usize>(), to in any::<u8>()) {
        let name = RECORDS.into_iter().chain(ALONE).nth(which).unwrap();
        let mut bytes = fixture(name).into_bytes();
        let at = at % bytes.len();
        decoded(name, payload(bytes[..at].to_vec()));
        bytes[at] = to;
        decoded(name, payload(bytes));
    }

    #[test]
    fn any_json_anywhere_is_taken_or_refused(which in 0..9_usize, at in any::<usize>(), other in any_json()) {
        let name = RECORDS.into_iter().chain(ALONE).nth(which).unwrap();
        let value: Value = serde_json::from_str(&fixture(name)).unwrap();
        decoded(name, payload(changed(&value, at, other).to_string()));
    }

    #[test]
    fn any_json_in_a_record_spoils_no_other(which in 0..5_usize, at in any::<usize>(), other in any_json()) {
        let name = RECORDS[which];
        let good: Value = serde_json::from_str(&fixture(name)).unwrap();
        let good = &good["Records"][0];
        let bad = changed(good, at, other);
        let records = json!({ "Records": [good, bad, good] }).to_string();
        let all = decoded(name, payload(records)).unwrap();
        let alone = decoded(name, payload(json!({ "Records": [good] }).to_string())).unwrap();
        prop_assert_eq!(&all[0], &alone[0]);
        prop_assert_eq!(all.last(), alone.last());
        prop_assert!(all.len() >= 3, "the bad record is an event too");
    }
}
