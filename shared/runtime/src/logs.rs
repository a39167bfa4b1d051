//! Logs as lines of JSON, for a platform that collects standard error. They have ids, codes and counts; never bodies, records or
//! values of variables.

use std::{env, io};

use fourstroke::{
    error::{Code, Error, Kind},
    pipeline::Reload,
    report::{BreakerChange, Decision, Disposition, Report},
};
use tracing::{Level, Span, error, info, warn};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::Caller;

/// The variables that may say how much is logged, the first one that does; none: `info`.
const LEVEL: [&str; 2] = ["FOURSTROKE_LOG", "AWS_LAMBDA_LOG_LEVEL"];
/// How many events of a batch have a line of their own.
const SHOWN: usize = 10;

/// What is told about a process, beside its metrics: logs, and with the feature `otlp` spans.
#[derive(Debug)]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    otlp: Option<crate::otlp::Otlp>,
}

/// Starts logging for this process; `FOURSTROKE_LOG` is `error`, `warn`, `info`, `debug` or `trace`.
///
/// Libraries that see credentials and bodies tell warnings and errors at most, whatever the level.
pub fn start() -> Telemetry {
    let level = LEVEL.iter().find_map(|name| level(&env::var(name).ok()?)).unwrap_or(Level::INFO);
    let quiet = level.min(Level::WARN);
    // By the beginning of their names.
    let targets = ["aws", "h2", "hyper", "lambda_runtime", "opentelemetry", "rustls"];
    let targets = Targets::new().with_default(level).with_targets(targets.map(|target| (target, quiet)));
    // The invocation's own span is what every line has; those around it are the platform's runtime.
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(io::stderr);
    let registry = registry().with(targets);
    #[cfg(feature = "otlp")]
    let otlp = crate::otlp::Otlp::start();
    #[cfg(feature = "otlp")]
    let registry = registry.with(otlp.as_ref().map(crate::otlp::Otlp::layer));
    // A second start, as in tests, changes nothing.
    drop(registry.with(lines).try_init());
    Telemetry {
        #[cfg(feature = "otlp")]
        otlp,
    }
}

/// Reads a level; Lambda's own has one that is above an error.
fn level(name: &str) -> Option<Level> {
    if name.eq_ignore_ascii_case("fatal") { Some(Level::ERROR) } else { name.parse().ok() }
}

impl Telemetry {
    /// Puts a span below that of whoever called.
    #[cfg_attr(not(feature = "otlp"), allow(unused_variables))]
    pub fn belongs_to(&self, span: &Span, caller: Option<Caller>) {
        #[cfg(feature = "otlp")]
        caller.into_iter().for_each(|caller| crate::otlp::belongs_to(span, caller));
    }

    /// Exports the spans that have ended, before an answer is given.
    pub async fn flush(&self) {
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &self.otlp {
            otlp.flush().await;
        }
    }
}

/// Logs how a batch ended: one line for all of it, one for each of the first events that did not end well, and what somebody
/// has to hear of. Why a body is poison may quote it: that stands in its dead letter alone.
pub fn batch(report: &Report) {
    let count = |disposition| report.count(disposition);
    info!(
        events = report.decisions.len(),
        acted = count(Disposition::Acted),
        passed = count(Disposition::Passed),
        skipped = count(Disposition::Skipped),
        dead_lettered = count(Disposition::DeadLettered),
        retry = count(Disposition::Retry),
        us = u64::try_from(report.times.whole.as_micros()).unwrap_or(u64::MAX),
        "batch"
    );
    let failed = report.decisions.iter().filter_map(|decision| Some((decision, decision.error.as_ref()?)));
    let mut failed: Vec<_> = failed.collect();
    // What made others wait comes first, those who only wait last.
    failed.sort_by_key(|(_, why)| (why.code == Code::HELD, why.kind == Kind::Poison));
    failed.iter().take(SHOWN).for_each(|(decision, why)| event(decision, why));
    let more = failed.len().saturating_sub(SHOWN);
    if more > 0 {
        warn!(more, "more events failed");
    }
    if report.log_diverted + report.log_lost > 0 {
        error!(diverted = report.log_diverted, lost = report.log_lost, "decision-log entries could not be written");
    }
    if let (count @ 1.., Some(first)) = &report.unkept {
        error!(count, first, "state could not be written");
    }
    report.breaker.iter().for_each(breaker);
    report.reloads.iter().for_each(reload);
}

fn event(decision: &Decision, why: &Error) {
    let (event_id, stage, code) = (&*decision.record.facts().id, why.stage.as_str(), why.code.as_str());
    let disposition = decision.disposition.as_str();
    match why.kind {
        Kind::Poison => warn!(event_id, disposition, stage, code, "event failed; its dead letter says why"),
        Kind::Retryable => warn!(event_id, disposition, stage, code, reason = why.reason, "event failed"),
        Kind::Fatal => error!(event_id, disposition, stage, code, reason = why.reason, "event failed"),
    }
}

fn breaker(change: &BreakerChange) {
    match change {
        BreakerChange::Tripped { poison, of, limit, most, .. } => {
            error!(poison, of, limit = %limit, most = most.as_str(), "too much is poison: events are held");
        }
        BreakerChange::Closed { after } => info!(seconds = after.as_secs(), "events are taken again"),
    }
}

fn reload(reload: &Reload) {
    match reload {
        Reload::Serving { model, sha256 } => info!(model, sha256, "another model decides"),
        Reload::Refused { model, reason, serving } => error!(model, reason, serving, "a model was not replaced"),
    }
}
