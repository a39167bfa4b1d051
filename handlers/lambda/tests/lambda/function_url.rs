//! What a caller over HTTP is told when something fails, of several events in one body, and to a page of another origin.

use serde_json::{Value, json};

use crate::{
    function::{Function, PIPELINE, fixture},
    receiver::Receiver,
    retries::orders,
};

const SHOP: &str = "https://shop.example";

fn request(body: &str) -> Value {
    let mut request = fixture("function_url");
    request["body"] = json!(body);
    request
}

/// Asks a function whose sink answers orders with this status; gives its answer, and what its body says.
fn asked(status: u16, pipeline: &str, body: &str) -> Option<(Value, Value, Receiver)> {
    let receiver = Receiver::failing("/out", "order-1\"", status);
    let variables = [("RECEIVER", receiver.url.as_str()), ("CORS_ORIGINS", SHOP)];
    let function = Function::deploy_failing(pipeline, &variables)?;
    let answer = function.invoke(&request(body));
    assert_eq!(answer["headers"]["access-control-allow-origin"], SHOP, "a page may read failures too: {answer}");
    let said = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    Some((answer, said, receiver))
}

const GOOD: &str = r#"{"id": "order-1", "amount": 42.5}"#;
const POISON: &str = r#"{"id": "order-2", "amount": "much"}"#;

#[test]
fn what_can_be_tried_again_is_to_come_again() {
    let Some((answer, said, _)) = asked(503, PIPELINE, GOOD) else { return };
    assert_eq!((&answer["statusCode"], &answer["headers"]["retry-after"]), (&json!(503), &json!("1")), "{answer}");
    assert_eq!((&said["disposition"], &said["code"]), (&json!("retry"), &json!("FS-A002")));
    assert_eq!(said.get("reason"), None, "which sink it was is not the caller's business");
}

#[test]
fn poison_is_told_with_its_reason() {
    let Some((answer, said, receiver)) = asked(503, PIPELINE, POISON) else { return };
    assert_eq!((&answer["statusCode"], &answer["headers"]["retry-after"]), (&json!(422), &Value::Null), "{answer}");
    assert_eq!((&said["disposition"], &said["code"]), (&json!("dead-lettered"), &json!("FS-D003")));
    assert!(said["reason"].as_str().unwrap().contains("amount"), "{said}");
    assert_eq!(receiver.taken("/dead").len(), 1);
}

#[test]
fn what_somebody_has_to_mend_is_an_error_of_the_server() {
    let Some((answer, said, _)) = asked(403, PIPELINE, GOOD) else { return };
    assert_eq!((&answer["statusCode"], &answer["headers"]["retry-after"]), (&json!(500), &Value::Null), "{answer}");
    assert_eq!((&said["disposition"], &said["code"]), (&json!("retry"), &json!("FS-A004")));
}

#[test]
fn each_of_several_events_has_its_own_status() {
    let pipeline = PIPELINE.replace("event:\n", "event:\n  format: jsonl\n");
    let (small, other) = (r#"{"id": "order-3", "amount": 7}"#, r#"{"id": "order-4", "amount": 42.5}"#);
    let statuses =
        |said: &Value| -> Vec<Value> { said.as_array().unwrap().iter().map(|entry| entry["status"].clone()).collect() };
    let Some((answer, said, receiver)) = asked(503, &pipeline, &[other, POISON, small].join("\n")) else { return };
    assert_eq!((&answer["statusCode"], statuses(&said)), (&json!(200), vec![json!(200), json!(422), json!(200)]));
    assert_eq!((&said[0]["disposition"], &said[2]["disposition"]), (&json!("acted"), &json!("passed")));
    assert_eq!((&said[0]["actions"][0]["data"]["id"], &said[1]["code"]), (&json!("order-4"), &json!("FS-D003")));
    assert_eq!((receiver.acted(), receiver.taken("/dead").len()), (orders(4..=4), 1));

    let Some((answer, said, receiver)) = asked(503, &pipeline, &[other, GOOD, small].join("\n")) else { return };
    assert_eq!((&answer["statusCode"], statuses(&said)), (&json!(200), vec![json!(503); 3]), "one body, one fate");
    assert_eq!((&said[1]["code"], &said[2]["code"]), (&json!("FS-A002"), &json!("FS-B001")));
    assert!(receiver.taken("/log").is_empty());
}

#[test]
fn a_page_of_another_origin_may_ask_if_it_is_named() {
    let receiver = Receiver::well();
    let variables = [("RECEIVER", receiver.url.as_str()), ("CORS_ORIGINS", SHOP)];
    let Some(function) = Function::deploy(PIPELINE, &variables) else { return };
    let preflight = |origin: &str| {
        let mut request = request("");
        request["requestContext"]["http"]["method"] = json!("OPTIONS");
        request["headers"] = json!({ "origin": origin, "access-control-request-headers": "idempotency-key",
                                     "access-control-request-method": "POST" });
        let answer = function.invoke(&request);
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(204), &json!("")), "{answer}");
        answer["headers"].clone()
    };
    let allowed = preflight(SHOP);
    assert_eq!(allowed["access-control-allow-origin"], SHOP, "{allowed}");
    assert_eq!(allowed["access-control-allow-methods"], "POST");
    assert_eq!(allowed["access-control-allow-headers"], "idempotency-key");
    let refused = preflight("https://evil.example");
    let names: Vec<&String> = refused.as_object().unwrap().keys().collect();
    assert!(!names.iter().any(|name| name.starts_with("access-control-")), "{refused}");
    assert!(receiver.taken("/log").is_empty() && receiver.taken("/dead").is_empty(), "it is no event");
}
