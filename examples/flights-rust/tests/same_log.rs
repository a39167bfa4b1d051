//! The pipeline in Rust and the one in YAML write the same decision log, byte for byte but for what differs by nature.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use fourstroke::{
    clock::{Clock, Deadline},
    config::{Environment, PipelineFile, Resource},
    pipeline::{Builder, Pipeline},
    ports::Open,
};
use fourstroke_adapters::open::Adapters;

const EVENTS: usize = 12_000;

fn adapters() -> Adapters {
    Adapters::new(|bytes, external| {
        Ok(Arc::new(fourstroke_onnx::load_with(bytes, external).map_err(|error| error.to_string())?))
    })
}

fn folder() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../flights").display().to_string()
}

/// Decides the first events, and gives the log by event id and the actions.
async fn decide(pipeline: &Pipeline, out: &Path) -> (BTreeMap<String, String>, String) {
    let flights = Resource::new("flights", format!("file:{}/data/2013-q4.jsonl.zst", folder()));
    let mut source = adapters().source(&flights).await.unwrap();
    let mut decided = 0;
    while decided < EVENTS {
        let batch = source.next().await.unwrap().expect("there are enough events");
        decided += batch.events.len();
        let report = pipeline.run(batch.events, Deadline::after(Duration::from_secs(60))).await;
        assert!(report.fatal.is_none() && report.retries().is_empty());
    }
    let log = std::fs::read_to_string(out.join("decisions.jsonl")).unwrap();
    (log.lines().map(entry).collect(), std::fs::read_to_string(out.join("rebooking.jsonl")).unwrap())
}

/// Cuts out of a line, as it is written, what differs by nature. No value before `us` can hold these names as keys.
fn entry(line: &str) -> (String, String) {
    let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
    let id = parsed["event_id"].as_str().unwrap();
    if parsed["outcome_of"].is_string() {
        return (format!("{id}: outcome"), line.to_owned());
    }
    let mut text = line.to_owned();
    for name in ["decided_at", "event_age_ms", "version", "batch_size"] {
        let start = text.find(&format!(",\"{name}\":")).expect(name);
        let end = start + 1 + text[start + 1..].find(',').expect("more follows");
        text.replace_range(start..end, "");
    }
    text.truncate(text.find(",\"us\":").expect("us"));
    (id.to_owned(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_the_same_byte_for_byte() {
    let out = tempfile::tempdir().unwrap();
    let (yaml, rust) = (out.path().join("yaml"), out.path().join("rust"));
    let variables = [("ACTIONS", "rebooking"), ("DECISIONS", "decisions"), ("DEAD_LETTERS", "dead")];
    let variable = |(name, file): (&str, &str)| (name.to_owned(), format!("file:{}/{file}.jsonl", yaml.display()));
    let state = ("STATE".to_owned(), format!("redb:{}/state.redb", yaml.display()));
    let environment = Environment::of(variables.map(variable).into_iter().chain([state]));
    let file = PipelineFile::read(&Path::new(&folder()).join("pipeline.yaml"), &environment).unwrap();
    // What a lookup remembers gets older by the clock, and the log says by how much. What is kept must not expire.
    let clock = Clock::fixed("2100-01-01T00:00:00Z".parse().unwrap());
    let from_yaml = Builder::new(file).clock(clock.clone()).open(&adapters()).await.unwrap();
    let strokes =
        flights_rust::strokes(&folder(), &rust.display().to_string(), &format!("redb:{}/state.redb", rust.display()));
    let (_, in_rust) = strokes.clock(clock).open(&adapters()).await.unwrap();
    assert_ne!(from_yaml.version(), in_rust.version());

    let (yaml_log, yaml_actions) = decide(&from_yaml, &yaml).await;
    let (rust_log, rust_actions) = decide(&in_rust, &rust).await;
    assert!(yaml_log.len() >= EVENTS && yaml_log.values().any(|entry| entry.contains("\"candidates\":[\"rebook\"]")));
    for (id, entry) in &yaml_log {
        assert_eq!(Some(entry), rust_log.get(id), "the entry of {id}");
    }
    assert_eq!(yaml_log.len(), rust_log.len());
    assert_eq!(yaml_actions, rust_actions, "the actions");
}
