//! Services that never answer: an invocation is answered before its time is up, and asks for what is not done.

use std::time::Duration;

use serde_json::Value;

use crate::{
    function::{PIPELINE, from, kinesis, order, well},
    http::silence,
    process::Process,
    receiver::Receiver,
    runtime::{Answer, Invocation, Runtime},
};

const LIMIT: Duration = Duration::from_secs(6);
const POISON: &str = r#"{"id": "order-2", "amount": "much"}"#;

/// Invokes a function whose receiver is silent at these paths.
fn answered(silent: &'static [&'static str], bodies: &[String]) -> (Answer, Receiver) {
    let receiver = Receiver::start(move |asked| {
        if silent.contains(&asked.path.as_str()) {
            silence();
        }
        (200, String::new())
    });
    let runtime = Runtime::start();
    let _process = Process::start(&runtime, PIPELINE, &[("RECEIVER", &receiver.url)]);
    let answer = runtime.answered(Invocation { limit: LIMIT, ..Invocation::new(kinesis(bodies)) });
    assert!(answer.in_time && !answer.failed, "{answer:?}");
    (answer, receiver)
}

#[test]
fn a_sink_that_is_silent() {
    let (answer, receiver) = answered(&["/out"], &[order(1), order(2)]);
    assert_eq!(answer.body, from(0), "from the first on");
    assert!(receiver.taken("/log").is_empty() && receiver.taken("/dead").is_empty());
}

#[test]
fn a_decision_log_that_is_silent() {
    let (answer, receiver) = answered(&["/log"], &[order(1), order(2)]);
    assert_eq!((answer.body, receiver.acted().len()), (well(), 2), "it acted: nothing is to come again");
    let letters = receiver.taken("/dead");
    let of_the_log = |letter: &Value| letter["stage"] == "log" && letter["code"] == "FS-L002";
    assert!(letters.iter().all(|asked| of_the_log(&serde_json::from_str(&asked.body).unwrap())), "{letters:?}");
    assert_eq!(letters.len(), 2, "an entry per event");
}

#[test]
fn dead_letters_that_are_silent() {
    let (answer, receiver) = answered(&["/dead"], &[order(1), POISON.to_owned()]);
    let acted = receiver.acted().len();
    // The time may have gone by before the good one could act.
    assert!(
        answer.body == from(acted) && acted < 2,
        "poison nobody took is asked for again: {answer:?}, {acted} acted"
    );
    assert_eq!(receiver.taken("/log").len(), acted, "what acted has ended");
}

#[test]
fn all_of_them_at_once() {
    let (answer, _) = answered(&["/out", "/log", "/dead"], &[order(1), POISON.to_owned()]);
    assert_eq!(answer.body, from(0));
}

#[test]
fn log_and_dead_letters_at_once() {
    let (answer, receiver) = answered(&["/log", "/dead"], &[order(1), order(2)]);
    assert_eq!((answer.body, receiver.acted().len()), (well(), 2), "what acted has, whether it is logged or not");
}
