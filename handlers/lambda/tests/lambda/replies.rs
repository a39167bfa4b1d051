//! What streams, queues and topics are answered when something fails, and that all acts once it is mended.

use serde_json::{Value, json};

use crate::{
    function::{Function, PIPELINE, changes, fixture, redelivered, well},
    receiver::Receiver,
    retries::orders,
};

/// Answers that these are to come again.
fn again(identifiers: &[&str]) -> Value {
    let failures: Vec<_> = identifiers.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

#[test]
fn sqs_delivers_that_message_again() {
    let receiver = Receiver::failing("/out", "order-1\"", 503);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let mut payload = fixture("sqs");
    payload["Records"][1]["body"] = json!(r#"{"id": "order-2", "amount": 42.5}"#);
    let answer = function.invoke(&payload);
    assert_eq!(answer, again(&["059f36b4-87a3-44ab-83d2-661975830a7d"]), "{}", function.rie.log());
    assert_eq!(receiver.acted(), orders(2..=2), "the other one did not wait for it");

    receiver.mend();
    assert_eq!(function.invoke(&redelivered(&payload, ..1)), well());
    assert_eq!(receiver.acted(), orders(1..=2));
}

#[test]
fn sqs_fifo_delivers_the_rest_of_its_group_again_too() {
    let receiver = Receiver::failing("/out", "order-1\"", 503);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    // The third is of the group of the first, the second of another one.
    let payload = fixture("sqs_fifo");
    let of_the_group = ["11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", "7f8f9c1b-1a8e-4cf5-9f1b-3a3f9d6f1c22"];
    assert_eq!(function.invoke(&payload), again(&of_the_group), "{}", function.rie.log());
    assert!(receiver.acted().contains(&"order-2".to_owned()));

    receiver.mend();
    let mut rest = payload;
    rest["Records"].as_array_mut().unwrap().remove(1);
    assert_eq!(function.invoke(&rest), well());
    let mut acted = receiver.acted();
    acted.dedup();
    assert_eq!(acted, orders(1..=3));
}

#[test]
fn dynamodb_streams_deliver_from_that_record_on() {
    let receiver = Receiver::failing("/out", "c81e728d9d4c2f636f067f89cc14862c", 503);
    let Some(function) = Function::deploy_failing(&changes(), &[("RECEIVER", &receiver.url)]) else { return };
    let payload = fixture("dynamodb");
    assert_eq!(function.invoke(&payload), again(&["4421584500000000017450439092"]), "{}", function.rie.log());

    receiver.mend();
    assert_eq!(function.invoke(&redelivered(&payload, 1..)), well());
    assert!(receiver.taken("/out").iter().any(|asked| asked.body.contains("c81e728d9d4c2f636f067f89cc14862c")));
}

/// Of what has no answer for a part the whole invocation fails, and does not once the sink is up again.
fn fails_until_mended(service: &str) {
    let receiver = Receiver::failing("/out", "order-1\"", 503);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let failed = function.invoke(&fixture(service));
    assert!(failed["errorType"].is_string(), "{failed}\n{}", function.rie.log());
    let why = failed["errorMessage"].as_str().unwrap();
    assert!(why.contains("FS-A002") && why.contains("sink `out`"), "{why}");
    assert!(receiver.taken("/log").is_empty(), "it has not ended");

    receiver.mend();
    assert_eq!(function.invoke(&fixture(service)), Value::Null);
    assert_eq!((receiver.acted(), receiver.taken("/log").len()), (orders(1..=1), 1));
}

#[test]
fn sns_tries_again() {
    fails_until_mended("sns");
}

#[test]
fn event_bridge_tries_again() {
    fails_until_mended("event_bridge");
}

#[test]
fn iot_tries_again() {
    fails_until_mended("iot");
}
