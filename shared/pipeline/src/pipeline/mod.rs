//! A pipeline, built once and kept warm: batches in, reports out.

mod barrier;
mod breaker;
mod build;
pub(crate) mod cpu;
mod dead_letter;
mod deliver;
mod explain;
mod held;
mod large;
mod limits;
mod load;
mod log;
mod once;
mod outcomes;
mod reload;
pub(crate) mod retry;
mod run;
mod send;
mod strokes;
mod windows;
mod wire;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use vrl::value::Value;

pub use build::Builder;
pub use explain::{Asked, Condition, Considered, Explained, Explanation, Reached, Weighed};
pub use reload::Reload;

use crate::{
    act::Act,
    clock::{Clock, Deadline},
    config::SloConfig,
    enrich::Lookup,
    event::Decoded,
    infer::Inference,
    ports::{Sink, Store},
    report::Report,
    transform::Transform,
};
use once::Ledger;
use outcomes::OutcomeRule;
use reload::Live;

/// A built pipeline. Cheap to clone; all clones share models, caches and connections.
#[derive(Clone)]
pub struct Pipeline {
    name: Arc<str>,
    live: Arc<Live>,
}

struct Inner {
    name: String,
    version: String,
    transform: Transform,
    lookups: Arc<Vec<Lookup>>,
    models: Vec<Inference>,
    act: Act,
    outcome: Option<OutcomeRule>,
    /// Where a rule says `once`.
    ledger: Option<Ledger>,
    stores: HashMap<Arc<str>, Arc<dyn Store>>,
    sinks: HashMap<Arc<str>, Arc<dyn Sink>>,
    dead_letters: Arc<dyn Sink>,
    log: Option<(Arc<dyn Sink>, log::Kept)>,
    breaker: Option<Arc<breaker::Breaker>>,
    slo: SloConfig,
    clock: Clock,
    pace: cpu::Pace,
}

/// What stands in for stores and models, and where the clock stands, in a test of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Stubs {
    /// By lookup, what it finds; null: nothing.
    pub given: HashMap<String, Value>,
    /// By model, what it says.
    pub predict: HashMap<String, Value>,
    /// The time.
    pub now: Option<DateTime<Utc>>,
}

/// Describes a model of a pipeline, for summaries.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Its name in the pipeline file.
    pub name: Arc<str>,
    /// The digest of its bytes.
    pub sha256: Arc<str>,
    /// Whether it gives the probability of a class, so that outcomes can score it.
    pub scored: bool,
    /// What its exporter wrote beside the graph.
    pub metadata: BTreeMap<String, String>,
}

impl Pipeline {
    /// Returns the pipeline's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the hash of the file and the models that serve now.
    pub fn version(&self) -> String {
        self.live.serving().version.clone()
    }

    /// Returns what is measured and alarmed.
    pub fn slo(&self) -> SloConfig {
        self.live.serving().slo
    }

    /// Returns how long after a decision its outcome still counts, if the file says what an outcome is.
    pub fn outcome_within(&self) -> Option<Duration> {
        self.live.serving().outcome.as_ref().map(|outcome| outcome.within)
    }

    /// Describes the models that serve now, in the order of the file.
    pub fn models(&self) -> Vec<ModelInfo> {
        let describe = |model: &Inference| ModelInfo {
            name: model.name.clone(),
            sha256: model.sha256.clone(),
            scored: model.scored,
            metadata: model.model.signature().metadata.clone(),
        };
        self.live.serving().models.iter().map(describe).collect()
    }

    /// Returns a store of the file, as it is open: the same handle, warm, that the strokes have.
    pub fn store(&self, name: &str) -> Option<Arc<dyn Store>> {
        self.live.serving().stores.get(name).cloned()
    }

    /// Runs a batch through the four strokes. Everything that happened is in the report, errors included. All of it is
    /// decided by the models that serve when it starts.
    pub async fn run(&self, batch: impl Into<Arc<[Decoded]>>, deadline: Deadline) -> Report {
        self.live.look();
        let serving = self.live.serving();
        let breaker = serving.breaker.clone();
        let report = run::run(serving, batch.into(), deadline, Arc::default(), breaker.as_ref()).await;
        Report { reloads: self.live.news(), ..report }
    }

    /// Runs a batch with stand-ins, as `fourstroke test` does. Whole numbers stand in for a model's floats too. What is
    /// made up does not concern the breaker.
    pub async fn run_with(&self, batch: impl Into<Arc<[Decoded]>>, deadline: Deadline, stubs: Stubs) -> Report {
        run_with(self.live.serving(), batch.into(), deadline, stubs).await
    }
}

async fn run_with(serving: Arc<Inner>, batch: Arc<[Decoded]>, deadline: Deadline, mut stubs: Stubs) -> Report {
    for model in &serving.models {
        if let Some(said) = stubs.predict.get_mut(&*model.name) {
            *said = wire::fit_prediction(model, std::mem::replace(said, Value::Null));
        }
    }
    run::run(serving, batch, deadline, Arc::new(stubs), None).await
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline({} {})", self.name, self.version())
    }
}
