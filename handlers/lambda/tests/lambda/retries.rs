//! What is to be asked for again: the answer names the first, nothing behind it acts, and what repeats is counted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::{
    function::{Function, PIPELINE, from, kinesis, order, well},
    receiver::{Asked, Receiver},
};

fn ids(asked: &[Asked]) -> Vec<String> {
    let id = |asked: &Asked| serde_json::from_str::<Value>(&asked.body).unwrap()["id"].as_str().unwrap().to_owned();
    let mut ids: Vec<String> = asked.iter().map(id).collect();
    ids.sort_by_key(|id| id.rsplit('-').next().unwrap().parse::<usize>().unwrap());
    ids
}

fn orders(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|n| format!("order-{n}")).collect()
}

#[test]
fn a_lookup_that_fails_lets_nothing_behind_it_act() {
    let down = Arc::new(AtomicBool::new(true));
    let is_down = down.clone();
    let receiver = Receiver::start(move |asked| match asked.path.as_str() {
        "/customers/37" if is_down.load(Ordering::SeqCst) => (503, String::new()),
        "/customers/37" => (200, r#"{"level": 3}"#.to_owned()),
        _ => (200, String::new()),
    });
    let Some(function) = Function::deploy(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let mut bodies: Vec<String> = (1..=100).map(order).collect();
    bodies[36] = json!({ "id": "order-37", "amount": 42.5, "account": "37" }).to_string();

    assert_eq!(function.invoke(&kinesis(&bodies)), from(36), "the answer names the 37th");
    assert_eq!(ids(&receiver.taken("/out")), orders(1..=36), "36 act, none behind");

    down.store(false, Ordering::SeqCst);
    // From there on they are delivered again.
    let mut again = kinesis(&bodies);
    again["Records"].as_array_mut().unwrap().drain(..36);
    assert_eq!(function.invoke(&again), well());
    assert_eq!(ids(&receiver.taken("/out")), orders(1..=100), "each once");
    assert!(receiver.taken("/dead").is_empty());
}

#[test]
fn a_send_that_fails_repeats_what_was_sent_behind_it() {
    let down = Arc::new(AtomicBool::new(true));
    let is_down = down.clone();
    let receiver = Receiver::start(move |asked| match asked.path.as_str() {
        "/out" if asked.body.contains("order-37\"") && is_down.load(Ordering::SeqCst) => (503, String::new()),
        _ => (200, String::new()),
    });
    let Some(function) = Function::deploy(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let bodies: Vec<String> = (1..=100).map(order).collect();
    assert_eq!(function.invoke(&kinesis(&bodies)), from(36), "the answer names the 37th");
    let sent = receiver.taken("/out").len();
    assert_eq!(sent, 99, "of other keys, they did not wait for it");

    down.store(false, Ordering::SeqCst);
    let mut again = kinesis(&bodies);
    again["Records"].as_array_mut().unwrap().drain(..36);
    assert_eq!(function.invoke(&again), well());
    let all = receiver.taken("/out");
    assert_eq!(all.len() - 100, 63, "those behind it are sent again: without `once`");
    let mut keys: Vec<&str> = all.iter().map(|asked| asked.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100, "under the keys they had");
}
