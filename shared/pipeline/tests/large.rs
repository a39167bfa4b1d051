//! `large:` of a sink takes what the sink refuses; dead letters are such that services take them.

mod common;

use fourstroke::{
    error::Kind,
    event::{Decoded, Event},
    report::Disposition,
    testkit::faults::{Fault, Faults},
};
use serde_json::json;

use common::{PIPELINE, World, bodies, event, run};

fn with_large() -> String {
    PIPELINE.replace("dead: \"memory:\"", "dead: { url: \"memory:\", large: \"memory:\" }")
}

#[tokio::test(start_paused = true)]
async fn what_a_sink_refuses_goes_to_its_large() {
    let world = World::default().with("sinks.dead", Faults::plan(|_| Some(Fault::Poison)));
    let pipeline = world.open(&with_large()).await.unwrap();
    let report = run(&pipeline, vec![event("1", json!({ "x": 1 })), event("2", json!({ "id": "b" }))]).await;
    assert_eq!(report.dispositions(), [Disposition::DeadLettered, Disposition::Passed]);
    // The world's sink of everything else.
    assert_eq!(bodies(&world.out)[0]["id"], "1");
    assert!(bodies(&world.dead).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_sink_cannot_take_now_does_not() {
    let world = World::default().with("sinks.dead", Faults::plan(|_| Some(Fault::Before)));
    let pipeline = world.open(&with_large()).await.unwrap();
    let report = run(&pipeline, vec![event("1", json!({ "x": 1 }))]).await;
    assert_eq!(report.dispositions(), [Disposition::Retry]);
    assert!(bodies(&world.out).is_empty());
    let error = report.decisions[0].error.as_ref().unwrap();
    assert!(error.kind == Kind::Retryable && error.reason.contains("it says: FS-D002 in decode"), "{}", error.reason);
}

#[tokio::test]
async fn a_letter_is_text_that_every_service_takes() {
    let world = World::default();
    let pipeline = world.pipeline().await;
    let odd = "\u{fffe}\u{ffff}\u{1}";
    let one: Decoded = Event::new(format!("1{odd}"), json!({ "id": odd, "x": odd }).to_string()).into();
    let other = event("1", json!({ "id": "same", "x": "no number" }));
    let again = event("1", json!({ "id": "same", "x": "none either" }));
    let report = run(&pipeline, vec![one, other, again]).await;
    assert_eq!(report.count(Disposition::DeadLettered), 3);
    let letters = world.dead.taken();
    let text = std::str::from_utf8(&letters[0].body).unwrap();
    assert!(!text.contains(['\u{fffe}', '\u{ffff}', '\u{1}']), "{text}");
    assert_eq!(bodies(&world.dead)[0]["id"], format!("1{odd}"), "as JSON it says the same");
    assert_ne!(letters[1].id, letters[2].id, "other poison under one id is another letter");
}
