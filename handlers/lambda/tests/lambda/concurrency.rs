//! Many invocations at the same time, each answered with its own answer; or one behind the other.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::{
    function::{PIPELINE, fixture, order},
    process::Process,
    receiver::Receiver,
    runtime::{Answer, Invocation, Runtime},
};

const AT_ONCE: usize = 8;

/// The request of one order.
fn ordering(n: usize) -> Value {
    let mut request = fixture("function_url");
    request["headers"]["idempotency-key"] = json!(format!("order-{n}"));
    request["body"] = json!(order(n));
    request
}

/// Requires that an answer is that of its order, and no other's.
fn is_of(answer: &Answer, n: usize) {
    let body: Value = serde_json::from_str(answer.body["body"].as_str().unwrap()).unwrap();
    assert_eq!((&answer.body["statusCode"], &body["disposition"]), (&json!(200), &json!("acted")), "{answer:?}");
    assert_eq!(body["actions"][0]["data"]["id"], format!("order-{n}"));
    assert!(!answer.failed && answer.in_time, "{answer:?}");
}

#[test]
fn many_at_the_same_time_are_each_answered() {
    // Nobody is answered before eight are there: served one by one, the first would wait for ever.
    let eight = Barrier::new(AT_ONCE);
    let receiver = Receiver::start(move |asked| {
        if asked.path == "/out" {
            eight.wait();
        }
        (200, String::new())
    });
    let runtime = Runtime::start();
    let orders = 5 * AT_ONCE;
    let ids: Vec<String> = (0..orders).map(|n| runtime.invoke(Invocation::new(ordering(n)))).collect();
    let most = AT_ONCE.to_string();
    let variables = [("RECEIVER", receiver.url.as_str()), ("AWS_LAMBDA_MAX_CONCURRENCY", &most)];
    let _process = Process::start(&runtime, PIPELINE, &variables);
    ids.iter().enumerate().for_each(|(n, id)| is_of(&runtime.answer(id), n));
    assert_eq!(runtime.most(), AT_ONCE, "as many as it may, and no more");
    assert_eq!((receiver.acted().len(), receiver.taken("/log").len()), (orders, orders));
}

#[test]
fn without_the_variable_one_is_behind_the_other() {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let receiver = Receiver::start(move |_| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        now.fetch_sub(1, Ordering::SeqCst);
        (200, String::new())
    });
    let runtime = Runtime::start();
    let ids: Vec<String> = (0..AT_ONCE).map(|n| runtime.invoke(Invocation::new(ordering(n)))).collect();
    let _process = Process::start(&runtime, PIPELINE, &[("RECEIVER", &receiver.url)]);
    ids.iter().enumerate().for_each(|(n, id)| is_of(&runtime.answer(id), n));
    assert_eq!((runtime.most(), most.load(Ordering::SeqCst)), (1, 1));
}
