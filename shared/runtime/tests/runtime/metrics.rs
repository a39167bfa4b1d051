//! The lines from which CloudWatch makes metrics.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fourstroke::{
    clock::{Clock, Deadline},
    event::Decoded,
    pipeline::Builder,
    report::Report,
    testkit::faults::Faults,
};
use fourstroke_runtime::Metrics;
use serde_json::{Value, json};

use crate::world::{World, acting, event};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_380_585_600, 0).unwrap()
}

/// Runs events at a moment; gives the metrics of the process too.
async fn report(events: Vec<Decoded>) -> (Metrics, Report) {
    let clock = Clock::fixed(now());
    let builder = Builder::new(World::file()).clock(clock.clone());
    let pipeline = builder.open(&World::new(Faults::none())).await.unwrap();
    let report = pipeline.run(events, Deadline::after(Duration::from_secs(10))).await;
    (Metrics::new(&pipeline, 12.5, clock), report)
}

fn line(metrics: &Metrics, report: &Report) -> Value {
    serde_json::from_str(&metrics.line(report)).unwrap()
}

#[tokio::test]
async fn a_line_is_in_the_embedded_metric_format() {
    let mut events = acting(2);
    events.push(event(json!({ "id": "p" })));
    events.push(event(json!({ "nothing": 1 })));
    let (metrics, report) = report(events).await;
    let line = line(&metrics, &report);
    let about = &line["_aws"];
    assert_eq!(about["Timestamp"], now().timestamp_millis());
    let directive = &about["CloudWatchMetrics"][0];
    assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("fourstroke"), &json!([["pipeline"]])));
    for metric in directive["Metrics"].as_array().unwrap() {
        let name = metric["Name"].as_str().unwrap();
        assert!(["Count", "Milliseconds"].contains(&metric["Unit"].as_str().unwrap()), "{name}");
        assert!(line[name].is_number() || line[name].is_array(), "{name} has a value: {}", line[name]);
    }
    assert_eq!(line["pipeline"], "small");
    let counts =
        ["events", "acted", "passed", "dead_lettered", "retry", "skipped"].map(|name| line[name].as_u64().unwrap());
    assert_eq!(counts, [4, 2, 1, 1, 0, 0]);
    assert_eq!(line["cold_start"], 12.5);
    assert_eq!(self::line(&metrics, &report)["cold_start"], Value::Null, "it was cold once");
}

#[tokio::test]
async fn ages_are_those_of_events_that_acted_and_keep_their_ranks() {
    let at = |seconds: i64| (now() - TimeDelta::seconds(seconds)).to_rfc3339();
    let aged = |n: i64| event(json!({ "id": n.to_string(), "x": 0.9, "at": at(n) }));
    let mut events: Vec<Decoded> = (1..=1_000).map(aged).collect();
    events.push(event(json!({ "id": "passed", "x": 0.1, "at": at(5_000) })));
    let (metrics, report) = report(events).await;
    let line = line(&metrics, &report);
    let ages: Vec<i64> = line["event_age"].as_array().unwrap().iter().map(|age| age.as_i64().unwrap()).collect();
    assert_eq!((ages.len(), ages[0], ages[99]), (100, 1_000, 1_000_000), "as many as a line may have");
    assert!((480_000..=520_000).contains(&ages[50]), "the median is still one: {}", ages[50]);
    assert_eq!(line["late_actions"], 999, "`slo.event_age` is a second");
}
