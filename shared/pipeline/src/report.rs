//! What became of a batch: one disposition per event, and everything the decision log, the handler's reply and the
//! summary are made of.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::value::Value;

use crate::{
    act::Limited,
    config::StopAbove,
    error::{Code, Error},
    event::{Decoded, Event},
    infer::Feature,
    pipeline::Reload,
    ports::Outgoing,
    record::{Record, Said},
};

/// Says how one event ended. Ordered from best to worst; of several, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disposition {
    /// Nothing was to be done.
    Passed,
    /// Already done earlier: a replay.
    Skipped,
    /// Every chosen action was taken by its sink.
    Acted,
    /// Written to the dead letters, with reason and original bytes.
    DeadLettered,
    /// To be asked for again.
    Retry,
}

impl Disposition {
    /// Every disposition, best first.
    pub const ALL: [Disposition; 5] =
        [Disposition::Passed, Disposition::Skipped, Disposition::Acted, Disposition::DeadLettered, Disposition::Retry];

    /// Returns the word used in logs and summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Disposition::Passed => "passed",
            Disposition::Skipped => "skipped",
            Disposition::Acted => "acted",
            Disposition::DeadLettered => "dead-lettered",
            Disposition::Retry => "retry",
        }
    }
}

/// What a lookup gave for one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The lookup's name.
    pub name: Arc<str>,
    /// Whether the store had it; else the default or null stands in.
    pub found: bool,
    /// How old the value was when used.
    pub age: Duration,
}

/// What a model said about a record.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The model's name in the pipeline file.
    pub name: Arc<str>,
    /// The model's columns; none where a stub stood in for it.
    pub(crate) features: Arc<[Feature]>,
    /// What went into those columns that are not simply read from the record.
    pub(crate) computed: Vec<Value>,
    /// What came out: `probability`, `class`, `scores`, `value`, or the model's own output names.
    pub output: Arc<Said>,
}

impl Prediction {
    /// Returns the probability of the class named `positive`.
    pub fn probability(&self) -> Option<f64> {
        let whole = || self.output.value().as_object()?.get("probability");
        self.output.named("probability", None).or_else(whole)?.as_float().map(|number| number.into_inner())
    }
}

/// One thing to be done about an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The rule's name.
    pub name: Arc<str>,
    /// The sink's name.
    pub to: Arc<str>,
    /// What the rule's `data` gave.
    pub data: Value,
    /// What goes to the sink.
    pub outgoing: Outgoing,
    /// Whether the sink took it.
    pub taken: bool,
    /// Whether it was done for an earlier delivery of the event already, and so is not sent again.
    pub earlier: bool,
    /// Whether the rule says `once`.
    pub(crate) once: bool,
    /// What the rule's limits count it under.
    pub(crate) limits: Vec<Limited>,
    /// Whether the sink may have taken it, though it did not say so.
    pub(crate) unsure: bool,
}

/// Says that the actions are those of an earlier delivery of the event, which the store of `once` remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// When they were chosen.
    pub decided_at: DateTime<Utc>,
    /// By which version of the pipeline.
    pub version: ByteString,
}

/// The label an outcome event carries for an earlier decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The decision it is about.
    pub decision_id: String,
    /// What really happened.
    pub label: bool,
    /// Whether the decision was found.
    pub joined: Joined,
}

/// Says whether the decision an outcome is of was found, in the store of `outcome.in`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// No store remembers decisions.
    #[default]
    Unasked,
    /// It was found.
    Found {
        /// How much later than the event that was decided about the outcome's is, in milliseconds.
        delay_ms: i64,
    },
    /// It was found, and is longer ago than `within`.
    Late,
    /// It was not found: nothing was decided, or too long ago.
    Unknown,
}

