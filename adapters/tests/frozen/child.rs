//! The process that is frozen: a Kinesis sink that calls when it is told to.

use std::{
    io::{self, BufRead},
    time::Duration,
};

use bytes::Bytes;
use fourstroke::{
    config::Resource,
    ports::{Outgoing, Sink},
    warm,
};
use fourstroke_adapters::{aws, kinesis::KinesisSink};
use futures_util::future::join_all;

pub const ENDPOINT: &str = "FOURSTROKE_TEST_FROZEN";
pub const THREADS: &str = "FOURSTROKE_TEST_THREADS";
/// Milliseconds that one call may take; [`PATIENT`] without it.
pub const ATTEMPT: &str = "FOURSTROKE_TEST_ATTEMPT";
/// As long as a call takes only on a machine that is too busy.
const PATIENT: Duration = Duration::from_secs(10);

#[test]
#[ignore = "the process that other tests freeze"]
fn run() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else { return };
    let mut runtime = match std::env::var(THREADS).as_deref() {
        Ok("one") => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().unwrap();
    let sink = runtime.block_on(sink(&endpoint));
    println!("\nready");
    // Between two orders nothing of the runtime runs on one thread, as in a function between two invocations.
    for (number, line) in io::stdin().lock().lines().map_while(Result::ok).enumerate() {
        match line.split_once(' ') {
            Some(("call", count)) => {
                let ends = runtime.block_on(call(&sink, number, count.parse().unwrap()));
                ends.iter().for_each(|end| println!("\nend {end}"));
            }
            _ => println!("\nthawed {}", warm::connections().thawed),
        }
    }
}

async fn sink(endpoint: &str) -> KinesisSink {
    let account = aws::account_at(endpoint, "eu-central-1").await;
    let mut resource = Resource::new("sinks.out", "kinesis://out");
    let attempt = std::env::var(ATTEMPT).map(|attempt| Duration::from_millis(attempt.parse().unwrap()));
    resource.timeout = Some(attempt.unwrap_or(PATIENT));
    let sink = KinesisSink::at(&resource, &account).unwrap();
    if std::env::var("AWS_ACCESS_KEY_ID").is_ok() {
        sink.connect().await;
    }
    sink
}

async fn call(sink: &KinesisSink, number: usize, count: usize) -> Vec<String> {
    warm::thaw();
    let calls = (0..count).map(|place| async move {
        let item = Outgoing {
            id: format!("{number}.{place}").into(),
            key: None,
            content_type: "application/json",
            attributes: Vec::new(),
            body: Bytes::from(format!("{number}.{place}")),
        };
        match sink.send(&[item]).await.remove(0) {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    });
    join_all(calls).await
}
