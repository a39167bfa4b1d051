//! Spans come to a collector before the answer, below the span of whoever called. In a process of its own, as the environment says
//! where the collector is.

#[allow(dead_code)]
#[path = "runtime/world.rs"]
mod world;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use fourstroke::{clock::Deadline, testkit::faults::Faults};
use fourstroke_runtime::{Caller, logs};
use serde_json::json;
use tracing::{Instrument, info_span};

use world::{World, event};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// In the id and the body of each event.
const PLANTED: &str = "planted-in-every-event";
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes one request; gives its head and its body.
fn collect(collector: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = collector.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        head += &line;
        line.clear();
    }
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    (head, body)
}

/// The process that exports; it is gone when the test is.
struct Exporter(Child);

impl Exporter {
    fn start(endpoint: String) -> Exporter {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "in_its_own_process", "--ignored", "--nocapture"]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_SERVICE_NAME", "flights");
        Exporter(command.spawn().unwrap())
    }

    fn succeeds(&mut self) -> bool {
        let late = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < late, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn spans_of_every_stroke_come_to_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut exporter = Exporter::start(format!("http://{}", collector.local_addr().unwrap()));
    let (collected, collection) = mpsc::channel();
    thread::spawn(move || collected.send(collect(&collector)));
    let (head, body) = collection.recv_timeout(PATIENCE).expect("it exports");
    assert!(head.starts_with("POST /v1/traces "), "{head}");
    assert!(exporter.succeeds());

    let has = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    for name in ["invocation", "transform", "enrich", "infer", "act", "log", "flights"] {
        assert!(has(name.as_bytes()), "{name} is not there");
    }
    let caller = Caller::from_traceparent(CALLER).unwrap();
    assert!(has(&caller.trace_id.to_be_bytes()) && has(&caller.span_id.to_be_bytes()), "below the caller's span");
    assert!(!has(PLANTED.as_bytes()), "nothing of an event");
}

#[tokio::test]
#[ignore = "the process that exports"]
async fn in_its_own_process() {
    let telemetry = logs::start();
    let pipeline = World::new(Faults::none()).pipeline().await;
    let span = info_span!("invocation");
    telemetry.belongs_to(&span, Caller::from_traceparent(CALLER));
    let events: Vec<_> = (0..3).map(|place| event(json!({ "id": format!("{PLANTED} {place}"), "x": 0.9 }))).collect();
    pipeline.run(events, Deadline::after(Duration::from_secs(10))).instrument(span).await;
    telemetry.flush().await;
}
