//! Batches of every size, and poison among them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    function::{Function, PIPELINE, kinesis, order, sequence_number, well},
    receiver::Receiver,
};

/// A pipeline that acts on nothing: what many events cost a receiver that takes them one by one is not looked at here.
fn quiet() -> String {
    PIPELINE.replace("  log:  \"${RECEIVER}/log\"\n", "").replace("log: { to: log }\n", "")
}

#[test]
fn batches_of_every_size() {
    let receiver = Receiver::well();
    let Some(function) = Function::deploy(&quiet(), &[("RECEIVER", &receiver.url)]) else { return };
    for size in [1, 100, 10_000] {
        let small: Vec<String> = (0..size).map(|n| json!({ "id": n.to_string(), "amount": 1.5 }).to_string()).collect();
        assert_eq!(function.invoke(&kinesis(&small)), well(), "{size}");
    }
    // As much as a payload may have: 6 MB.
    let large = json!({ "id": "large", "amount": 1.5, "note": "é".repeat(16_000) }).to_string();
    let mut bodies = Vec::new();
    while kinesis(&bodies).to_string().len() < 5_900_000 {
        bodies.extend(vec![large.clone(); 20]);
    }
    assert_eq!(function.invoke(&kinesis(&bodies)), well(), "{} large ones", bodies.len());
    assert!(receiver.taken("/dead").is_empty());
    let metrics = function.metrics();
    let events: Vec<u64> = metrics.iter().map(|line| line["events"].as_u64().unwrap()).collect();
    assert_eq!(events, [1, 100, 10_000, bodies.len() as u64]);
    assert!(metrics[0]["cold_start"].is_f64() && metrics[1]["cold_start"].is_null(), "told once");
    assert!(metrics.iter().all(|line| line["passed"] == line["events"] && line["whole"].is_f64()));
}

#[test]
fn poison_is_dead_lettered_and_stops_nobody() {
    let receiver = Receiver::well();
    let Some(function) = Function::deploy(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let mut bodies: Vec<String> = (1..=100).map(order).collect();
    bodies[36] = r#"{"id": "order-37", "amount": "a secret"}"#.to_owned();
    assert_eq!(function.invoke(&kinesis(&bodies)), well());

    let acted = receiver.taken("/out");
    assert_eq!(acted.len(), 99, "36 before it, 63 behind it");
    let mut ids: Vec<&str> = acted.iter().map(|asked| asked.key.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 99, "nothing repeats");
    let dead = receiver.taken("/dead");
    let letter: Value = serde_json::from_str(&dead[0].body).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (&letter["stage"], &letter["code"], &letter["pipeline"]),
        (&json!("decode"), &json!("FS-D003"), &json!("orders"))
    );
    assert!(letter["reason"].as_str().unwrap().contains("amount"), "{letter}");
    assert_eq!(STANDARD.decode(letter["body_base64"].as_str().unwrap()).unwrap(), bodies[36].as_bytes());
    assert_eq!(receiver.taken("/log").len(), 99 + 1, "one entry per event");

    let metrics = function.metrics();
    assert_eq!(metrics[0]["requests"], 99 + 100 + 1, "each is counted, as all are posted one by one");

    let log = function.rie.log();
    assert!(log.contains("FS-D003") && log.contains(&sequence_number(36)), "logs have the event's id and code\n{log}");
    assert!(log.contains("\"request_id\":\""), "and the invocation's id\n{log}");
    assert!(!log.contains("a secret") && !log.contains("42.5"), "and nothing of a body\n{log}");
}
