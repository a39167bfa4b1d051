//! From a pipeline file to a built pipeline, over the adapters this binary links.

mod anew;
mod copied;

use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_trait::async_trait;
use fourstroke::{
    clock::Clock,
    config::{BodyFormat, Environment, Mistake, Mistakes, PipelineFile, Resource},
    error::Kind,
    pipeline::{Builder, Pipeline},
    ports::{Objects, Open, Outgoing, SendError, Sent, Sink, Source, Store},
};
use fourstroke_adapters::{
    file::gives_rows,
    memory::{MemorySink, MemoryStore},
    open::{self, Adapters},
    redb::check_store,
};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::overlap;

/// A pipeline file, built. Nothing is written yet, and no file made: [`Built::open_sinks`] does that.
pub struct Built {
    pub file: PipelineFile,
    pub pipeline: Pipeline,
    /// Those that were asked for, in that order.
    pub sources: Vec<Box<dyn Source>>,
    late: Vec<Arc<LateSink>>,
    /// Behind the pipeline, whose stores have files there open.
    _copies: Vec<TempDir>,
}

/// What becomes of a pipeline's actions, log and dead letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sinks {
    /// They go where the file says.
    Real,
    /// Their places are looked at, and nothing is ever sent.
    Checked,
    /// Nothing is ever sent, wherever it would go, and stores begin empty.
    StandIns,
    /// Nothing is ever sent, and stores that keep something are copied, to look at what is there but for what was done `once`.
    Copied,
}

impl Sinks {
    fn stand_in(self) -> bool {
        matches!(self, Sinks::StandIns | Sinks::Copied)
    }
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
    let opener = Opener { sinks, late: Mutex::default(), copies: Mutex::default() };
    let mut opened = Vec::new();
    let mut mistakes = Vec::new();
    for resource in sources {
        match self::source(resource, &file).await {
            Ok(source) => opened.push(source),
            Err(why) => mistakes.push(unopened(resource, &why)),
        }
    }
    if sinks == Sinks::Checked {
        mistakes.extend(check_unused(&file).await);
    }
    if !sinks.stand_in() {
        mistakes.extend(overlap::mistakes(&file, sources));
    }
    let pipeline = Builder::new(file.clone()).open(&opener).await;
    match pipeline {
        Ok(pipeline) if mistakes.is_empty() => {
            let late = opener.late.into_inner().unwrap_or_else(PoisonError::into_inner);
            let copies = opener.copies.into_inner().unwrap_or_else(PoisonError::into_inner);
            Ok(Built { file, pipeline, sources: opened, late, _copies: copies })
        }
        built => {
            mistakes.extend(built.err().into_iter().flat_map(|found| found.list));
            Err(Mistakes::new(file.path, file.text, mistakes))
        }
    }
}

/// Opens a source that gives what the file's events are.
///
/// # Errors
/// One sentence: why it cannot be opened, or that it gives rows where bodies are wanted, or the other way round.
pub async fn source(resource: &Resource, file: &PipelineFile) -> Result<Box<dyn Source>, String> {
    let rows = if resource.scheme() == "file" { gives_rows(resource) } else { None };
    let shown = resource.shown();
    match (rows, file.event.format) {
        (Some(_), BodyFormat::Avro) => Err(format!(
            "`{shown}` gives lines or rows, and Avro's records are neither; `fourstroke test` runs them from JSON"
        )),
        (Some(true), BodyFormat::Csv)
        | (Some(false), BodyFormat::Json | BodyFormat::JsonLines | BodyFormat::CloudEvents)
        | (None, _) => open::source(resource).await,
        (Some(true), _) => Err(format!("`{shown}` gives rows, but `event.format` is not csv")),
        (Some(false), _) => Err(format!(
            "`{shown}` gives no rows, but `event.format` is csv; name a .csv file, or `file:-.csv` for standard input"
        )),
    }
}

/// Opens a store. One that keeps state is only looked at where nothing may be written, and an empty one stands in for it.
async fn store(resource: &Resource, sinks: Sinks) -> Result<Arc<dyn Store>, String> {
    if sinks == Sinks::Real || resource.scheme() != "redb" {
        return open::store(resource).await;
    }
    if sinks == Sinks::Checked {
        check_store(resource)?;
    }
    Ok(Arc::new(MemoryStore::new(Clock::system())))
}

/// Looks at the stores and sinks that nothing uses yet, which building a pipeline does not open.
async fn check_unused(file: &PipelineFile) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let used = file.used_stores();
    for (_, store) in file.stores.iter().filter(|(name, _)| !used.contains(&name.text.as_str())) {
        mistakes.extend(self::store(store, Sinks::Checked).await.err().map(|why| unopened(store, &why)));
    }
    // A sink that is used and wrong is noted twice, in the same words, and shown once.
    let wrong = |(_, sink): &(_, Resource)| Some(unopened(sink, &open::check_sink(sink).err()?));
    mistakes.extend(file.sinks.iter().filter_map(wrong));
    mistakes
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

/// Makes a mistake of what cannot be opened, in the words a pipeline has for it.
pub fn unopened(resource: &Resource, why: &str) -> Mistake {
    Mistake::new(resource.span.clone(), format!("`{}`: {why}", resource.at))
}

struct Opener {
    sinks: Sinks,
    late: Mutex<Vec<Arc<LateSink>>>,
    copies: Mutex<Vec<TempDir>>,
}

#[async_trait]
impl Open for Opener {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        open::source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        if self.sinks == Sinks::Copied && resource.scheme() == "redb" {
            let (store, copy) = copied::open(resource).await;
            self.copies.lock().unwrap_or_else(PoisonError::into_inner).extend(copy);
            return Ok(store);
        }
        store(resource, self.sinks).await
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        if !self.sinks.stand_in() {
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

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(adapters())
    }
}

/// The adapters this binary links, and ONNX.
pub fn adapters() -> Adapters {
    Adapters::new(|bytes, external| {
        let model = fourstroke_onnx::load_with(bytes, external).map_err(|error| error.to_string())?;
        Ok(Arc::new(model))
    })
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
            None => vec![Err(self.closed()); items.len()],
        }
    }

    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Result<(), SendError>>> {
        match self.sink.get() {
            Some(sink) => sink.send_by(items, until).await,
            None => vec![Some(Err(self.closed())); items.len()],
        }
    }
}

impl LateSink {
    fn closed(&self) -> SendError {
        let reason = format!("`{}` is not open yet", self.resource.at);
        SendError { kind: Kind::Fatal, sent: Sent::No, reason }
    }
}
