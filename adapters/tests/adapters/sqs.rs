use fourstroke::{
    event::{Decoded, Event},
    ports::Trigger,
    testkit::{retry_from, trigger},
};
use fourstroke_adapters::sqs::SqsTrigger;
use serde_json::{Value, json};

use super::lambda::{self, attributes, decode, events, fixture, identifiers, records, text, undecodable};

const QUEUE: &str = "arn:aws:sqs:us-east-2:123456789012:orders";

fn message(queue: &str, group: Option<&str>, place: usize, body: &str) -> Value {
    let mut attributes = json!({ "SentTimestamp": "1545082649183" });
    if let Some(group) = group {
        attributes["MessageGroupId"] = json!(group);
        attributes["SequenceNumber"] = json!(format!("188494964604676{place:05}"));
    }
    json!({
        "messageId": format!("message-{place}"),
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
    })
}

#[test]
fn trigger_keeps_the_contract() {
    for groups in [0, 1, 3] {
        let queue = if groups == 0 { QUEUE.to_owned() } else { format!("{QUEUE}.fifo") };
        let payload = |raw: &[trigger::Raw]| {
            records(raw.iter().enumerate().map(|(place, raw)| {
                let mut message = message(&queue, Some(&raw.group), place, text(&raw.body));
                if raw.bad {
                    message["body"] = json!(["no text"]);
                }
                message
            }))
        };
        trigger::suite(&SqsTrigger, payload, lambda::messages, lambda::each(groups, 9));
    }
}

#[test]
fn messages_are_taken_apart_as_documented() {
    let events = events(&SqsTrigger, fixture("sqs"));
    let own = [("channel", "web"), ("signature", "AQID"), ("ApproximateReceiveCount", "1")];
    let system = [
        ("SentTimestamp", "1545082649183"),
        ("SenderId", "AIDAIENQZJOLO23YVJ4VO"),
        ("ApproximateFirstReceiveTimestamp", "1545082649185"),
    ];
    let expected = Event {
        time: Some("2018-12-17T21:37:29.183Z".parse().unwrap()),
        attributes: own.into_iter().chain(system).map(|(name, value)| (name.into(), value.into())).collect(),
        ..Event::new(format!("{QUEUE}/059f36b4-87a3-44ab-83d2-661975830a7d"), r#"{"id": "order-1", "amount": 42.5}"#)
    };
    assert_eq!((&events[0], events.len()), (&expected, 2));
}

#[test]
fn a_fifo_queue_has_groups() {
    let decoded = decode(&SqsTrigger, fixture("sqs_fifo"));
    let seen: Vec<_> = decoded
        .iter()
        .map(Decoded::event)
        .map(|event| {
            (event.group.as_deref().unwrap(), event.key.as_deref().unwrap(), event.position.as_deref().unwrap())
        })
        .collect();
    let (first, second) = (format!("{QUEUE}.fifo/customer-1"), format!("{QUEUE}.fifo/customer-2"));
    assert_eq!(
        seen,
        [
            (&*first, "customer-1", "18849496460467696128"),
            (&*second, "customer-2", "18849496460467696384"),
            (&*first, "customer-1", "18849496460467696640"),
        ]
    );
    let reply = SqsTrigger.reply(&retry_from(decoded, &[0]));
    let group = ["11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", "7f8f9c1b-1a8e-4cf5-9f1b-3a3f9d6f1c22"];
    assert_eq!(identifiers(&reply), group, "the message and its group's rest");
}

#[test]
fn groups_of_other_queues_are_no_order() {
    let fair = message(QUEUE, Some("tenant"), 1, "{}");
    let event = &events(&SqsTrigger, records([fair]).body)[0];
    assert_eq!((&event.group, &event.key, &event.position), (&None, &None, &None));
    assert_eq!(event.attribute("MessageGroupId").map(|group| &**group), Some("tenant"));
}

#[test]
fn what_another_service_wrapped_stays_as_it_is() {
    let wrapped = r#"{"Type": "Notification", "Message": "{\"id\": \"größer\"}"}"#;
    let body = records([message(QUEUE, None, 1, wrapped)]).body;
    assert_eq!(text(&events(&SqsTrigger, body)[0].body), wrapped);
}

#[test]
fn a_messages_own_attributes_are_found_first() {
    let mut mine = message(QUEUE, None, 1, "{}");
    mine["messageAttributes"] = json!({
        "senttimestamp": { "stringValue": "mine", "dataType": "String" },
        "nothing": { "dataType": "String" },
    });
    let event = &events(&SqsTrigger, records([mine]).body)[0];
    assert_eq!(event.attribute("SentTimestamp").map(|value| &**value), Some("mine"));
    assert_eq!(attributes(event), [("senttimestamp", "mine"), ("SentTimestamp", "1545082649183")]);
    assert_eq!(event.time.unwrap().timestamp_millis(), 1_545_082_649_183, "the queue's own word counts");
}

#[test]
fn a_bad_message_spoils_no_other() {
    let good = |place| message(QUEUE, None, place, "{}");
    let changed = |name: &str, value: Value| {
        let mut message = good(1);
        message[name] = value;
        message
    };
    for (bad, known) in [
        (changed("body", json!(null)), true),
        (changed("attributes", json!({ "SentTimestamp": 7 })), true),
        (changed("messageAttributes", json!({ "a": "b" })), true),
        (changed("messageId", json!(7)), false),
        (changed("eventSourceARN", json!(null)), false),
        (json!(7), false),
    ] {
        let decoded = decode(&SqsTrigger, records([good(0), bad.clone(), good(2)]).body);
        assert!(matches!((&decoded[0], &decoded[2], decoded.len()), (Decoded::Event(_), Decoded::Event(_), 3)));
        let (event, _) = undecodable(decoded[1].clone());
        assert_eq!((text(&event.body), event.stable_id), (&*bad.to_string(), known));
        let expected = if known { "message-1" } else { "" };
        assert_eq!(identifiers(&SqsTrigger.reply(&retry_from(decoded, &[1]))), [expected], "{bad}");
    }
    let odd = |value: &str| changed("attributes", json!({ "SentTimestamp": value }));
    let events = events(&SqsTrigger, records([odd("soon"), odd("99999999999999999999"), odd("1")]).body);
    assert_eq!(events.iter().filter(|event| event.time.is_some()).count(), 1, "a bad time is no reason to refuse it");
}
