//! Payloads of every service, as AWS documents them.

use serde_json::{Value, json};

use crate::{
    function::{Function, PIPELINE, changes, fixture, well},
    receiver::Receiver,
};

/// Invokes a function with a payload of that name; gives the answer, and the ids that were acted on.
fn answered(name: &str, pipeline: &str) -> Option<(Value, Vec<String>)> {
    let receiver = Receiver::well();
    let variables = [("RECEIVER", receiver.url.as_str()), ("CORS_ORIGINS", "https://shop.example")];
    let function = Function::deploy(pipeline, &variables)?;
    let answer = function.invoke(&fixture(name));
    assert_eq!(receiver.taken("/dead"), [], "{}", function.rie.log());
    Some((answer, receiver.acted()))
}

#[test]
fn kinesis() {
    let Some((answer, acted)) = answered("kinesis", PIPELINE) else { return };
    assert_eq!((answer, acted), (well(), vec!["order-1".to_owned()]), "the second order is too small");
}

#[test]
fn sqs() {
    for queue in ["sqs", "sqs_fifo"] {
        let Some((answer, acted)) = answered(queue, PIPELINE) else { return };
        assert_eq!(answer, well());
        assert!(!acted.is_empty(), "{queue}");
    }
}

#[test]
fn dynamodb_streams() {
    let Some((answer, acted)) = answered("dynamodb", &changes()) else { return };
    assert_eq!(answer, well());
    assert!(!acted.is_empty());
}

#[test]
fn services_that_look_at_failures_alone() {
    for service in ["sns", "event_bridge", "iot"] {
        let Some((answer, acted)) = answered(service, PIPELINE) else { return };
        assert_eq!((answer, acted.is_empty()), (Value::Null, false), "{service}");
    }
}

#[test]
fn http() {
    for service in ["function_url", "api_gateway_v2"] {
        let Some((answer, acted)) = answered(service, PIPELINE) else { return };
        assert_eq!(answer["statusCode"], 200, "{service}: {answer}");
        assert_eq!(answer["headers"]["access-control-allow-origin"], "https://shop.example", "{service}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["disposition"], "acted", "{service}");
        assert_eq!(body["actions"], json!([{ "name": "confirm", "data": { "id": acted[0], "amount": 42.5 } }]));
    }
}
