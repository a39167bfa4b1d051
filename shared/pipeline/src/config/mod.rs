//! `pipeline.yaml` as typed configuration. Reading and checking the file happens here; expressions are compiled and
//! resources opened when the pipeline is built.

mod cursor;
mod duration;
mod mistake;
mod objects;
mod on_error;
mod parse;
mod references;
mod resolve;
mod resource;
mod resources;
mod schema;
mod state;
mod strokes;
mod tests_section;
mod yaml;

use std::{cell::RefCell, fmt, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use vrl::value::Value;

pub(crate) use duration::parse;
pub use mistake::{Mistake, Mistakes, did_you_mean};
pub use resolve::{Environment, Reference, Referred};
pub use resource::{Format, Resource};
pub use schema::schema;
pub use state::{Give, LimitConfig, OnceConfig, WindowConfig};

use crate::{
    code::{Computed, Function},
    error::Code,
    report::Disposition,
    types::Fields,
};

/// The text of an expression and where each of its bytes stands in the file.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The expression.
    pub text: String,
    /// Its place in the file, such as `act.rules[0].when`.
    pub at: String,
    /// For each byte of the text, and its end, the byte offset in the file.
    pub(crate) offsets: Arc<[usize]>,
    /// The closure that stands for it, in a pipeline written in Rust.
    pub(crate) function: Option<Function>,
}

/// A name and where it stands in the file.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Its place in the file's text, in bytes.
    pub span: std::ops::Range<usize>,
}

/// A pipeline file, read and checked as far as that goes without opening anything.
#[derive(Clone, Debug)]
pub struct PipelineFile {
    /// The file's path, for messages.
    pub path: PathBuf,
    /// The file's text; empty for a pipeline written in Rust.
    pub text: Arc<str>,
    /// What a pipeline written in Rust has in its version instead of a text.
    pub(crate) revision: Option<String>,
    /// `name`
    pub name: Name,
    /// `sources`, by name.
    pub sources: Vec<(Name, Resource)>,
    /// `stores`, by name.
    pub stores: Vec<(Name, Resource)>,
    /// `sinks`, by name.
    pub sinks: Vec<(Name, Resource)>,
    /// `event`
    pub event: EventConfig,
    /// `transform`
    pub transform: Option<Expr>,
    /// `enrich`, in order.
    pub enrich: Vec<LookupConfig>,
    /// `infer`, in order.
    pub infer: Vec<ModelConfig>,
    /// `act`
    pub act: ActConfig,
    /// `outcome`
    pub outcome: Option<OutcomeConfig>,
    /// `log`
    pub log: Option<LogConfig>,
    /// `on_error.to`: the sink of dead letters.
    pub dead_letters: Name,
    /// `on_error.stop_above` and `of_last`; none: there is no breaker.
    pub stop_above: Option<StopAbove>,
    /// `slo`
    pub slo: SloConfig,
    /// `tests`
    pub tests: Vec<TestConfig>,
    /// Every `${…}`, in the order it was read.
    pub references: Vec<Reference>,
    /// What is wrong so far; [`crate::pipeline::Builder::open`] reports it with what it finds itself.
    pub(crate) mistakes: Vec<Mistake>,
    /// Names that could not be read; what refers to them is not wrong for that.
    pub(crate) broken: Vec<String>,
}

impl PipelineFile {
    /// Returns the names of the stores that something in the file uses.
    pub fn used_stores(&self) -> Vec<&str> {
        let rules = &self.act.rules;
        let lookups = self.enrich.iter().map(|lookup| &lookup.from);
        let once = rules.iter().flat_map(|rule| &rule.once).map(|once| &once.store);
        let limits = rules.iter().flat_map(|rule| &rule.limits).map(|limit| &limit.store);
        let outcome = self.outcome.iter().flat_map(|outcome| &outcome.store);
        lookups.chain(once).chain(limits).chain(outcome).map(|name| name.text.as_str()).collect()
    }

    /// Returns the first variable that may say where a resource is, set or not.
    pub fn variable(&self, resource: &Resource) -> Option<&str> {
        self.references.iter().find_map(|reference| match &reference.to {
            Referred::Variable { name, .. } if reference.at == resource.at => Some(name.as_str()),
            _ => None,
        })
    }

