//! A service that accepts connections and says nothing: the process asks for its first invocation all the same.

use std::{net::TcpListener, time::Duration};

use crate::{
    function::{PIPELINE, from, kinesis, order},
    process::Process,
    receiver::Receiver,
    runtime::{Invocation, Runtime},
};

/// Less than the sink's own timeout, and more than a busy machine takes to get ready.
const INIT: Duration = Duration::from_secs(30);

/// Requires that a process whose sink `out` is this gets ready, and asks for what it cannot send again.
fn gets_ready(out: &str, variables: &[(&str, &str)]) {
    let receiver = Receiver::well();
    let pipeline = PIPELINE.replace("\"${RECEIVER}/out\"", out);
    let runtime = Runtime::start();
    let variables: Vec<_> = variables.iter().copied().chain([("RECEIVER", receiver.url.as_str())]).collect();
    let process = Process::start(&runtime, &pipeline, &variables);
    assert!(runtime.is_asked(INIT), "it still waits\n{}", process.log());
    let limit = Duration::from_secs(6);
    let answer = runtime.answered(Invocation { limit, ..Invocation::new(kinesis(&[order(1)])) });
    assert!(answer.in_time, "{answer:?}");
    assert_eq!(answer.body, from(0));
}

#[test]
fn tls_that_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    gets_ready(&format!("{{ url: \"https://127.0.0.1:{port}/out\", timeout: 60s }}"), &[]);
}

#[test]
fn an_aws_service_that_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://127.0.0.1:{}", silent.local_addr().unwrap().port());
    gets_ready("{ url: \"kinesis://confirmed\", timeout: 60s }", &[("AWS_ENDPOINT_URL_KINESIS", &endpoint)]);
}
