use fourstroke::{event::Event, ports::Trigger, testkit::trigger};
use fourstroke_adapters::event_bridge::EventBridgeTrigger;
use serde_json::{Value, json};

use super::lambda::{self, decode, events, fixture, text, undecodable};

#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| {
        let mut event: Value = serde_json::from_str(&fixture("event_bridge")).unwrap();
        event.as_object_mut().unwrap().remove("detail");
        let event = event.to_string();
        // The detail's bytes as they are, which a JSON value would not keep.
        let open = event.strip_suffix('}').unwrap();
        let detail = if raw[0].bad { String::new() } else { format!(",\"detail\":{}", text(&raw[0].body)) };
        lambda::payload(format!("{open}{detail}}}"))
    };
    trigger::suite(&EventBridgeTrigger, payload, lambda::whole, lambda::each(0, 1));
}

#[test]
fn an_event_is_taken_apart_as_documented() {
    let attributes = [
        ("detail-type", "Order Placed"),
        ("source", "com.example.orders"),
        ("account", "111122223333"),
        ("region", "us-west-1"),
        ("resources", "[\n    \"arn:aws:s3:::orders\"\n  ]"),
    ];
    let expected = Event {
        time: Some("2017-12-22T18:43:48Z".parse().unwrap()),
        attributes: attributes.map(|(name, value)| (name.into(), value.into())).to_vec(),
        ..Event::new(
            "com.example.orders/6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "{\n    \"id\": \"order-1\",\n    \"amount\": 42.5\n  }",
        )
    };
    assert_eq!(events(&EventBridgeTrigger, fixture("event_bridge")), [expected]);
}

#[test]
fn an_object_that_is_no_event_is_kept_as_it_came() {
    let bad = json!({ "source": "s", "id": "größer\n", "detail-type": 3, "detail": {} });
    let (event, reason) = undecodable(decode(&EventBridgeTrigger, bad.to_string()).remove(0));
    assert_eq!((&*event.id, event.stable_id, text(&event.body)), ("s/größer\n", true, &*bad.to_string()));
    assert!(reason.contains("invalid type"), "{reason}");
    let (event, reason) = undecodable(decode(&EventBridgeTrigger, "{}").remove(0));
    assert_eq!((&*event.id, event.stable_id), ("event", false));
    assert!(reason.contains("missing field"), "{reason}");
    for garbage in ["[]", "7", "", "{\"id\": \"a\""] {
        assert_eq!(EventBridgeTrigger.decode(lambda::payload(garbage)).unwrap_err().code.as_str(), "FS-D005");
    }
}
