//! Which trace the lines of an invocation's log are of.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::{
    function::{PIPELINE, fixture, kinesis, order},
    process::Process,
    receiver::Receiver,
    runtime::{Invocation, Runtime},
};

/// What the environment says, and must not count: it is another invocation's.
const ENVIRONMENT: &str = "Root=1-00000001-000000000000000000000001;Parent=0000000000000001;Sampled=1";
const TRACES: [&str; 2] = ["5759e988bd862e3fe1be46a994272793", "4bf92f3577b34da6a3ce929d0e0e4736"];

/// An invocation in one of the traces, as the platform says it.
fn within(trace: &str, payload: Value) -> Invocation {
    let (time, random) = trace.split_at(8);
    let trace = format!("Root=1-{time}-{random};Parent=53995c3f42cd8ad8;Sampled=1");
    Invocation { trace, ..Invocation::new(payload) }
}

/// The traces that lines of an invocation name, line by line.
fn traces_of(process: &Process, request_id: &str) -> Vec<String> {
    let log = process.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // The span a line stands in, or all of them.
    let spans =
        |line: &Value| [vec![line["span"].clone()], line["spans"].as_array().cloned().unwrap_or_default()].concat();
    let own = lines.filter_map(|line| spans(&line).into_iter().find(|span| span["request_id"] == request_id));
    own.map(|span| span["trace_id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Requires that all lines of an invocation name one trace, and that there are some.
fn is_within(process: &Process, request_id: &str, trace: &str) {
    let named = traces_of(process, request_id);
    assert!(!named.is_empty() && named.iter().all(|named| named == trace), "{trace}: {named:?}\n{}", process.log());
}

#[test]
fn lines_are_of_their_own_invocations_trace() {
    // Both run when either logs.
    let both = Barrier::new(TRACES.len());
    let receiver = Receiver::start(move |asked| {
        if asked.path == "/out" {
            both.wait();
        }
        (200, String::new())
    });
    let runtime = Runtime::start();
    let poison = r#"{"id": "order-2", "amount": "much"}"#.to_owned();
    let payload = kinesis(&[order(1), poison]);
    let ids = TRACES.map(|trace| runtime.invoke(within(trace, payload.clone())));
    let variables =
        [("RECEIVER", receiver.url.as_str()), ("AWS_LAMBDA_MAX_CONCURRENCY", "2"), ("_X_AMZN_TRACE_ID", ENVIRONMENT)];
    let process = Process::start(&runtime, PIPELINE, &variables);
    ids.iter().for_each(|id| assert!(!runtime.answer(id).failed));
    for (id, trace) in ids.iter().zip(TRACES) {
        is_within(&process, id, trace);
        assert!(traces_of(&process, id).len() >= 2, "of the batch, and of its poison\n{}", process.log());
    }
}

#[test]
fn one_at_a_time_too() {
    let receiver = Receiver::well();
    let runtime = Runtime::start();
    let variables = [("RECEIVER", receiver.url.as_str()), ("_X_AMZN_TRACE_ID", ENVIRONMENT)];
    let process = Process::start(&runtime, PIPELINE, &variables);
    for trace in TRACES {
        let id = runtime.invoke(within(trace, kinesis(&[order(1)])));
        assert!(!runtime.answer(&id).failed);
        is_within(&process, &id, trace);
    }
}

#[test]
fn what_the_caller_says_goes_before_what_the_platform_says() {
    let receiver = Receiver::well();
    let runtime = Runtime::start();
    let process = Process::start(&runtime, PIPELINE, &[("RECEIVER", &receiver.url)]);
    let mut request = fixture("function_url");
    request["headers"]["traceparent"] = json!(format!("00-{}-00f067aa0ba902b7-01", TRACES[1]));
    let id = runtime.invoke(within(TRACES[0], request));
    assert!(!runtime.answer(&id).failed);
    is_within(&process, &id, TRACES[1]);
}
