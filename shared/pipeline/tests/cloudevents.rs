//! CloudEvents in their three ways, and what each refusal says.

mod common;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{World, bodies, run};
use fourstroke::event::Event;
use serde_json::{Value, json};

/// Runs one body through a pipeline that reads CloudEvents; gives what is kept of each event, or its code and reason, and
/// the dead letters.
async fn read(section: &str, event: Event) -> (Vec<Value>, Vec<Value>) {
    let yaml = format!(
        "fourstroke: v1\nname: d\nsinks: {{ out: 'memory:', log: 'memory:', dead: 'memory:' }}\n\
         event: {{ format: cloudevents, {section} }}\n\
         act: {{ rules: [{{ name: tell, to: out, data: '{{ \"id\": %id, \"key\": %key, \"time\": %time, \"of\": %attributes, \"fields\": . }}' }}] }}\n\
         on_error: {{ to: dead }}\n"
    );
    let world = World::default();
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![event.into()]).await;
    let mut told = bodies(&world.out).into_iter();
    let seen = report.decisions.iter().map(|decision| match &decision.error {
        Some(error) => json!([error.code.as_str(), error.reason]),
        None => told.next().expect("an action"),
    });
    (seen.collect(), bodies(&world.dead))
}

const FIELDS: &str = "fields: { amount: float, note: 'string?' }";

fn order() -> Value {
    json!({
        "specversion": "1.0", "id": "7", "source": "/shop", "type": "order.placed", "subject": "o7",
        "time": "2013-10-01T00:00:00.5+02:00", "partitionkey": "c1", "attempt": 2, "late": true, "gone": null,
        "data": { "amount": 12, "note": "hi", "more": [[]] }
    })
}

/// The order without some of its attributes and with others.
fn changed(with: Value) -> String {
    let mut order = order();
    for (name, value) in with.as_object().unwrap() {
        match value {
            Value::String(text) if text == "(none)" => drop(order.as_object_mut().unwrap().remove(name)),
            value => order[name] = value.clone(),
        }
    }
    order.to_string()
}

fn facts(of: &Value) -> [&Value; 4] {
    [&of["id"], &of["key"], &of["time"], &of["fields"]]
}

fn expected() -> [Value; 4] {
    [json!("/shop/7"), json!("c1"), json!("2013-09-30T22:00:00.500Z"), json!({ "amount": 12.0, "note": "hi" })]
}

#[tokio::test]
async fn structured_gives_the_events_own_facts_and_the_fields_of_its_data() {
    let mut event = Event::new("p", order().to_string());
    event.attributes = vec![("type".into(), "platform".into()), ("trace".into(), "t1".into())];
    let (seen, _) = read(FIELDS, event).await;
    assert_eq!(facts(&seen[0]).map(Value::clone), expected());
    let of = &seen[0]["of"];
    assert_eq!((&of["type"], &of["subject"], &of["trace"]), (&json!("order.placed"), &json!("o7"), &json!("t1")));
    assert_eq!((&of["attempt"], &of["late"], of.get("gone")), (&json!("2"), &json!("true"), None));
    let (overridden, _) =
        read("id: .note, key: .note, fields: { note: string }", Event::new("p", order().to_string())).await;
    assert_eq!((&overridden[0]["id"], &overridden[0]["key"]), (&json!("hi"), &json!("hi")));
    let base64 = changed(json!({ "data": "(none)", "data_base64": STANDARD.encode("{\"amount\": 1}") }));
    let (seen, _) = read(FIELDS, Event::new("p", base64)).await;
    assert_eq!(seen[0]["fields"], json!({ "amount": 1.0, "note": null }));
}

