//! Logs as lines of JSON, for a platform that collects standard error. They have ids, codes and counts; never bodies, records or
//! values of variables.

use std::{env, io};

use fourstroke::{
    error::Kind,
    report::{Disposition, Report},
};
use tracing::{Level, Span, error, info, warn};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{Caller, alarm::alarms};

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
    let level = LEVEL.iter().find_map(|name| env::var(name).ok()?.parse().ok()).unwrap_or(Level::INFO);
    let quiet = level.min(Level::WARN);
    let targets = ["aws", "h2", "hyper", "hyper_util", "rustls", "lambda_runtime_api_client"];
    let targets = Targets::new().with_default(level).with_targets(targets.map(|target| (target, quiet)));
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(io::stderr);
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
    let failed = || report.decisions.iter().filter_map(|decision| Some((decision, decision.error.as_ref()?)));
    for (decision, why) in failed().take(SHOWN) {
        let (event_id, stage, code) = (&*decision.record.facts().id, why.stage.as_str(), why.code.as_str());
        let disposition = decision.disposition.as_str();
        match why.kind {
            Kind::Poison => warn!(event_id, disposition, stage, code, "event failed; its dead letter says why"),
            Kind::Retryable => warn!(event_id, disposition, stage, code, reason = why.reason, "event failed"),
            Kind::Fatal => error!(event_id, disposition, stage, code, reason = why.reason, "event failed"),
        }
    }
    let more = failed().count().saturating_sub(SHOWN);
    if more > 0 {
        warn!(more, "more events failed");
    }
    if report.log_diverted + report.log_lost > 0 {
        error!(diverted = report.log_diverted, lost = report.log_lost, "decision-log entries could not be written");
    }
    alarms(report).for_each(|line| warn!("{}", line.trim_end()));
}
