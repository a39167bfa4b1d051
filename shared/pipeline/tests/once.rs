//! What the log says of an action done once, and that a recorded action comes back as it was in every format.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use common::{PIPELINE, World, bodies, event};
use fourstroke::{
    clock::Deadline,
    report::Disposition,
    testkit::faults::{Fault, Faults},
};
use serde_json::json;

#[tokio::test]
async fn a_recorded_action_is_sent_as_it_was_and_the_log_says_whose_it_is() {
    for format in ["json", "cloudevents"] {
        let broken = Arc::new(AtomicBool::new(true));
        let is_broken = broken.clone();
        let lost = Faults::plan(move |_| is_broken.load(SeqCst).then_some(Fault::After));
        let world = World::default().with("sinks.out", lost);
        let out = format!("out: {{ url: \"memory:\", format: {format} }}");
        let state = "once: state, data: '{ \"id\": .id, \"x\": .x, \"at\": .at }' }\n    #";
        let yaml = PIPELINE
            .replace("out: \"memory:\"", &out)
            .replace("stores:", "stores:\n  state: \"memory:\"")
            .replace("data: '{ \"id\": .id }' }", state);
        let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let one = || vec![event("p", json!({ "id": "e", "k": "key", "x": 0.75, "at": "2026-01-01T12:00:00Z" }))];
        // Its answers get lost.
        let lost = pipeline.run(one(), Deadline::after(Duration::from_millis(300))).await;
        assert_eq!(lost.count(Disposition::Retry), 1, "{format}");
        broken.store(false, SeqCst);
        let again = pipeline.run(one(), Deadline::after(Duration::from_secs(10))).await;
        assert_eq!(again.count(Disposition::Acted), 1, "{format}: {:?}", again.decisions[0].error);
        let skipped = pipeline.run(one(), Deadline::after(Duration::from_secs(10))).await;
        assert_eq!(skipped.count(Disposition::Skipped), 1, "{format}");

        let sent = world.out.taken();
        assert!(sent.len() > 1, "{format}: it may have been taken, so it is sent again");
        assert!(sent.iter().all(|item| *item == sent[0]), "{format}: as it was");
        let log = bodies(&world.log);
        let [acted, skipped] = &log[..] else { panic!("{format}: {log:?}") };
        let data = json!({ "id": "e", "x": 0.75, "at": "2026-01-01T12:00:00Z" });
        for (entry, taken) in [(acted, true), (skipped, false)] {
            let action = &entry["actions"][0];
            assert_eq!((&action["taken"], &action["data"]), (&json!(taken), &data), "{format}");
            assert_eq!(entry["replay"]["version"], pipeline.version(), "{format}");
        }
        assert_eq!((&skipped["actions"][0]["earlier"], &skipped["disposition"]), (&json!(true), &json!("skipped")));
    }
}

#[tokio::test]
async fn a_breaker_that_trips_lets_through_what_came_before_also_where_the_ledger_refuses_an_event() {
    let world = World::default();
    let yaml = PIPELINE
        .replace("stores:", "stores:\n  state: \"memory:\"")
        .replace("data: '{ \"id\": .id }' }", "once: state, data: '{ \"id\": .id }' }")
        .replace("{ to: dead }", "{ to: dead, stop_above: 20%, of_last: 10 }");
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let good = |id: &str, x: f64| event(id, json!({ "id": id, "x": x }));
    let deadline = || Deadline::after(Duration::from_secs(10));
    assert_eq!(pipeline.run(vec![good("first", 0.9)], deadline()).await.count(Disposition::Acted), 1);
    let mut batch: Vec<_> = (0..6).map(|nth| good(&format!("g{nth}"), 0.9)).collect();
    batch.push(good("first", 0.8));
    batch.extend((0..8).map(|nth| event(&format!("bad{nth}"), json!({ "id": format!("bad{nth}"), "x": "no" }))));
    let report = pipeline.run(batch, deadline()).await;
    assert_eq!(report.count(Disposition::Acted), 6, "what came before the poison acts");
    assert!(report.held() > 0 && report.count(Disposition::DeadLettered) > 0, "and what came behind is held");
}