/// Holds the whole run for one event: what it was, what was added, what was chosen and why.
#[derive(Clone, Debug)]
pub struct Decision {
    /// SHA-256(pipeline name, event id).
    pub id: ByteString,
    /// Which of the batch's inputs it came from; several where a body held several events.
    pub input: usize,
    /// The bytes this event was decoded from.
    pub body: Bytes,
    /// Fields and the event's own facts.
    pub record: Record,
    /// What the lookups gave; one whose key reads another's answer stands behind it.
    pub lookups: Vec<Seen>,
    /// What the models said; only those that ran.
    pub predictions: Vec<Prediction>,
    /// The rules that matched, in order.
    pub candidates: Vec<Arc<str>>,
    /// What was chosen.
    pub actions: Vec<Action>,
    /// The rules that were chosen, and a limit held back.
    pub held_back: Vec<Arc<str>>,
    /// Set where the actions are an earlier delivery's. What lookups and models said is this one's.
    pub replay: Option<Replay>,
    /// The outcome this event tells, if it is one.
    pub outcome: Option<Outcome>,
    /// How it ended.
    pub disposition: Disposition,
    /// Why, when it ended as dead-lettered or retry.
    pub error: Option<Error>,
}

impl Decision {
    /// Returns what went into a model for one of its predictions, column by column, before category tables. Nothing
    /// where a stub stood in for the model.
    pub fn features<'a>(&'a self, prediction: &'a Prediction) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.columns(prediction).map(|(feature, value)| (&*feature.name, value))
    }

    pub(crate) fn columns<'a>(&'a self, prediction: &'a Prediction) -> impl Iterator<Item = (&'a Feature, &'a Value)> {
        let mut computed = prediction.computed.iter();
        // Nothing changes a field after a model has read it.
        prediction.features.iter().filter_map(move |feature| {
            let value = feature.expression.read(&self.record).or_else(|| computed.next())?;
            Some((feature, value))
        })
    }
}

/// Wall time a batch spent in each stroke.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StrokeTimes {
    /// Decode and transform.
    pub transform: Duration,
    /// Lookups.
    pub enrich: Duration,
    /// Features and models.
    pub infer: Duration,
    /// Rules and sends.
    pub act: Duration,
    /// From the batch's arrival to its last log entry.
    pub whole: Duration,
}

/// How the keys of a batch's lookups and windows were answered, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// From what an earlier batch was told.
    pub cached: usize,
    /// By their store.
    pub asked: usize,
}

/// Says what became of a batch. Never an `Err`: what already acted is never forgotten.
#[derive(Debug, Default)]
pub struct Report {
    /// The batch as it came.
    pub inputs: Arc<[Decoded]>,
    /// One per event; at least one per input.
    pub decisions: Vec<Decision>,
    /// Set when nothing more will succeed until somebody acts.
    pub fatal: Option<Error>,
    /// Decision-log entries that were written: of decisions, and of outcomes.
    pub log_written: usize,
    /// Decision-log entries that went to the dead letters instead.
    pub log_diverted: usize,
    /// Decision-log entries that could not be written anywhere.
    pub log_lost: usize,
    /// What could not be kept in a store for good, and why the first could not: marks of what was done `once`, which may be done
    /// again then; windows; notes for outcomes.
    pub unkept: (usize, Option<String>),
    /// How long others may be acting on events that are to be asked for again.
    pub leased: Option<Duration>,
    /// What the breaker did, in order; empty while it stays as it is.
    pub breaker: Vec<BreakerChange>,
    /// What became of models that changed where they are kept, since the last report.
    pub reloads: Vec<Reload>,
    /// Where the time went.
    pub times: StrokeTimes,
    /// What lookups and windows asked for.
    pub reads: Reads,
    /// When its actions had been sent, if it came so far.
    pub acted_at: Option<DateTime<Utc>>,
}

/// Says that the breaker of `on_error.stop_above` moved: what somebody should hear of.
#[derive(Clone, Debug, PartialEq)]
pub enum BreakerChange {
    /// It tripped: from here on events are held.
    Tripped {
        /// How many events were poison.
        poison: u64,
        /// Of how many: the last ones, or all since the start where there are fewer.
        of: u64,
        /// What was allowed.
        limit: StopAbove,
        /// The most frequent code among them.
        most: Code,
        /// What an event of that code says.
        reason: String,
    },
    /// It closed: a batch got through.
    Closed {
        /// How long events were held.
        after: Duration,
    },
}

