//! What is to be asked for again: the answer names the first, nothing behind it acts, and what repeats is counted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::{
    function::{Function, PIPELINE, from, kinesis, order, redelivered, well},
    receiver::Receiver,
};

/// The ids of orders.
pub fn orders(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|n| format!("order-{n}")).collect()
}

/// Takes everything, and knows a customer once it is no longer down.
pub fn customers(down: &Arc<AtomicBool>) -> Receiver {
    let down = down.clone();
    Receiver::start(move |asked| match asked.path.as_str() {
        "/customers/37" if down.load(Ordering::SeqCst) => (503, String::new()),
        "/customers/37" => (200, r#"{"level": 3}"#.to_owned()),
        _ => (200, String::new()),
    })
}

#[test]
fn a_lookup_that_fails_lets_nothing_behind_it_act() {
    let down = Arc::new(AtomicBool::new(true));
    let receiver = customers(&down);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let mut bodies: Vec<String> = (1..=100).map(order).collect();
    bodies[36] = json!({ "id": "order-37", "amount": 42.5, "account": "37" }).to_string();

    assert_eq!(function.invoke(&kinesis(&bodies)), from(36), "the answer names the 37th\n{}", function.rie.log());
    assert_eq!(receiver.acted(), orders(1..=36), "36 act, none behind");

    down.store(false, Ordering::SeqCst);
    // From there on they are delivered again.
    assert_eq!(function.invoke(&redelivered(&kinesis(&bodies), 36..)), well());
    assert_eq!(receiver.acted(), orders(1..=100), "each once");
    assert!(receiver.taken("/dead").is_empty());
}

#[test]
fn a_send_that_fails_repeats_what_was_sent_behind_it() {
    let receiver = Receiver::failing("/out", "order-37\"", 503);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let bodies: Vec<String> = (1..=100).map(order).collect();
    assert_eq!(function.invoke(&kinesis(&bodies)), from(36), "the answer names the 37th\n{}", function.rie.log());
    assert_eq!(receiver.taken("/out").len(), 99, "of other keys, they did not wait for it");

    receiver.mend();
    assert_eq!(function.invoke(&redelivered(&kinesis(&bodies), 36..)), well());
    let all = receiver.taken("/out");
    assert_eq!(all.len() - 100, 63, "those behind it are sent again: without `once`");
    let mut keys: Vec<&str> = all.iter().map(|asked| asked.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100, "under the keys they had");
}
