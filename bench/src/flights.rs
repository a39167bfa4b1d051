//! The same job, three times: from YAML, in Rust, and by hand.

use std::{
    fmt, hint,
    path::Path,
    str::FromStr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use chrono::Utc;
use fourstroke::{
    clock::Deadline,
    code::Strokes,
    config::{Environment, PipelineFile},
    event::Decoded,
    pipeline::{Builder, Pipeline},
    ports::Model,
    report::StrokeTimes,
};
use tokio::runtime::Runtime;

use crate::{Limit, Opener, Timed, cpu_time, events::example};

/// Who does the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// `flights.yaml`: examples/flights without what happened lately.
    Yaml,
    /// The same in Rust, of the parts of examples/flights-rust.
    Rust,
    /// The loop written by hand: the limit.
    Limit,
}

impl Face {
    /// All of them.
    pub const ALL: [Face; 3] = [Face::Yaml, Face::Rust, Face::Limit];
}

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Face::Yaml => "yaml",
            Face::Rust => "rust",
            Face::Limit => "limit",
        })
    }
}

impl FromStr for Face {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Face> {
        let named = Face::ALL.into_iter().find(|face| face.to_string() == text);
        named.ok_or_else(|| anyhow::anyhow!("`{text}` is no face"))
    }
}

/// What one run cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Processor time of all threads.
    pub cpu: Duration,
    /// The models' share of it.
    pub model: Duration,
    /// Wall time in each stroke; none by hand.
    pub strokes: StrokeTimes,
}

impl Cost {
    /// Adds what another run cost.
    pub fn add(&mut self, other: Cost) {
        self.cpu += other.cpu;
        self.model += other.model;
        self.strokes.transform += other.strokes.transform;
        self.strokes.enrich += other.strokes.enrich;
        self.strokes.infer += other.strokes.infer;
        self.strokes.act += other.strokes.act;
        self.strokes.whole += other.strokes.whole;
    }
}

/// One face, warm.
pub struct Job {
    runtime: Runtime,
    opener: Opener,
    work: Work,
}

enum Work {
    Pipeline(Pipeline),
    Limit(Box<Limit>),
}

impl Job {
    /// Loads everything.
    ///
    /// # Errors
    /// When the example's files cannot be read, or hold a mistake.
    pub fn new(face: Face) -> anyhow::Result<Job> {
        let runtime = Runtime::new()?;
        let opener = Opener::default();
        let work = match face {
            Face::Yaml => {
                let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("flights.yaml");
                let file = PipelineFile::read(&file, &Environment::default())?;
                Work::Pipeline(runtime.block_on(Builder::new(file).open(&opener))?)
            }
            Face::Rust => {
                let strokes = in_rust(&example().display().to_string(), "out");
                Work::Pipeline(runtime.block_on(strokes.open(&opener))?.1)
            }
            Face::Limit => {
                let spent = opener.model_nanos.clone();
                Work::Limit(Box::new(Limit::load(move |bytes| {
                    let model: Arc<dyn Model> = Arc::new(fourstroke_onnx::load(bytes).map_err(|e| e.to_string())?);
                    Ok(Arc::new(Timed::new(model, spent.clone())))
                })?))
            }
        };
        Ok(Job { runtime, opener, work })
    }

    /// Decides the batches; making them does not count.
    pub fn run(&self, batches: impl Iterator<Item = Vec<Decoded>>) -> Cost {
        const PLENTY: Duration = Duration::from_secs(600);
        let mut cost = Cost::default();
        self.opener.model_nanos.store(0, Relaxed);
        for batch in batches {
            let before = cpu_time();
            match &self.work {
                Work::Pipeline(pipeline) => {
                    let report = self.runtime.block_on(pipeline.run(batch, Deadline::after(PLENTY)));
                    assert!(report.fatal.is_none() && report.retries().is_empty(), "every event must be decided");
                    cost.add(Cost { strokes: report.times, ..Cost::default() });
                }
                Work::Limit(limit) => drop(hint::black_box(limit.run(&batch, Utc::now()))),
            }
            cost.cpu += cpu_time().saturating_sub(before);
        }
        cost.model = Duration::from_nanos(self.opener.model_nanos.load(Relaxed));
        cost
    }
}

/// Gives the strokes of `flights.yaml`, with files in `out`.
pub fn in_rust(from: &str, out: &str) -> Strokes {
    let late = flights_rust::model("late", from, "late_no_history.onnx", flights_rust::NO_HISTORY);
    flights_rust::start(from, out)
        .infer(flights_rust::with_context(late))
        .infer(flights_rust::model("late_event_only", from, "late_event_only.onnx", flights_rust::EVENT_ONLY))
        .rule(flights_rust::rebook(75.0))
}
