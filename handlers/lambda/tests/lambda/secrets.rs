//! Nothing of a body and no credential stands in the log, however much is logged and whatever fails.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    function::{PIPELINE, fixture, from, kinesis, order, well},
    process::Process,
    receiver::Receiver,
    runtime::{Answer, Invocation, Runtime},
};

const BODY: &str = "planted-body-text";
const KEY: &str = "planted/secret+key";
const TOKEN: &str = "planted-session-token";

/// What is planted, in poison: reasons quote values.
fn poison() -> String {
    json!({ "id": "order-1", "amount": BODY }).to_string()
}

/// Invokes a function that logs all it can; gives the answers, once its log was looked through.
fn looked_through(pipeline: &str, dead: u16, payloads: &[Value]) -> Vec<Answer> {
    let receiver = Receiver::failing("/dead", "", dead);
    let runtime = Runtime::start();
    let variables = [
        ("RECEIVER", receiver.url.as_str()),
        // What signs its calls.
        ("AWS_ENDPOINT_URL", &receiver.url),
        ("AWS_SECRET_ACCESS_KEY", KEY),
        ("AWS_SESSION_TOKEN", TOKEN),
        ("FOURSTROKE_LOG", "trace"),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("RUST_LOG", "trace"),
    ];
    let process = Process::start(&runtime, pipeline, &variables);
    let invocation = |payload: &Value| {
        let limit = std::time::Duration::from_secs(6);
        runtime.answered(Invocation { limit, ..Invocation::new(payload.clone()) })
    };
    let answers = payloads.iter().map(invocation).collect();
    let log = process.log();
    assert!(log.contains("\"batch\""), "it is a log\n{log}");
    for planted in [BODY, &STANDARD.encode(poison()), KEY, TOKEN] {
        let line = log.lines().find(|line| line.contains(planted));
        assert_eq!(line, None, "{planted} stands in the log");
    }
    answers
}

#[test]
fn of_poison() {
    let answers = looked_through(PIPELINE, 200, &[kinesis(&[poison()])]);
    assert_eq!(answers[0].body, well());
}

#[test]
fn of_poison_whose_dead_letter_cannot_be_written() {
    for dead in [503, 400, 403] {
        let answers = looked_through(PIPELINE, dead, &[kinesis(&[poison()])]);
        assert!(answers[0].failed || answers[0].body == from(0), "{answers:?}");
    }
}

#[test]
fn of_a_payload_that_is_refused() {
    let mut request = fixture("function_url");
    request["requestContext"]["timeEpoch"] = json!(BODY);
    let mut sns = fixture("sns");
    sns["Records"][0]["Sns"]["MessageId"] = json!({ BODY: BODY });
    let mut records = kinesis(&[poison()]);
    records["Records"][0]["kinesis"]["sequenceNumber"] = json!([BODY]);
    let event = json!({ "detail-type": [BODY], "detail": { "note": BODY } });
    let answers = looked_through(PIPELINE, 200, &[request, sns, records, event]);
    assert!(answers[0].failed, "{answers:?}");
}

#[test]
fn of_a_request_and_its_secrets() {
    let mut request = fixture("function_url");
    request["headers"]["authorization"] = json!(BODY);
    request["body"] = json!(poison());
    let answers = looked_through(PIPELINE, 200, &[request]);
    assert_eq!(answers[0].body["statusCode"], 422);
}

#[test]
fn of_events_a_breaker_holds() {
    let pipeline = PIPELINE.replace("on_error: { to: dead }", "on_error: { to: dead, stop_above: 20%, of_last: 10 }");
    let bodies: Vec<String> = (0..10).map(|_| poison()).collect();
    let payload = kinesis(&bodies);
    let answers = looked_through(&pipeline, 200, &[payload.clone(), payload]);
    assert!(answers[0].body != well() && answers[1].body != well(), "they are held: {answers:?}");
}

#[test]
fn of_a_notification() {
    let mut payload = fixture("sns");
    payload["Records"][0]["Sns"]["Message"] = json!(poison());
    assert_eq!(looked_through(PIPELINE, 200, std::slice::from_ref(&payload))[0].body, Value::Null);
    assert!(looked_through(PIPELINE, 503, &[payload])[0].failed);
}

#[test]
fn of_what_an_aws_service_does_not_take() {
    // The receiver's answer is nothing Kinesis says.
    let pipeline = PIPELINE
        .replace("\"${RECEIVER}/out\"", "\"kinesis://confirmed\"")
        .replace("\"amount\": .amount }'", &format!("\"amount\": .amount, \"note\": \"{BODY}\" }}'"));
    let answers = looked_through(&pipeline, 200, &[kinesis(&[order(1)])]);
    assert!(answers[0].failed || answers[0].body == from(0), "{answers:?}");
}
