//! What fourstroke's handlers share: the loop from a source to settled batches, and what a run measures.

mod alarm;
mod figures;
mod latency;
mod memory;
mod score_histogram;
mod scores;
mod summary;
mod summary_text;
mod table;
mod tally;
mod waiting;
mod worker;

pub use figures::{micros, printable};
pub use latency::{Latencies, Quantiles};
pub use scores::{Baseline, ModelScore, ScoreSummary};
pub use summary::{
    ActionCount, BreakerCount, ErrorCount, LogCount, LookupCount, OutcomeCount, ReloadCount, SloCount, Summary,
    TypeCount, UnkeptCount, WrittenCount,
};
pub use tally::Tally;
pub use worker::{End, Settings, work};
