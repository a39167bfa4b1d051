use fourstroke::{event::Event, testkit::trigger};
use fourstroke_adapters::sns::SnsTrigger;
use serde_json::{Value, json};

use super::lambda::{self, decode, events, fixture, records, text, undecodable};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

fn notification(place: usize, message: Value) -> Value {
    json!({
        "EventSource": "aws:sns",
        "Sns": { "MessageId": format!("m-{place}"), "TopicArn": TOPIC, "Message": message, "Subject": null },
    })
}

#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| {
        records(
            raw.iter()
                .enumerate()
                .map(|(place, raw)| notification(place, if raw.bad { json!(null) } else { json!(text(&raw.body)) })),
        )
    };
    for records in [1, 3] {
        let can = trigger::Capabilities { replay: trigger::Replay::Whole, ..lambda::each(0, records) };
        trigger::suite(&SnsTrigger, payload, lambda::whole, can);
    }
}

#[test]
fn notifications_are_taken_apart_as_documented() {
    let attributes = [("channel", "web"), ("signature", "AQID"), ("Subject", "an order")];
    let expected = Event {
        time: Some("2019-01-02T12:45:07Z".parse().unwrap()),
        attributes: attributes.map(|(name, value)| (name.into(), value.into())).to_vec(),
        ..Event::new(format!("{TOPIC}/95df01b4-ee98-5cb9-9903-4c221d41eb5e"), r#"{"id": "order-1", "amount": 42.5}"#)
    };
    assert_eq!(events(&SnsTrigger, fixture("sns")), [expected]);
}

#[test]
fn a_bad_notification_is_kept_as_it_came() {
    let bad = notification(1, json!(3));
    let (event, _) = undecodable(decode(&SnsTrigger, records([bad.clone()]).body).remove(0));
    assert_eq!((&*event.id, text(&event.body)), (&*format!("{TOPIC}/m-1"), &*bad.to_string()));
    let (event, _) = undecodable(decode(&SnsTrigger, records([json!({})]).body).remove(0));
    assert_eq!((&*event.id, event.stable_id), ("Records[0]", false));
}
