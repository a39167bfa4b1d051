//! The loop written by hand does the pipeline's work: it writes the same decision log and the same actions.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use fourstroke::{
    clock::{Clock, Deadline},
    ports::Model,
};
use fourstroke_adapters::open::Adapters;
use fourstroke_bench::{Flights, Limit, in_rust};

fn load(bytes: &[u8]) -> Result<Arc<dyn Model>, String> {
    Ok(Arc::new(fourstroke_onnx::load(bytes).map_err(|error| error.to_string())?))
}

/// Cuts out of an entry what differs by nature: the version, and how long the strokes took.
fn entry(line: &str) -> String {
    let mut text = line.to_owned();
    if text.contains("\"outcome_of\":") {
        return text;
    }
    let start = text.find(",\"version\":").expect("a version");
    let end = start + 1 + text[start + 1..].find(',').expect("more follows");
    text.replace_range(start..end, "");
    text.truncate(text.find(",\"us\":").expect("us"));
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_writes_what_the_pipeline_writes() {
    const EVENTS: usize = 12_000;
    let now: DateTime<Utc> = "2013-12-31T23:59:59Z".parse().unwrap();
    let out = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flights");
    let strokes = in_rust(&example.display().to_string(), &out.path().display().to_string());
    let (_, pipeline) = strokes.clock(Clock::fixed(now)).open(&Adapters::new(|bytes, _| load(bytes))).await.unwrap();
    let (flights, limit) = (Flights::read().unwrap(), Limit::load(load).unwrap());

    let (mut log, mut actions) = (Vec::new(), Vec::new());
    for batch in flights.batches(EVENTS, 1_000) {
        let written = limit.run(&batch, now);
        log.extend(written.log.into_iter().map(|entry| String::from_utf8(entry).unwrap()));
        actions.extend(written.actions.into_iter().map(|action| String::from_utf8(action).unwrap()));
        let report = pipeline.run(batch, Deadline::after(Duration::from_secs(60))).await;
        assert!(report.fatal.is_none() && report.retries().is_empty());
    }
    let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
    let decisions = read("decisions.jsonl");
    assert_eq!(decisions.lines().count(), log.len());
    assert!(log.len() > EVENTS, "outcomes have entries of their own");
    for (pipeline, by_hand) in decisions.lines().zip(&log) {
        assert_eq!(entry(pipeline), entry(by_hand));
    }
    assert!(!actions.is_empty());
    assert_eq!(read("rebooking.jsonl").lines().collect::<Vec<_>>(), actions);
}
