//! Spans come to a collector before the answer, below the span of whoever called. In a process of its own, as the environment says
//! where the collector is.

#[allow(dead_code)]
#[path = "runtime/world.rs"]
mod world;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::Command,
    time::Duration,
};

use fourstroke::{clock::Deadline, testkit::faults::Faults};
use fourstroke_runtime::{Caller, logs};
use tracing::{Instrument, info_span};

use world::{World, acting};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn spans_of_every_stroke_come_to_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "in_its_own_process", "--ignored", "--nocapture"]);
    let mut child =
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_SERVICE_NAME", "flights").spawn().unwrap();
    let (mut stream, _) = collector.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        head += &line;
        line.clear();
    }
    assert!(head.starts_with("POST /v1/traces "), "{head}");
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    assert!(child.wait().unwrap().success());

    let has = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    for name in ["invocation", "transform", "enrich", "infer", "act", "log", "flights"] {
        assert!(has(name.as_bytes()), "{name} is not there");
    }
    let caller = Caller::from_traceparent(CALLER).unwrap();
    assert!(has(&caller.trace_id.to_be_bytes()) && has(&caller.span_id.to_be_bytes()), "below the caller's span");
    assert!(!has(b"e0"), "nothing of an event");
}

#[tokio::test]
#[ignore = "the process that exports"]
async fn in_its_own_process() {
    let telemetry = logs::start();
    let pipeline = World::new(Faults::none()).pipeline().await;
    let span = info_span!("invocation");
    telemetry.belongs_to(&span, Caller::from_traceparent(CALLER));
    pipeline.run(acting(3), Deadline::after(Duration::from_secs(10))).instrument(span).await;
    telemetry.flush().await;
}
