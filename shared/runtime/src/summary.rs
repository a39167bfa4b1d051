//! What a run did, as figures: one JSON object, or a page to read (its `Display`).

use std::collections::BTreeMap;

use fourstroke::report::Disposition;
use serde::Serialize;

use crate::{latency::Latencies, scores::ScoreSummary};

/// Sums up a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The pipeline's name.
    pub pipeline: String,
    /// The hash of its file and models.
    pub version: String,
    /// Why the run ended, in words.
    pub ended: String,
    /// Whether it ended with the source, at the limit or when asked to, and not by a failure.
    pub orderly: bool,
    /// How many events it took.
    pub events: u64,
    /// How long it took.
    pub seconds: f64,
    /// How many events a second that makes.
    pub events_per_second: f64,
    /// The most memory that was resident, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// How events ended, over all types.
    pub dispositions: BTreeMap<&'static str, u64>,
    /// How events ended, by their `type`.
    pub types: Vec<TypeCount>,
    /// What the rules did, in the order of the file.
    pub actions: Vec<ActionCount>,
    /// What lookups found, in the order of the file.
    pub lookups: Vec<LookupCount>,
    /// Why events failed.
    pub errors: Vec<ErrorCount>,
    /// How long events waited, in microseconds.
    pub latency_us: Latencies,
    /// What the file wants measured.
    pub slo: Vec<SloCount>,
    /// The decision log.
    pub log: Option<LogCount>,
    /// The dead letters.
    pub dead_letters: WrittenCount,
    /// The breaker, where the file has one.
    pub breaker: Option<BreakerCount>,
    /// Models replaced while the pipeline ran, where the file has some that may be.
    pub reloads: Option<ReloadCount>,
    /// What could not be kept in a store, where something is kept.
    pub unkept: Option<UnkeptCount>,
    /// What outcomes found in the store of `outcome.in`, where there is one.
    pub outcomes: Option<OutcomeCount>,
    /// Decisions against what really happened.
    pub scores: Option<ScoreSummary>,
}

impl Summary {
    /// Tells whether an event, a log entry or something to be kept failed, or the run did.
    pub fn failed(&self) -> bool {
        let count = |disposition: Disposition| self.dispositions[disposition.as_str()];
        let log = self.log.as_ref().map_or(0, |log| log.diverted + log.lost);
        let unkept = self.unkept.as_ref().map_or(0, |unkept| unkept.count);
        !self.orderly || count(Disposition::DeadLettered) + count(Disposition::Retry) + log + unkept > 0
    }
}

/// Counts how the events of one type ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeCount {
    /// The text of the event's `type` field; `-` where it has none.
    pub r#type: String,
    /// All of them.
    pub events: u64,
    /// By disposition.
    pub dispositions: BTreeMap<&'static str, u64>,
}

/// Counts how often a rule acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionCount {
    /// The rule.
    pub name: String,
    /// Its sink's name.
    pub sink: String,
    /// The sink's URL, without what came from a variable.
    pub to: String,
    /// How many actions the sink took.
    pub taken: u64,
    /// How many a limit held back.
    pub held_back: u64,
}

/// Counts what a lookup found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LookupCount {
    /// The lookup.
    pub name: String,
    /// The events it found something for.
    pub found: u64,
    /// The events it found nothing for.
    pub missing: u64,
}

/// Counts a kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorCount {
    /// The stable code.
    pub code: &'static str,
    /// How many events ended with it.
    pub events: u64,
    /// What the first of them says.
    pub first: String,
}

/// Counts the events that missed a limit of `slo`.
///
/// `decide` is held against the whole time of an event's batch: from its arrival, over every try and the waits between
/// them, to the last log entry, which is a little later than the last action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SloCount {
    /// `decide` or `event_age`.
    pub name: &'static str,
    /// The limit.
    pub limit_ms: u64,
    /// The events that took longer.
    pub missed: u64,
}

/// Says what became of the decision log's entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogCount {
    /// The sink's URL, without what came from a variable.
    pub to: String,
    /// Entries written.
    pub written: u64,
    /// Entries that went to the dead letters instead.
    pub diverted: u64,
    /// Entries that could not be written anywhere.
    pub lost: u64,
}

/// Says what was written to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenCount {
    /// The sink's URL, without what came from a variable.
    pub to: String,
    /// Events and log entries written.
    pub written: u64,
}

/// Says what the breaker did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BreakerCount {
    /// How often it tripped.
    pub tripped: u64,
    /// Why, the first time.
    pub first: Option<String>,
    /// The events it holds still: they are not done, and not lost.
    pub held: u64,
}

/// Says how often models were replaced while the pipeline ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReloadCount {
    /// How often another one took over.
    pub replaced: u64,
    /// How often one was refused.
    pub refused: u64,
    /// What the last refusal says.
    pub last: Option<String>,
}

/// Counts what could not be kept: marks of what was done `once`, which may be done again then; windows; notes for outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnkeptCount {
    /// How many.
    pub count: u64,
    /// What the first was, and why.
    pub first: Option<String>,
}

/// Counts what outcomes found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    /// Those that found their decision in time.
    pub found: u64,
    /// Those of a decision longer ago than `outcome.within`.
    pub late: u64,
    /// Those of no decision that is remembered.
    pub unknown: u64,
}
