//! A process that ends right behind its answer: what the answer promises is done already.

use std::{
    sync::{
        Mutex,
        mpsc::{self, Sender},
    },
    time::Duration,
};

use crate::{
    function::{PIPELINE, kinesis, order, well},
    process::Process,
    receiver::Receiver,
    retries::orders,
    runtime::{Invocation, Runtime},
};

/// How long the receiver looks whether an answer goes before it.
const LOOK: Duration = Duration::from_millis(300);

/// A receiver that takes nothing that an answer did not wait for, and what tells it that the answer was given.
fn strict() -> (Receiver, Sender<()>) {
    let (answered, is_answered) = mpsc::channel();
    let is_answered = Mutex::new(is_answered);
    let receiver = Receiver::start(move |_| {
        let early = is_answered.lock().unwrap().recv_timeout(LOOK).is_ok();
        (if early { 500 } else { 200 }, String::new())
    });
    (receiver, answered)
}

fn promises_are_kept(signal: &str, number: i32) {
    let (receiver, answered) = strict();
    let runtime = Runtime::start();
    // It stands where it sent its answer until it ends: nothing is done behind it.
    runtime.turn_deaf();
    let mut process = Process::start(&runtime, PIPELINE, &[("RECEIVER", &receiver.url)]);
    let poison = r#"{"id": "order-3", "amount": "much"}"#.to_owned();
    let answer = runtime.answered(Invocation::new(kinesis(&[order(1), order(2), poison])));
    // One for each that may be waiting, so that none takes what comes too late.
    (0..8).for_each(|_| answered.send(()).unwrap());
    assert_eq!(process.end(signal), Some(number), "{}", process.log());
    assert_eq!((answer.failed, &answer.body), (false, &well()));
    assert_eq!((receiver.acted(), receiver.taken("/dead").len()), (orders(1..=2), 1), "{}", process.log());
    assert_eq!(receiver.taken("/log").len(), 3, "an entry per event");
}

#[test]
fn sigterm_finds_nothing_undone() {
    promises_are_kept("TERM", 15);
}

#[test]
fn sigkill_finds_nothing_undone() {
    promises_are_kept("KILL", 9);
}
