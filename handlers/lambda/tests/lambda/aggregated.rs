//! Kinesis records in which the producer library packed several: they come again together, so they act together.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::{
    function::{Function, PIPELINE, from, kinesis, order, redelivered, well},
    packed::packed,
    retries::{customers, orders},
};

#[test]
fn none_of_an_aggregated_record_acts_before_all_can() {
    let down = Arc::new(AtomicBool::new(true));
    let receiver = customers(&down);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let mut parts: Vec<(&str, String)> = (2..=6).map(|number| ("customer", order(number))).collect();
    parts[2].1 = json!({ "id": "order-4", "amount": 42.5, "account": "37" }).to_string();
    let payload = kinesis(&[order(1).into_bytes(), packed(&parts), order(7).into_bytes()]);
    assert_eq!(function.invoke(&payload), from(1), "the answer names the whole\n{}", function.rie.log());
    assert_eq!(receiver.acted(), orders(1..=1), "nothing of it, and nothing behind it");

    down.store(false, Ordering::SeqCst);
    assert_eq!(function.invoke(&redelivered(&payload, 1..)), well(), "{}", function.rie.log());
    assert_eq!(receiver.acted(), orders(1..=7), "each once");
    assert!(receiver.taken("/dead").is_empty());
}
