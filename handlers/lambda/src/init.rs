//! What is made once: the pipeline of the package, open, with its models loaded and its first connections made.

use std::{
    env,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use fourstroke::{
    clock::Clock,
    config::{Environment, Mistakes, PipelineFile},
    pipeline::{Builder, Pipeline},
    report::Report,
};
use fourstroke_adapters::{function_url::Cors, open::Adapters};
use fourstroke_runtime::{
    Metrics,
    lambda::{self, Source},
    logs::Telemetry,
    passing,
};
use tracing::{info, warn};

use crate::trigger::Triggers;

/// Exits so on wrong usage or configuration.
pub const USAGE: u8 = 2;
/// As long as a first connection may take: a service that is slow must not keep the function from those that are not.
const CONNECT: Duration = Duration::from_secs(1);

/// A process that is ready for invocations.
pub struct Ready {
    pub pipeline: Pipeline,
    /// What every payload is taken as, if somebody says.
    pub source: Option<Source>,
    pub triggers: Triggers,
    pub metrics: Metrics,
    pub telemetry: Telemetry,
}

/// Gets ready.
///
/// # Errors
/// Every mistake in the pipeline file, with its place; what cannot be opened; what would not outlive the process.
pub async fn init(started: Instant, telemetry: Telemetry) -> Result<Ready, String> {
    let path = env::var(lambda::PIPELINE).ok().filter(|path| !path.is_empty());
    let path = path.unwrap_or_else(|| lambda::DEFAULT_PIPELINE.to_owned());
    // Lambda starts a function in its package.
    let file = PipelineFile::read(Path::new(&path), &Environment::of_process()).map_err(|mistakes| said(&mistakes))?;
    let passing = passing(&file);
    if !passing.is_empty() {
        return Err(said(&Mistakes::new(file.path, file.text, passing)));
    }
    let source = Source::said(&env::var(lambda::SOURCE).unwrap_or_default())?;
    let adapters = Adapters::new(|bytes, external| {
        let model = fourstroke_onnx::load_with(bytes, external).map_err(|error| error.to_string())?;
        Ok(Arc::new(model))
    });
    let adapters = adapters.connecting(CONNECT);
    let name = file.name.text.clone();
    let read = started.elapsed();
    let pipeline = Builder::new(file).open(&adapters).await.map_err(|mistakes| said(&mistakes))?;
    let opened = started.elapsed();
    for at in adapters.connected().await {
        warn!(at, "there is no connection yet: its first call will wait for one");
    }
    let connected = started.elapsed();
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let (open_us, connect_us) = (micros(opened - read), micros(connected - opened));
    info!(pipeline = name, version = pipeline.version(), read_us = micros(read), open_us, connect_us, "ready");
    let triggers = Triggers::new(origins());
    let metrics = Metrics::new(&pipeline, started.elapsed().as_secs_f64() * 1e3, Clock::system());
    Ok(Ready { pipeline, source, triggers, metrics, telemetry })
}

fn origins() -> Cors {
    let list = env::var(lambda::ORIGINS).unwrap_or_default();
    Cors { origins: lambda::origins(&list).map(str::to_owned).collect() }
}

fn said(mistakes: &Mistakes) -> String {
    mistakes.render(false)
}

impl Ready {
    /// Writes the metrics of a batch to standard output, from where the platform takes them.
    pub fn measure(&self, report: &Report) {
        let mut line = self.metrics.line(report);
        line.push('\n');
        // Metrics that cannot be written are lost: nothing may depend on them.
        drop(std::io::stdout().lock().write_all(line.as_bytes()));
    }
}
