//! Pipelines written in Rust: the strokes as calls instead of YAML, expressions as paths, VRL text or closures. What
//! comes out is the same [`PipelineFile`], checked and built in the same way.
//!
//! ```
//! use fourstroke::code::{Rule, Strokes, with};
//!
//! let orders = Strokes::named("orders", "2024-05")
//!     .fields("id: string, customer: string, amount: float")
//!     .identity(".id", ".customer")
//!     .sink("review", "stdout:")
//!     .sink("dead", "stdout:")
//!     .rule(Rule::new("look", "review").when(with(|order| Ok(order.float("amount")? > 1000.0))))
//!     .dead_letters("dead");
//! # let _ = orders;
//! ```

mod computed;
mod expr;
mod parts;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use computed::{Answers, Computed};
pub use expr::{Function, Gives, float, object, with};
pub use parts::{Counting, Infer, Lookup, Rule};

use crate::{
    clock::Clock,
    config::{
        ActConfig, BodyFormat, EventConfig, Expr, Format, LogConfig, Match, Mistake, Mistakes, Name, OutcomeConfig,
        PipelineFile, Resource, SloConfig, StopAbove,
    },
    pipeline::{Builder, Pipeline},
    ports::Open,
    record::Record,
    transform::RustTransform,
    types::{FieldType, Fields},
};

/// Collects the strokes of a pipeline.
///
/// Paths in URLs are relative to the working directory. Mistakes are kept until [`Strokes::open`], which reports all of
/// them.
pub struct Strokes {
    file: PipelineFile,
    clock: Clock,
    transform: Option<(RustTransform, Fields)>,
    outcome_in: Option<Name>,
}

impl Strokes {
    /// Starts a pipeline. The revision goes into its version, together with the models: change it when the code changes
    /// what is decided.
    pub fn named(name: &str, revision: &str) -> Strokes {
        let file = PipelineFile {
            path: PathBuf::from(name),
            text: "".into(),
            revision: Some(revision.to_owned()),
            name: name_of(name),
            sources: Vec::new(),
            stores: Vec::new(),
            sinks: Vec::new(),
            event: EventConfig::default(),
            transform: None,
            enrich: Vec::new(),
            infer: Vec::new(),
            act: ActConfig::default(),
            outcome: None,
            log: None,
            dead_letters: name_of(""),
            stop_above: None,
            slo: SloConfig::default(),
            tests: Vec::new(),
            references: Vec::new(),
            mistakes: Vec::new(),
            broken: Vec::new(),
        };
        Strokes { file, clock: Clock::system(), transform: None, outcome_in: None }
    }

    /// Replaces the clock, as tests do.
    pub fn clock(mut self, clock: Clock) -> Strokes {
        self.clock = clock;
        self
    }

    /// Sets the format of bodies; JSON else. For Avro see [`Strokes::avro`].
    pub fn format(mut self, format: BodyFormat) -> Strokes {
        self.file.event.format = format;
        self
    }

    /// Reads bodies as Avro, by the schema at a URL.
    pub fn avro(mut self, schema: &str) -> Strokes {
        self.file.event.schema = Some(Resource::new("event.schema", schema));
        self.format(BodyFormat::Avro)
    }

    /// Declares the fields of an event: `"id: string, amount: float?"`, with the types of the pipeline file.
    pub fn fields(mut self, fields: &str) -> Strokes {
        self.file.event.fields = Some(self.typed("event.fields", fields));
        self
    }

    /// Sets what gives an event's id and key.
    pub fn identity(mut self, id: impl Into<Expr>, key: impl Into<Expr>) -> Strokes {
        self.file.event.id = Some(placed(id, "event.id"));
        self.file.event.key = Some(placed(key, "event.key"));
        self
    }

    /// Sets what gives an event's time.
    pub fn time(mut self, time: impl Into<Expr>) -> Strokes {
        self.file.event.time = Some(placed(time, "event.time"));
        self
    }

    /// Sets the transform; `adds` are the fields it sets on every record: `"route: string"`.
    pub fn transform(
        mut self,
        adds: &str,
        transform: impl Fn(&mut Record) -> Result<(), String> + Send + Sync + 'static,
    ) -> Strokes {
        let adds = self.typed("transform", adds);
        self.transform = Some((Arc::new(transform), adds));
        self
    }

    /// Adds a store: where it is, the columns of its key, and the fields of its rows.
    pub fn store(mut self, name: &str, url: &str, key: &[&str], fields: &str) -> Strokes {
        let fields = Some(self.typed(name, fields)).filter(|fields| !fields.0.is_empty());
        let key = key.iter().map(ToString::to_string).collect();
        let resource = Resource { key, fields, ..Resource::new(format!("stores.{name}"), url) };
        self.file.stores.push((name_of(name), resource));
        self
    }

