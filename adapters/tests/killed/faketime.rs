//! The same process under libfaketime, which makes the whole process believe in another time, not only an injected clock.

use std::{io::Write, process::Command};

use crate::{
    child::Orders,
    plan::Plan,
    points::Point,
    process::{Ended, Process, Victim},
    server::{Reply, Server},
    suite::Ledger,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_in_another_time_acts_once() {
    if !Command::new("faketime").arg("--version").output().is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: faketime is not installed");
        return;
    }
    // A seed whose first process leaves something behind.
    let seed = (0..).find(|seed| !Plan::draw(Point::AfterIntent, *seed).news().concat().is_empty());
    let seed = seed.expect("a seed");
    let plan = Plan::draw(Point::AfterIntent, seed);
    let hit = plan.news()[plan.hit].len();
    let (ledger, receiver) = (Ledger::new(), Server::start(|_| Reply::status(200)).await);
    let orders = Orders {
        name: format!("faketime-{}", std::process::id()),
        store: ledger.url.clone(),
        environment: ledger.environment.clone(),
        receiver: format!("http://{}", receiver.address),
        point: Point::AfterIntent,
        seed,
        stops: true,
        version: 1,
        ahead: 0,
        passes: (1, 1),
    };
    Process::start(&orders, &[], Victim::default()).killed();
    let before = receiver.seen().len();

    let orders = Orders { stops: false, ..orders };
    let at = |time: &str| -> Ended {
        Process::start(&orders, &["faketime", "-f", time], Victim::default()).ended().remove(0)
    };
    let count = |ended: &Ended, name: &str| ended.get(name).copied().unwrap_or_default() as usize;
    let all = plan.news().concat().len();
    let early = at("-3h");
    assert_eq!(count(&early, "acted"), all - before - hit, "what is leased is asked for again: {early:?}");
    assert_eq!(receiver.seen().len(), all - hit);
    let late = at("+1d");
    assert_eq!(count(&late, "acted"), hit, "{late:?}");
    for time in ["+2d", "-3h", "-2d"] {
        let again = at(time);
        assert_eq!((count(&again, "acted"), count(&again, "retry")), (0, 0), "{time}: {again:?}");
    }
    assert_eq!(receiver.seen().len(), all);
}
