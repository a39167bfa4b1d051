//! Kinesis records in which the producer library packed several: they come again together, so they act together.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use md5::{Digest, Md5};
use serde_json::json;

use crate::{
    function::{Function, PIPELINE, from, kinesis, order, redelivered, well},
    retries::{customers, orders},
};

/// A field of bytes, as Protocol Buffers write it.
fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut field = vec![tag << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(value);
    field
}

/// Packs records of one partition key, which is the first of the table.
fn packed(bodies: &[String]) -> Vec<u8> {
    let records = bodies.iter().flat_map(|body| {
        let key_index = [1 << 3, 0];
        field(3, &[&key_index[..], &field(3, body.as_bytes())].concat())
    });
    let message: Vec<u8> = field(1, b"customer").into_iter().chain(records).collect();
    [&[0xf3, 0x89, 0x9a, 0xc2], &message[..], &Md5::digest(&message)[..]].concat()
}

#[test]
fn none_of_an_aggregated_record_acts_before_all_can() {
    let down = Arc::new(AtomicBool::new(true));
    let receiver = customers(&down);
    let Some(function) = Function::deploy_failing(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let mut parts: Vec<String> = (2..=6).map(order).collect();
    parts[2] = json!({ "id": "order-4", "amount": 42.5, "account": "37" }).to_string();
    let payload = kinesis(&[order(1).into_bytes(), packed(&parts), order(7).into_bytes()]);
    assert_eq!(function.invoke(&payload), from(1), "the answer names the whole\n{}", function.rie.log());
    assert_eq!(receiver.acted(), orders(1..=1), "nothing of it, and nothing behind it");

    down.store(false, Ordering::SeqCst);
    assert_eq!(function.invoke(&redelivered(&payload, 1..)), well(), "{}", function.rie.log());
    assert_eq!(receiver.acted(), orders(1..=7), "each once");
    assert!(receiver.taken("/dead").is_empty());
}