    /// Adds a sink that takes an action's data as JSON.
    pub fn sink(self, name: &str, url: &str) -> Strokes {
        self.sink_as(Format::Json, name, url)
    }

    /// Adds a sink that takes actions in a format.
    pub fn sink_as(mut self, format: Format, name: &str, url: &str) -> Strokes {
        let resource = Resource { format, ..Resource::new(format!("sinks.{name}"), url) };
        self.file.sinks.push((name_of(name), resource));
        self
    }

    /// Adds a lookup. Its key may read an earlier one's answer, if that part is a path or VRL.
    pub fn enrich(mut self, mut lookup: Lookup) -> Strokes {
        if let Some((fields, computed)) = lookup.1.take() {
            let fields = self.typed(&format!("enrich.{}", lookup.0.name.text), &fields);
            lookup.0.computed = Some(computed(fields));
        }
        self.file.enrich.push(lookup.0);
        self
    }

    /// Adds a model.
    pub fn infer(mut self, model: Infer) -> Strokes {
        self.file.infer.push(model.0);
        self
    }

    /// Adds a rule; the first that matches acts, unless [`Strokes::every_match`] is said.
    pub fn rule(mut self, rule: Rule) -> Strokes {
        self.file.act.rules.push(rule.0);
        self
    }

    /// Lets every rule that matches act.
    pub fn every_match(mut self) -> Strokes {
        self.file.act.matches = Match::All;
        self
    }

    /// Says which events tell how an earlier decision turned out.
    pub fn outcome(
        mut self,
        when: impl Into<Expr>,
        of: impl Into<Expr>,
        label: impl Into<Expr>,
        within: Duration,
    ) -> Strokes {
        self.file.outcome = Some(OutcomeConfig {
            when: placed(when, "outcome.when"),
            of: placed(of, "outcome.of"),
            label: placed(label, "outcome.label"),
            within,
            store: None,
        });
        self
    }

    /// Remembers decisions in a store until their outcome is told, if [`Strokes::outcome`] says what that is.
    pub fn outcome_in(mut self, store: &str) -> Strokes {
        self.outcome_in = Some(name_of(store));
        self
    }

    /// Sets the sinks of the decision log, with the paths of the record it keeps, and of dead letters.
    pub fn written(mut self, log: &str, keep: &[&str], dead_letters: &str) -> Strokes {
        let keep = keep.iter().map(|path| placed(*path, "log.keep")).collect();
        self.file.log = Some(LogConfig { to: name_of(log), keep });
        self.dead_letters(dead_letters)
    }

    /// Sets the sink of dead letters; every pipeline has one.
    pub fn dead_letters(mut self, to: &str) -> Strokes {
        self.file.dead_letters = name_of(to);
        self
    }

    /// Sets what is measured and alarmed.
    pub fn slo(mut self, slo: SloConfig) -> Strokes {
        self.file.slo = slo;
        self
    }

    /// Holds events once more than this share of so many of the last ones is poison.
    pub fn stop_above(mut self, percent: f64, of_last: u64) -> Strokes {
        self.file.stop_above = Some(StopAbove { percent, of_last });
        self
    }

    /// Opens everything that is named, and builds the pipeline. The file is for what wants one beside it, such as a tally.
    ///
    /// # Errors
    /// Every mistake.
    pub async fn open(mut self, open: &dyn Open) -> Result<(PipelineFile, Pipeline), Mistakes> {
        if let (Some(outcome), Some(store)) = (&mut self.file.outcome, self.outcome_in) {
            outcome.store = Some(store);
        }
        self.file.check();
        let builder = Builder::new(self.file.clone()).clock(self.clock);
        let builder = match self.transform {
            Some((transform, adds)) => builder.transform(adds, move |record| transform(record)),
            None => builder,
        };
        Ok((self.file, builder.open(open).await?))
    }

    /// Reads `name: type, …`.
    fn typed(&mut self, at: &str, text: &str) -> Fields {
        let mut fields = Fields::default();
        for field in text.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            let parsed = field
                .split_once(':')
                .and_then(|(name, declared)| Some((name.trim().to_owned(), FieldType::parse(declared.trim())?)));
            match parsed {
                Some(field) => fields.0.push(field),
                None => {
                    let message = format!("`{at}`: `{field}` is not a field and its type, such as `amount: float?`");
                    self.file.mistakes.push(Mistake::new(0..0, message));
                }
            }
        }
        fields
    }
}

fn name_of(text: &str) -> Name {
    Name { text: text.to_owned(), span: 0..0 }
}

fn placed(expr: impl Into<Expr>, at: &str) -> Expr {
    Expr { at: at.to_owned(), ..expr.into() }
}