    /// Notes in a pipeline written in Rust what is noted in a file while it is read.
    pub(crate) fn check(&mut self) {
        let found = RefCell::new(Vec::new());
        let note = |mistake| found.borrow_mut().push(mistake);
        parse::unfit_name(&self.name).into_iter().for_each(note);
        let somewhere = |message: &str| Mistake::new(0..0, message);
        if self.dead_letters.text.is_empty() {
            note(somewhere("dead letters must go somewhere").help("name a sink: `.dead_letters(\"dead\")`"));
        }
        if self.event.format == BodyFormat::Avro && self.event.schema.is_none() {
            note(somewhere("Avro needs a schema").help("say where it is: `.avro(\"file:events.avsc\")`"));
        }
        for once in self.act.rules.iter().filter_map(|rule| rule.once.as_ref()) {
            if once.keep < OnceConfig::SHORTEST {
                note(somewhere("what is done once is remembered for at least a minute"));
            }
        }
        if self.act.rules.iter().flat_map(|rule| &rule.limits).any(|limit| limit.per.is_zero()) {
            note(somewhere("a limit is for longer than no time"));
        }
        for lookup in &self.enrich {
            let Some(window) = &lookup.window else { continue };
            window.mistakes().into_iter().for_each(|message| note(somewhere(&message)));
            if lookup.cache.is_some() || lookup.timeout.is_some() || lookup.missing != Missing::Null {
                note(somewhere("a window has no cache, no timeout, and nothing that stands in"));
            }
        }
        let unfit = self.stop_above.and_then(on_error::unfit);
        unfit.into_iter().for_each(|(message, help)| note(somewhere(&message).help(help)));
        references::check(self, &[], &note);
        self.mistakes.extend(found.into_inner());
    }
}

/// How a body is taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON object.
    #[default]
    Json,
    /// One JSON object per line, each an event.
    JsonLines,
    /// One row per line, each an event.
    Csv,
    /// CloudEvents 1.0: one in the body, a batch of them, or the body as data with the rest in attributes.
    CloudEvents,
    /// An Avro record, alone or behind its schema's fingerprint, or a container file of many.
    Avro,
}

/// `event`: what an event looks like.
#[derive(Clone, Debug, Default)]
pub struct EventConfig {
    /// `format`
    pub format: BodyFormat,
    /// `id`: overrides the platform's.
    pub id: Option<Expr>,
    /// `key`: overrides the platform's.
    pub key: Option<Expr>,
    /// `time`: overrides the platform's.
    pub time: Option<Expr>,
    /// `schema`: of `avro`.
    pub schema: Option<Resource>,
    /// `fields`; none: any field of any type is kept.
    pub fields: Option<Fields>,
    /// Where each of the fields stands in the file's text, in bytes.
    pub(crate) field_spans: Vec<std::ops::Range<usize>>,
}

/// What stands in for something a lookup does not find.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// The event is dead-lettered.
    Poison,
    /// The lookup's value is null.
    Null,
    /// This value.
    Default(Value),
}

/// One entry of `enrich`.
#[derive(Clone, Debug)]
pub struct LookupConfig {
    /// Its name: where the value goes in the record.
    pub name: Name,
    /// `from`: the store.
    pub from: Name,
    /// `key`: one expression per key column.
    pub key: Vec<Expr>,
    /// `cache`: how long an answer may be used again; none: not at all.
    pub cache: Option<CacheConfig>,
    /// `timeout` of one call; none: the batch's deadline.
    pub timeout: Option<Duration>,
    /// `missing` and `default`
    pub missing: Missing,
    /// `window`: what happened lately, kept in the store, instead of a row that is found there.
    pub window: Option<WindowConfig>,
    /// A closure that answers instead of the store, in a pipeline written in Rust.
    pub(crate) computed: Option<Computed>,
}

/// How long, and how many of, a lookup's answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// The time to live.
    pub ttl: Duration,
    /// The most keys kept.
    pub size: usize,
}

impl CacheConfig {
    /// How many keys are kept where nothing else is said.
    pub(crate) const SIZE: usize = 100_000;
}

/// A pinned model.
#[derive(Clone, Debug)]
pub enum Pin {
    /// The digest in the file.
    Digest(Name),
    /// The digest in `<model>.sha256`.
    Beside,
}

