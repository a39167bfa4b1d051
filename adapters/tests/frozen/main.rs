//! Connections over freezes: a process that is stopped and goes on, as platforms do between invocations, while the service ends
//! its idle connections, goes silent, or its credentials run out. The process is this very binary, the service a TLS server that
//! answers as Kinesis does. `FREEZES` says how many times it is stopped. What `/proc` tells is needed: elsewhere than on Linux these
//! tests are skipped.

#[path = "../adapters/http/certificates.rs"]
mod certificates;
mod child;
mod credentials;
mod process;
mod service;

use std::time::{Duration, Instant};

use process::{Process, Threads};
use service::{End, Service};

/// How often the process is stopped, over all ways.
fn freezes() -> usize {
    std::env::var("FREEZES").map_or(1_000, |count| count.parse().expect("FREEZES is a number"))
}

/// The process calls, is stopped, meanwhile its connection ends; again and again.
async fn over_freezes(threads: Threads, end: End) {
    let service = Service::start().await;
    let mut process = Process::start(&service, threads, &[]);
    let calls = freezes() / 4;
    for n in 0..calls {
        assert_eq!(process.call(1), ["ok"], "call {n}");
        process.stop();
        service.end_all(end).await;
        process.go_on();
    }
    assert_eq!(service.bodies().len(), calls, "each was written once, none twice");
    assert_eq!(service.handshakes(), calls, "each on a connection of its own");
    assert_eq!(process.thawed(), calls - 1, "the others were found to be over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn ended_connections_fail_no_call_on_one_thread() {
    over_freezes(Threads::One, End::Fin).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn reset_connections_fail_no_call_on_one_thread() {
    over_freezes(Threads::One, End::Reset).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn ended_connections_fail_no_call_on_many_threads() {
    over_freezes(Threads::Many, End::Fin).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn reset_connections_fail_no_call_on_many_threads() {
    over_freezes(Threads::Many, End::Reset).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn a_thousand_invocations_need_one_handshake() {
    const GAP: Duration = Duration::from_millis(50);
    let service = Service::start().await;
    let mut process = Process::start(&service, Threads::Many, &[]);
    for n in 0..1_000 {
        assert_eq!(process.call(1), ["ok"], "call {n}");
        tokio::time::sleep(GAP).await;
    }
    assert_eq!((service.bodies().len(), service.handshakes(), process.thawed()), (1_000, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn half_open_connections_cost_one_attempt() {
    // Enough for four handshakes on a busy machine.
    const ATTEMPT: Duration = Duration::from_secs(2);
    let service = Service::start().await;
    let attempt = [(child::ATTEMPT, ATTEMPT.as_millis().to_string())];
    let mut process = Process::start(&service, Threads::Many, &attempt);
    service.gather(4);
    assert!(process.call(4).iter().all(|end| end == "ok"));
    assert_eq!(service.handshakes(), 4, "several connections wait");
    // Nothing comes back on them any more, not even an end.
    service.end_all(End::Silence).await;
    let started = Instant::now();
    let mut ends = process.call(1);
    assert!(ends[0].contains("no answer within"), "{ends:?}");
    ends = process.call(1);
    assert_eq!(ends, ["ok"], "the others that waited are given up with the one that was silent");
    let took = started.elapsed();
    assert!(took < 2 * ATTEMPT, "it took {took:?}");
}
