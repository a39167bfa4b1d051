use std::{path::Path, sync::Arc};

use fourstroke::{
    clock::Deadline,
    config::{Environment, PipelineFile},
    error::{Code, Error, Stage},
    event::{Decoded, Event},
    pipeline::Builder,
    ports::Trigger,
    report::{Disposition, Report},
    testkit::{report, retry_from, trigger},
};
use fourstroke_adapters::{
    function_url::{Cors, FunctionUrlTrigger, Response},
    open::Adapters,
};
use serde_json::{Value, json};

use super::lambda::{self, decode, events, fixture, of_json, text, undecodable};

const BODY: &str = r#"{"id": "order-1", "amount": 42.5}"#;

fn request(headers: Value, body: Value) -> Value {
    json!({
        "version": "2.0",
        "headers": headers,
        "requestContext": { "http": { "method": "POST" }, "requestId": "r-1", "timeEpoch": 1583348638390_i64 },
        "body": body,
        "isBase64Encoded": false,
    })
}

fn shop() -> FunctionUrlTrigger {
    FunctionUrlTrigger::new(Cors {
        origins: vec!["https://shop.example".to_owned(), "http://localhost:3000".to_owned()],
    })
}

#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| {
        let mut request = request(json!({ "idempotency-key": "i-1" }), json!(text(&raw[0].body)));
        request["isBase64Encoded"] = json!(raw[0].bad);
        of_json(&request)
    };
    let asked = |response: &Response, _: &[Decoded]| if response.status_code == 503 { vec![0] } else { vec![] };
    trigger::suite(&FunctionUrlTrigger::default(), payload, asked, lambda::each(0, 1));
}

#[test]
fn requests_are_taken_apart_as_documented() {
    for name in ["function_url", "api_gateway_v2"] {
        let event = events(&FunctionUrlTrigger::default(), fixture(name)).remove(0);
        assert_eq!((&*event.id, event.stable_id), ("8e03978e-40d5-43e8-bc93-6894a57f9324", true));
        assert_eq!((text(&event.body), &event.key, &event.group), (BODY, &None, &None));
        assert_eq!(event.time.unwrap().timestamp_millis(), 1_583_348_638_390);
        assert_eq!(event.attribute("Content-Type").map(|kind| &**kind), Some("application/json"));
        assert_eq!(event.attribute("authorization"), None, "attributes go into dead letters");
    }
}

#[test]
fn without_an_idempotency_key_the_id_is_not_stable() {
    let event = |request: Value| events(&FunctionUrlTrigger::default(), request.to_string()).remove(0);
    let plain = event(request(json!({ "idempotency-key": "" }), json!("{}")));
    assert_eq!((&*plain.id, plain.stable_id), ("r-1", false));
    let mut bare = request(json!(null), json!(null));
    bare["requestContext"] = json!({ "http": { "method": "POST" } });
    let (one, other) = (event(bare.clone()), event(bare));
    assert!(one.id != other.id && !one.stable_id && one.time.is_none() && one.body.is_empty());
    assert_eq!(&*event(request(json!({ "IDEMPOTENCY-KEY": "k" }), json!("{}"))).id, "k");
}

#[test]
fn a_body_that_is_not_base64_is_kept_as_it_came() {
    let mut request = request(json!({ "authorization": "secret" }), json!("no base64"));
    request["isBase64Encoded"] = json!(true);
    let (event, reason) = undecodable(decode(&FunctionUrlTrigger::default(), request.to_string()).remove(0));
    assert_eq!((text(&event.body), reason.contains("base64")), ("no base64", true));
}

#[test]
fn another_payload_is_refused() {
    for body in ["{}", r#"{"requestContext": {}}"#, r#"{"requestContext": {"http": {}}, "body": ""}"#, "3"] {
        let error = FunctionUrlTrigger::default().decode(lambda::payload(body)).unwrap_err();
        assert_eq!(error.code.as_str(), "FS-D005", "{body}");
    }
}

fn one() -> Vec<Decoded> {
    vec![Event::new("e", BODY).into()]
}

fn answer(report: &Report) -> (u16, Value) {
    let response = FunctionUrlTrigger::default().reply(report);
    assert_eq!(response.headers["content-type"], "application/json");
    assert_eq!(response.headers.contains_key("retry-after"), response.status_code == 503);
    (response.status_code, serde_json::from_str(&response.body).unwrap())
}

#[test]
fn one_event_is_answered_with_what_became_of_it() {
    for (end, word) in
        [(Disposition::Passed, "passed"), (Disposition::Acted, "acted"), (Disposition::Skipped, "skipped")]
    {
        let report = report(one(), |_| end);
        let id = &*report.decisions[0].id;
        assert_eq!(answer(&report), (200, json!({ "decision_id": id, "disposition": word, "actions": [] })));
    }
    let (status, body) = answer(&report(one(), |_| Disposition::DeadLettered));
    assert_eq!((status, &body["code"], &body["reason"]), (422, &json!("FS-D001"), &json!("made up by the testkit")));

    let mut again = retry_from(one(), &[0]);
    let (status, body) = answer(&again);
    assert_eq!((status, &body["code"], body.get("reason")), (503, &json!("FS-A002"), None), "why is our business");
    again.fatal = Some(Error::fatal(Stage::Act, Code::SINK_FATAL, "made up"));
    assert_eq!(answer(&again).0, 500);
    assert_eq!(answer(&Report::default()).0, 503, "nothing was decided");
}

