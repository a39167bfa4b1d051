//! From a pipeline file to a built pipeline, over the adapters this binary links.

use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    config::{Environment, Mistake, Mistakes, PipelineFile, Resource},
    error::Kind,
    pipeline::{Builder, Pipeline},
    ports::{Model, Open, Outgoing, SendError, Sent, Sink, Source, Store},
};
use fourstroke_adapters::{memory::MemorySink, open};

/// A pipeline file, built. Nothing is written yet, and no file made: [`Built::open_sinks`] does that.
pub struct Built {
    pub file: PipelineFile,
    pub pipeline: Pipeline,
    /// Those that were asked for, in that order.
    pub sources: Vec<Box<dyn Source>>,
    late: Vec<Arc<LateSink>>,
}

/// What becomes of a pipeline's actions, log and dead letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sinks {
    /// They go where the file says.
    Real,
    /// Their places are looked at, and nothing is ever sent.
    Checked,
    /// Nothing is ever sent, wherever it would go.
    StandIns,
}

/// Reads a pipeline file with the process's environment.
pub fn read(path: &Path) -> Result<PipelineFile, Mistakes> {
    PipelineFile::read(path, &Environment::of_process())
}

/// Opens what a file names, the given sources included, and compiles it.
///
/// # Errors
/// Every mistake, those of the sources included.
pub async fn build(file: PipelineFile, sources: &[&Resource], sinks: Sinks) -> Result<Built, Mistakes> {
    let opener = Opener { sinks, late: Mutex::default() };
    let mut opened = Vec::new();
    let mut mistakes = Vec::new();
    for resource in sources {
        match open::source(resource).await {
            Ok(source) => opened.push(source),
            Err(why) => mistakes.push(unopened(resource, &why)),
        }
    }
    let pipeline = Builder::new(file.clone()).open(&opener).await;
    match pipeline {
        Ok(pipeline) if mistakes.is_empty() => {
            let late = opener.late.into_inner().unwrap_or_else(PoisonError::into_inner);
            Ok(Built { file, pipeline, sources: opened, late })
        }
        built => {
            mistakes.extend(built.err().into_iter().flat_map(|found| found.list));
            Err(Mistakes::new(file.path, file.text, mistakes))
        }
    }
}

impl Built {
    /// Opens the sinks that make files, now that everything else is known to be right.
    ///
    /// # Errors
    /// Every sink that cannot be opened.
    pub async fn open_sinks(&self) -> Result<(), Mistakes> {
        let mut mistakes = Vec::new();
        for late in &self.late {
            match open::sink(&late.resource).await {
                Ok(sink) => drop(late.sink.set(sink)),
                Err(why) => mistakes.push(unopened(&late.resource, &why)),
            }
        }
        if mistakes.is_empty() {
            return Ok(());
        }
        Err(Mistakes::new(self.file.path.clone(), self.file.text.clone(), mistakes))
    }
}

fn unopened(resource: &Resource, why: &str) -> Mistake {
    Mistake::new(resource.span.clone(), format!("`{}`: {why}", resource.at))
}

struct Opener {
    sinks: Sinks,
    late: Mutex<Vec<Arc<LateSink>>>,
}

#[async_trait]
impl Open for Opener {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        open::source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        open::store(resource).await
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        if self.sinks != Sinks::StandIns {
            open::check_sink(resource)?;
        }
        if self.sinks != Sinks::Real {
            return Ok(Arc::new(MemorySink::default()));
        }
        if resource.scheme() != "file" {
            return open::sink(resource).await;
        }
        let late = Arc::new(LateSink { resource: resource.clone(), sink: OnceLock::new() });
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push(late.clone());
        Ok(late)
    }

    async fn read(&self, resource: &Resource) -> Result<Bytes, String> {
        open::read(resource).await
    }

    async fn model(&self, bytes: Bytes) -> Result<Arc<dyn Model>, String> {
        let loaded = tokio::task::spawn_blocking(move || fourstroke_onnx::load(&bytes)).await;
        let model = loaded.map_err(|died| died.to_string())?.map_err(|error| error.to_string())?;
        Ok(Arc::new(model))
    }
}

/// A file to append to, which opening would make: it is opened once nothing else can go wrong.
struct LateSink {
    resource: Resource,
    sink: OnceLock<Arc<dyn Sink>>,
}

#[async_trait]
impl Sink for LateSink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        match self.sink.get() {
            Some(sink) => sink.send(items).await,
            None => {
                let reason = format!("`{}` is not open yet", self.resource.at);
                vec![Err(SendError { kind: Kind::Fatal, sent: Sent::No, reason }); items.len()]
            }
        }
    }
}
