//! What fourstroke's handlers share: the loop from a source to settled batches, logs and metrics, what a run measures, and what a
//! handler in a cloud must not start with.

mod alarm;
mod figures;
pub mod lambda;
mod lasting;
mod latency;
pub mod logs;
mod memory;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod score_histogram;
mod scores;
mod summary;
mod summary_text;
mod table;
mod tally;
mod trace;
mod waiting;
mod worker;

pub use figures::{micros, printable};
pub use lasting::{passing, passing_resources};
pub use latency::{Latencies, Quantiles};
pub use metrics::Metrics;
pub use scores::{Baseline, ModelScore, ScoreSummary};
pub use summary::{
    ActionCount, BreakerCount, ErrorCount, LogCount, LookupCount, OutcomeCount, ReloadCount, SloCount, Summary,
    TypeCount, UnkeptCount, WrittenCount,
};
pub use tally::Tally;
pub use trace::Caller;
pub use worker::{End, Settings, work};
