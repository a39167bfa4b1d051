//! Metrics of each batch in CloudWatch's embedded metric format: a line of JSON on standard output, from which CloudWatch makes
//! metrics. No call, no agent.
//!
//! Source: "Specification: Embedded metric format", Amazon CloudWatch user guide.

use std::sync::{Mutex, PoisonError};

use fourstroke::{
    clock::Clock,
    config::SloConfig,
    pipeline::Pipeline,
    report::{Disposition, Report},
    warm::{self, Connections},
};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "fourstroke";
/// The most values a metric may have in one line.
const VALUES: usize = 100;

/// Makes the lines of a process.
#[derive(Debug)]
pub struct Metrics {
    pipeline: String,
    slo: SloConfig,
    clock: Clock,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    connections: Connections,
    /// How long the start took, until that was told.
    cold_start: Option<f64>,
}

impl Metrics {
    /// Starts with a process that took so long to get ready, in milliseconds.
    pub fn new(pipeline: &Pipeline, cold_start_ms: f64, clock: Clock) -> Metrics {
        let seen = Seen { connections: warm::connections(), cold_start: Some(cold_start_ms) };
        Metrics { pipeline: pipeline.name().to_owned(), slo: pipeline.slo(), clock, seen: Mutex::new(seen) }
    }

    /// Returns the line of a batch, without its end: how its events ended, milliseconds per stroke, ages of the events that acted in
    /// milliseconds, lookups from the cache and not, requests, connections, and how long a cold start took, once.
    pub fn line(&self, report: &Report) -> String {
        let mut metrics = Vec::new();
        let mut values = Map::new();
        let mut add = |name: &str, unit: &str, value: Value| {
            metrics.push(json!({ "Name": name, "Unit": unit }));
            values.insert(name.to_owned(), value);
        };
        add("events", "Count", report.decisions.len().into());
        for disposition in Disposition::ALL {
            add(&disposition.as_str().replace('-', "_"), "Count", report.count(disposition).into());
        }
        let times = &report.times;
        let strokes = [
            ("transform", times.transform),
            ("enrich", times.enrich),
            ("infer", times.infer),
            ("act", times.act),
            ("whole", times.whole),
        ];
        for (stroke, time) in strokes {
            add(stroke, "Milliseconds", (time.as_secs_f64() * 1e3).into());
        }
        if self.slo.decide.is_some_and(|limit| times.whole > limit) {
            add("late_decisions", "Count", report.decisions.len().into());
        }
        let mut ages = self.ages(report);
        if let Some(limit) = self.slo.event_age {
            let late = ages.iter().filter(|age| u128::from(age.unsigned_abs()) > limit.as_millis()).count();
            add("late_actions", "Count", late.into());
        }
        if !ages.is_empty() {
            thin(&mut ages);
            add("event_age", "Milliseconds", ages.into());
        }
        add("cache_hits", "Count", report.reads.cached.into());
        add("cache_misses", "Count", report.reads.asked.into());
        add("held", "Count", report.held().into());
        add("log_lost", "Count", (report.log_diverted + report.log_lost).into());
        add("unkept", "Count", report.unkept.0.into());
        let (now, before, cold_start) = self.since();
        add("requests", "Count", (now.requests - before.requests).into());
        add("connections_opened", "Count", (now.opened - before.opened).into());
        add("connections_reused", "Count", (now.reused - before.reused).into());
        add("connections_thawed", "Count", (now.thawed - before.thawed).into());
        if let Some(cold_start) = cold_start {
            add("cold_start", "Milliseconds", cold_start.into());
        }
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["pipeline"]], "Metrics": metrics });
        values.insert("pipeline".to_owned(), self.pipeline.as_str().into());
        let about = json!({ "Timestamp": self.clock.now().timestamp_millis(), "CloudWatchMetrics": [directive] });
        values.insert("_aws".to_owned(), about);
        Value::Object(values).to_string()
    }

    /// Returns the ages of events that acted, when they had.
    fn ages(&self, report: &Report) -> Vec<i64> {
        let at = report.acted_at.unwrap_or_else(|| self.clock.now());
        let acted = report.decisions.iter().filter(|decision| decision.disposition == Disposition::Acted);
        let age = |time| at.signed_duration_since(time).num_milliseconds().max(0);
        acted.filter_map(|decision| decision.record.facts().time.map(age)).collect()
    }

    /// What happened to connections up to now, up to the last line, and how long the start took, the first time.
    fn since(&self) -> (Connections, Connections, Option<f64>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = warm::connections();
        let before = std::mem::replace(&mut seen.connections, now);
        (now, before, seen.cold_start.take())
    }
}

/// Leaves as many values as a line may have, of all ranks.
fn thin(values: &mut Vec<i64>) {
    if values.len() > VALUES {
        values.sort_unstable();
        let last = values.len() - 1;
        *values = (0..VALUES).map(|rank| values[rank * last / (VALUES - 1)]).collect();
    }
}
