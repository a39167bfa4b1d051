//! How long events waited: the wall time of the batch each was in, per stroke and whole.

use std::time::Duration;

use fourstroke::report::StrokeTimes;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Three digits are exact, from a microsecond to an hour; longer counts as an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Collects one kind of duration.
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    fn new() -> Latency {
        Latency(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are constant and valid"))
    }

    fn add(&mut self, time: Duration, events: u64) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record_n(micros, events);
    }

    fn quantiles(&self) -> Quantiles {
        Quantiles { p50: self.0.value_at_quantile(0.5), p99: self.0.value_at_quantile(0.99), max: self.0.max() }
    }
}

/// Collects the times of every batch.
pub(crate) struct StrokeLatency {
    transform: Latency,
    enrich: Latency,
    infer: Latency,
    act: Latency,
    whole: Latency,
}

impl StrokeLatency {
    pub fn new() -> StrokeLatency {
        StrokeLatency {
            transform: Latency::new(),
            enrich: Latency::new(),
            infer: Latency::new(),
            act: Latency::new(),
            whole: Latency::new(),
        }
    }

    pub fn add(&mut self, times: &StrokeTimes, events: u64) {
        self.transform.add(times.transform, events);
        self.enrich.add(times.enrich, events);
        self.infer.add(times.infer, events);
        self.act.add(times.act, events);
        self.whole.add(times.whole, events);
    }

    pub fn summary(&self) -> Latencies {
        Latencies {
            transform: self.transform.quantiles(),
            enrich: self.enrich.quantiles(),
            infer: self.infer.quantiles(),
            act: self.act.quantiles(),
            whole: self.whole.quantiles(),
        }
    }
}

/// Holds the quantiles of one kind of duration, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half of the events waited at most so long.
    pub p50: u64,
    /// 99 of 100 waited at most so long.
    pub p99: u64,
    /// No event waited longer.
    pub max: u64,
}

/// Holds what events experienced: each the time of the batch it was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Latencies {
    /// Decode and transform.
    pub transform: Quantiles,
    /// Lookups.
    pub enrich: Quantiles,
    /// Features and models.
    pub infer: Quantiles,
    /// Rules and sends.
    pub act: Quantiles,
    /// From the batch's arrival to its last log entry.
    pub whole: Quantiles,
}

impl Latencies {
    /// Names each, in the order of an event's path.
    pub fn named(&self) -> [(&'static str, Quantiles); 5] {
        [
            ("transform", self.transform),
            ("enrich", self.enrich),
            ("infer", self.infer),
            ("act", self.act),
            ("whole", self.whole),
        ]
    }
}