/// One entry of `infer`.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// Its name: where the prediction goes in the record.
    pub name: Name,
    /// `model`
    pub model: Resource,
    /// `sha256`
    pub sha256: Option<Pin>,
    /// `external_data`: files beside the model that hold its weights.
    pub external_data: Vec<Name>,
    /// `reload`: how often it is asked for change at most.
    pub reload: Option<Duration>,
    /// `when`: only for these events.
    pub when: Option<Expr>,
    /// `positive`: the class whose probability is `.NAME.probability`.
    pub positive: Option<Name>,
    /// `features` in the order of the model's columns.
    pub features: Vec<(Name, Expr)>,
    /// `categories` by feature.
    pub categories: Vec<(Name, Categories)>,
    /// `missing` by feature; `NaN` for `nan`.
    pub missing: Vec<(Name, f64)>,
}

/// A category table: a string's place in the list is its number; unknown is -1.
#[derive(Clone, Debug)]
pub enum Categories {
    /// In the file.
    Inline(Vec<String>),
    /// A JSON array of strings elsewhere.
    Table(Box<Resource>),
}

/// Whether the first matching rule acts, or all do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// The first in the order of the file.
    #[default]
    First,
    /// Every one.
    All,
}

/// `act`
#[derive(Clone, Debug, Default)]
pub struct ActConfig {
    /// `match`
    pub matches: Match,
    /// `rules` in order.
    pub rules: Vec<RuleConfig>,
}

/// One entry of `act.rules`.
#[derive(Clone, Debug)]
pub struct RuleConfig {
    /// `name`
    pub name: Name,
    /// Models without whose prediction it does not match, beside those its expressions read; only in Rust.
    pub(crate) needs: Vec<Name>,
    /// `when`; none: always.
    pub when: Option<Expr>,
    /// `to`: the sink.
    pub to: Name,
    /// `key`: the order's key at the sink; none: the event's.
    pub key: Option<Expr>,
    /// `data`; none: the whole record.
    pub data: Option<Expr>,
    /// `once`: the action happens once per event, however often that is delivered.
    pub once: Option<OnceConfig>,
    /// `limit`: how often the action happens at most.
    pub limits: Vec<LimitConfig>,
}

/// `outcome`: which events tell how an earlier decision turned out.
#[derive(Clone, Debug)]
pub struct OutcomeConfig {
    /// `when`
    pub when: Expr,
    /// `of`: the id of the event that was decided.
    pub of: Expr,
    /// `label`: what really happened, boolean.
    pub label: Expr,
    /// `within`: how long after the decision an outcome still counts.
    pub within: Duration,
    /// `in`: the store that remembers when decisions were made; none: an outcome is noted with the event that tells it.
    pub store: Option<Name>,
}

/// `log`
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `to`: the sink.
    pub to: Name,
    /// `keep`: paths of the record to keep beside what the strokes added.
    pub keep: Vec<Expr>,
}

/// `on_error.stop_above` and `of_last`: how much poison trips the breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopAbove {
    /// The share, in percent: above 0 and below 100.
    pub percent: f64,
    /// Of how many of the last events.
    pub of_last: u64,
}

impl StopAbove {
    /// Returns how many of so many events may be poison.
    pub fn allowed(self, events: u64) -> u64 {
        // The share is a decimal number that a float may miss by a little.
        const NEXT_TO_NOTHING: f64 = 1e-9;
        (self.percent * events as f64 / 100.0 + NEXT_TO_NOTHING) as u64
    }
}

impl fmt::Display for StopAbove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}% of the last {}", self.percent, self.of_last)
    }
}

/// `slo`: measured and reported; changes no disposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SloConfig {
    /// `decide`: from a batch's arrival to its last log entry.
    pub decide: Option<Duration>,
    /// `event_age`: from the event's time to its action.
    pub event_age: Option<Duration>,
}

/// One entry of `tests`.
#[derive(Clone, Debug)]
pub struct TestConfig {
    /// `name`
    pub name: Name,
    /// `now`: where the clock stands.
    pub now: Option<DateTime<Utc>>,
    /// `event`: the body; text as it is, anything else as JSON.
    pub event: String,
    /// `given`: by lookup, what it finds; null: nothing.
    pub given: Vec<(Name, Value)>,
    /// `predict`: by model, what it says.
    pub predict: Vec<(Name, Value)>,
    /// `expect`
    pub expect: Expectation,
}

/// What a test expects; what is not named is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// `actions`: the names of the rules, in order.
    pub actions: Option<Vec<String>>,
    /// `data` of the first action, at least this.
    pub data: Option<Value>,
    /// `disposition`
    pub disposition: Option<Disposition>,
    /// `code` of the error.
    pub code: Option<Code>,
    /// `record` after the strokes, at least this.
    pub record: Option<Value>,
}