impl fmt::Display for BreakerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = Code::BREAKER.as_str();
        match self {
            BreakerChange::Tripped { poison, of, limit, most, reason } => write!(
                f,
                "{code}: {poison} of the last {of} events are poison, and `on_error.stop_above` is {limit}: events are \
                 held, and tried again from time to time; most are {}: {reason}",
                most.as_str()
            ),
            BreakerChange::Closed { after } => {
                write!(f, "{code} is over after {} s: a batch got through, events are taken again", after.as_secs())
            }
        }
    }
}

impl Report {
    /// Returns the disposition of each input: the worst of the events it held.
    pub fn dispositions(&self) -> Vec<Disposition> {
        let mut worst = vec![None; self.inputs.len()];
        for decision in &self.decisions {
            worst[decision.input] = worst[decision.input].max(Some(decision.disposition));
        }
        // An input nothing was decided about is not done.
        worst.into_iter().map(|worst| worst.unwrap_or(Disposition::Retry)).collect()
    }

    /// Returns the inputs to be asked for again, in order.
    pub fn retries(&self) -> Vec<Decoded> {
        self.dispositions()
            .into_iter()
            .zip(self.inputs.iter())
            .filter(|(disposition, _)| *disposition == Disposition::Retry)
            .map(|(_, input)| input.clone())
            .collect()
    }

    /// Returns the first event to be asked for again in each group, and every one that has no group: what a platform
    /// that replays in order needs to hear.
    pub fn replay_from(&self) -> Vec<&Event> {
        let mut seen = HashSet::new();
        self.dispositions()
            .into_iter()
            .zip(self.inputs.iter())
            .filter(|(disposition, _)| *disposition == Disposition::Retry)
            .map(|(_, input)| input.event())
            .filter(|event| event.group.as_ref().is_none_or(|group| seen.insert(group)))
            .collect()
    }

    /// Takes in the report of this one's [`retries`](Report::retries), run again: those inputs end as they did there.
    pub fn absorb(&mut self, again: Report) {
        let worst = self.dispositions();
        let retried = |input: usize| worst[input] == Disposition::Retry;
        let places: Vec<usize> = (0..worst.len()).filter(|input| retried(*input)).collect();
        self.decisions.retain(|decision| !retried(decision.input));
        let decided = again.decisions.into_iter();
        self.decisions.extend(decided.map(|decision| Decision { input: places[decision.input], ..decision }));
        self.decisions.sort_by_key(|decision| decision.input);
        self.fatal = self.fatal.take().or(again.fatal);
        self.log_written += again.log_written;
        self.log_diverted += again.log_diverted;
        self.log_lost += again.log_lost;
        self.unkept.0 += again.unkept.0;
        self.unkept.1 = self.unkept.1.take().or(again.unkept.1);
        self.leased = again.leased;
        self.breaker.extend(again.breaker);
        self.reloads.extend(again.reloads);
        self.acted_at = self.acted_at.max(again.acted_at);
        self.reads.cached += again.reads.cached;
        self.reads.asked += again.reads.asked;
        self.times.transform += again.times.transform;
        self.times.enrich += again.times.enrich;
        self.times.infer += again.times.infer;
        self.times.act += again.times.act;
        self.times.whole += again.times.whole;
    }

    /// Returns how many events the breaker holds.
    pub fn held(&self) -> usize {
        let held = |decision: &&Decision| decision.error.as_ref().is_some_and(|error| error.code == Code::BREAKER);
        self.decisions.iter().filter(held).count()
    }

    /// Returns how many events ended that way.
    pub fn count(&self, disposition: Disposition) -> usize {
        self.decisions.iter().filter(|decision| decision.disposition == disposition).count()
    }
}