const PIPELINE: &str = r#"
fourstroke: v1
name: orders
sinks: { out: "memory:", dead: "memory:" }
event: { format: jsonl, fields: { id: string, amount: float } }
act:
  rules:
    - { name: thank, when: .amount > 10.0, to: out, data: '{ "order": .id }' }
on_error: { to: dead }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_has_what_was_chosen() {
    let file = PipelineFile::parse(Path::new("pipeline.yaml"), PIPELINE, &Environment::default()).unwrap();
    let open = Adapters::new(|_, _| Err("there is no model".to_owned()));
    let pipeline = Builder::new(file).open(&open).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let answered = async |body: &str| {
        let decoded = decode(&FunctionUrlTrigger::default(), request(json!({}), json!(body)).to_string());
        answer(&pipeline.run(decoded, Deadline::after(std::time::Duration::from_secs(5))).await)
    };
    let (status, body) = answered(BODY).await;
    assert_eq!((status, &body["disposition"]), (200, &json!("acted")));
    assert_eq!(body["actions"], json!([{ "name": "thank", "data": { "order": "order-1" } }]));
    let (status, body) = answered("{\"id\": 3}").await;
    assert_eq!((status, &body["code"]), (422, &json!("FS-D003")));
    let (status, body) = answered(&format!("{BODY}\n{{}}")).await;
    assert_eq!((status, &body[0]["status"], &body[1]["status"]), (200, &json!(200), &json!(422)));
}

#[test]
fn several_events_are_answered_one_by_one() {
    let ends = [Disposition::Acted, Disposition::DeadLettered, Disposition::Retry];
    let mut report = report([one(), one(), one()].concat(), |place| ends[place]);
    // One body held all three.
    report.inputs = Arc::from(one());
    report.decisions.iter_mut().for_each(|decision| decision.input = 0);
    let (status, body) = answer(&report);
    let statuses: Vec<_> = body.as_array().unwrap().iter().map(|entry| entry["status"].as_u64().unwrap()).collect();
    assert_eq!((status, statuses), (200, vec![200, 422, 503]));
}

#[test]
fn a_response_is_what_the_platform_reads() {
    let response = FunctionUrlTrigger::default().reply(&report(one(), |_| Disposition::Passed));
    let response = serde_json::to_value(&response).unwrap();
    let names: Vec<_> = response.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["body", "headers", "statusCode"]);
}

fn asked_from(trigger: &FunctionUrlTrigger, origin: Option<&str>) -> Response {
    let headers = origin.map_or(json!({}), |origin| json!({ "origin": origin }));
    let decoded = trigger.decode(of_json(&request(headers, json!("{}")))).unwrap();
    trigger.reply(&report(decoded, |_| Disposition::Passed))
}

#[test]
fn pages_of_other_origins_may_ask_where_that_is_allowed() {
    let header = |response: &Response, name: &str| response.headers.get(name).cloned();
    let allowed = "access-control-allow-origin";
    let known = asked_from(&shop(), Some("https://shop.example"));
    assert_eq!(header(&known, allowed).as_deref(), Some("https://shop.example"));
    for stranger in [None, Some("https://shop.example.evil"), Some("null"), Some("https://SHOP.example"), Some("")] {
        let response = asked_from(&shop(), stranger);
        assert_eq!((header(&response, allowed), header(&response, "vary").as_deref()), (None, Some("Origin")));
    }
    let everyone = FunctionUrlTrigger::new(Cors { origins: vec!["*".to_owned()] });
    assert_eq!(header(&asked_from(&everyone, Some("https://any.example")), allowed).as_deref(), Some("*"));
    let nobody = asked_from(&FunctionUrlTrigger::default(), Some("https://shop.example"));
    assert_eq!(nobody.headers.len(), 1, "the content type alone");
}

#[test]
fn preflights_are_answered_without_an_event() {
    let asked = |origin: &str| {
        let headers = json!({
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,idempotency-key",
        });
        let mut request = request(headers, json!(null));
        request["requestContext"]["http"]["method"] = json!("OPTIONS");
        of_json(&request)
    };
    let response = shop().preflight(&asked("http://localhost:3000")).unwrap();
    assert_eq!((response.status_code, &*response.body), (204, ""));
    assert_eq!(response.headers["access-control-allow-origin"], "http://localhost:3000");
    assert_eq!(response.headers["access-control-allow-methods"], "POST");
    assert_eq!(response.headers["access-control-allow-headers"], "content-type,idempotency-key");
    let stranger = shop().preflight(&asked("https://evil.example")).unwrap();
    assert!(stranger.headers.keys().all(|name| !name.starts_with("access-control")));
    assert!(FunctionUrlTrigger::default().preflight(&asked("https://shop.example")).unwrap().headers.is_empty());
    assert_eq!(shop().preflight(&lambda::payload(fixture("function_url"))), None);
    assert_eq!(shop().preflight(&lambda::payload("garbage")), None);
}