#[tokio::test]
async fn data_is_read_only_where_a_field_of_it_is_declared() {
    for data in [json!("text"), json!([1]), json!(null), json!("(none)")] {
        let (seen, _) = read("fields: {}", Event::new("p", changed(json!({ "data": data })))).await;
        assert_eq!((&seen[0]["id"], &seen[0]["fields"]), (&json!("/shop/7"), &json!({})), "{data}");
    }
    let (all, _) = read("id: '%id'", Event::new("p", order().to_string())).await;
    assert_eq!(all[0]["fields"]["more"], json!([[]]));
    let (none, _) = read("fields: { note: 'string?' }", Event::new("p", changed(json!({ "data": "(none)" })))).await;
    assert_eq!(none[0]["fields"], json!({ "note": null }));
}

#[tokio::test]
async fn binary_takes_the_attributes_from_beside_the_body() {
    for (prefix, time) in
        [("ce-", "2013-10-01T00:00:00.5%2B02:00"), ("ce_", ""), ("cloudEvents:", ""), ("cloudEvents_", "")]
    {
        let time = if time.is_empty() { "2013-10-01T00:00:00.5+02:00" } else { time };
        let mut event = Event::new("p", r#"{"amount": 12, "note": "hi"}"#);
        let attributes = [
            ("specversion", "1.0"),
            ("id", "7"),
            ("source", "/shop"),
            ("type", "t"),
            ("time", time),
            ("partitionkey", "c1"),
        ];
        event.attributes =
            attributes.iter().map(|(name, value)| (format!("{prefix}{name}").into(), (*value).into())).collect();
        event.attributes.push(("Content-Type".into(), "application/json; charset=utf-8".into()));
        let (seen, _) = read(FIELDS, event.clone()).await;
        assert_eq!(facts(&seen[0]).map(Value::clone), expected(), "{prefix}");
        assert_eq!(seen[0]["of"]["datacontenttype"], "application/json; charset=utf-8");
        let mut text = event.clone();
        text.attributes.last_mut().unwrap().1 = "text/plain".into();
        let (seen, letters) = read(FIELDS, text).await;
        assert_eq!(seen[0], json!(["FS-D001", "the body is `text/plain`; fields are read of JSON only"]));
        assert_eq!(letters[0]["id"], "/shop/7", "what is known of a bad event is in its dead letter");
        event.attributes.retain(|(name, _)| !name.ends_with("id"));
        assert_eq!(read(FIELDS, event).await.0[0], json!(["FS-D001", "the CloudEvent has no `id`"]));
    }
    let mut quoted = Event::new("p", "{\"amount\": 1}");
    quoted.attributes = [("specversion", "1.0"), ("id", "\"a \\\"b\\\" %41%\""), ("source", "s%C3%A9"), ("type", "t")]
        .map(|(name, value)| (format!("CE-{name}").into(), value.into()))
        .to_vec();
    assert_eq!(read(FIELDS, quoted.clone()).await.0[0]["id"], "sé/a \"b\" A%25");
    quoted.attributes[2].1 = "%ff".into();
    let (seen, _) = read(FIELDS, quoted).await;
    assert!(seen[0][1].as_str().unwrap().contains("`ce-source` is not UTF-8"), "{seen:?}");
}

#[tokio::test]
async fn a_batch_is_an_event_each_and_a_bad_one_keeps_its_own_bytes() {
    let bad = r#"{"specversion":"1.0", "id":"8","source":"/shop", "type":"t", "data": {"amount": "x"}}"#;
    let no_id = r#"{ "specversion":"1.0" }"#;
    let body = format!(" [ {} ,\n{bad},7 , {no_id},{}]\n", order(), changed(json!({ "id": "9" })));
    let (seen, letters) = read(FIELDS, Event::new("p", body)).await;
    let ids: Vec<_> = [&seen[0]["id"], &seen[4]["id"], &letters[0]["id"], &letters[1]["id"], &letters[2]["id"]].into();
    assert_eq!(ids, ["/shop/7", "/shop/9", "/shop/8", "p/3", "p/4"]);
    let kept: Vec<_> =
        letters.iter().map(|letter| STANDARD.decode(letter["body_base64"].as_str().unwrap()).unwrap()).collect();
    assert_eq!(kept, [bad.as_bytes(), b"7", no_id.as_bytes()]);
    for (body, reason) in [
        ("[]", "the body is empty"),
        ("[{}", "a comma or `]` is missing"),
        ("[{},", "ends early"),
        ("[{},]", "in the event 2"),
        ("[{}] {}", "something follows"),
        ("[{\"a\"}]", "in the event 1"),
    ] {
        let (seen, letters) = read(FIELDS, Event::new("p", body)).await;
        assert!(seen.len() == 1 && seen[0][1].as_str().unwrap().contains(reason), "{body}: {seen:?}");
        assert_eq!(letters[0]["body_base64"], STANDARD.encode(body));
    }
    let mut named = Event::new("p", "{}");
    named.attributes.push(("content-type".into(), "application/cloudevents-batch+json".into()));
    assert!(read(FIELDS, named.clone()).await.0[0][1].as_str().unwrap().contains("it is no array"));
    named.attributes[0].1 = "application/cloudevents+avro".into();
    assert!(
        read(FIELDS, named).await.0[0][1].as_str().unwrap().contains("`application/cloudevents+avro` are not read")
    );
}

#[tokio::test]
async fn what_is_no_cloudevent_says_why() {
    let none = "(none)";
    for (with, code, reason) in [
        (json!({ "id": none }), "FS-D001", "has no `id`"),
        (json!({ "id": "" }), "FS-D001", "has no `id`"),
        (json!({ "source": none }), "FS-D001", "has no `source`"),
        (json!({ "type": null }), "FS-D001", "has no `type`"),
        (json!({ "specversion": none }), "FS-D001", "has no `specversion`"),
        (json!({ "specversion": "0.3" }), "FS-D001", "`specversion` is \"0.3\"; 1.0 is read"),
        (json!({ "time": "yesterday" }), "FS-D007", "`time` is \"yesterday\", which is not RFC 3339"),
        (json!({ "subject": {} }), "FS-D001", "`subject` must be text"),
        (json!({ "data_base64": "e30=" }), "FS-D001", "both `data` and `data_base64`"),
        (json!({ "data": none, "data_base64": "e3\n0=" }), "FS-D001", "not base64"),
        (json!({ "data": none, "data_base64": "e30" }), "FS-D001", "not base64"),
        (json!({ "data": none, "data_base64": "e30=", "datacontenttype": "avro/binary" }), "FS-D001", "`avro/binary`"),
        (json!({ "data": none, "data_base64": "e3t9" }), "FS-D001", "in `data_base64`: "),
        (json!({ "data": [1] }), "FS-D001", "in `data`: "),
        (json!({ "data": "{}" }), "FS-D001", "in `data`: "),
        (json!({ "data": none }), "FS-D002", "`amount` is missing"),
        (json!({ "data": { "amount": "x" } }), "FS-D003", "`amount` is \"x\""),
    ] {
        let body = changed(with);
        let (seen, _) = read(FIELDS, Event::new("p", body.clone())).await;
        assert_eq!(seen[0][0], code, "{body}: {seen:?}");
        assert!(seen[0][1].as_str().unwrap().contains(reason), "{body}: {seen:?}");
    }
    let many: serde_json::Map<String, Value> = (0..200).map(|place| (format!("a{place}"), json!(1))).collect();
    for (body, reason) in [
        ("{\"id\": \"1\", \"id\": \"2\"}".to_owned(), "`id` stands there twice"),
        ("{\"data\": 1, \"data\": 2}".to_owned(), "`data` stands there twice"),
        (changed(Value::Object(many)), "more than 128 attributes"),
        ("\u{feff}{}".to_owned(), "byte order mark"),
        ("x".to_owned(), "not a CloudEvent in JSON"),
    ] {
        let (seen, _) = read(FIELDS, Event::new("p", body.clone())).await;
        assert!(seen[0][1].as_str().unwrap().contains(reason), "{body}: {seen:?}");
    }
}
