//! From a URL's scheme to its adapter, so that a handler's [`Open`] is a few lines.
//!
//! ```
//! use fourstroke_adapters::open::Adapters;
//!
//! let open = Adapters::new(|_bytes, _external| Err("this handler links no models".to_owned()));
//! # let _: &dyn fourstroke::ports::Open = &open;
//! ```

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    config::Resource,
    ports::{Model, Objects, Open, Sink, Source, Store},
};

use tokio::{task::JoinSet, time::timeout};

#[cfg(any(feature = "memory", feature = "stdout"))]
use crate::services::alone;
use crate::services::{Use, check_options, refusal};

/// Opens every resource by its adapter, and models by a function.
#[derive(Clone)]
pub struct Adapters {
    model: Arc<ModelOf>,
    connecting: Option<Arc<Connecting>>,
}

/// First connections under way.
struct Connecting {
    /// As long as one may take.
    within: Duration,
    /// Each ends with the place of a resource that took longer.
    tasks: Mutex<JoinSet<Option<String>>>,
}

/// Makes a model of its bytes, and of the objects with its weights, by name.
type ModelOf = dyn Fn(&[u8], &[(String, Bytes)]) -> Result<Arc<dyn Model>, String> + Send + Sync;

impl Adapters {
    /// Takes what makes a model of its bytes and its external data; it is called off the async threads.
    pub fn new(
        model: impl Fn(&[u8], &[(String, Bytes)]) -> Result<Arc<dyn Model>, String> + Send + Sync + 'static,
    ) -> Adapters {
        Adapters { model: Arc::new(model), connecting: None }
    }

    /// Has first connections of stores and sinks made as soon as these are open, while all else is opened.
    pub fn connecting(self, within: Duration) -> Adapters {
        let connecting = Connecting { within, tasks: Mutex::default() };
        Adapters { connecting: Some(Arc::new(connecting)), ..self }
    }

    /// Waits for the first connections; gives the places of those that were not there in time. Their first calls will tell.
    pub async fn connected(&self) -> Vec<String> {
        let Some(connecting) = &self.connecting else { return Vec::new() };
        let tasks = std::mem::take(&mut *connecting.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.join_all().await.into_iter().flatten().collect()
    }

    fn connect(&self, resource: &Resource, connect: impl Future<Output = ()> + Send + 'static) {
        let Some(connecting) = &self.connecting else { return };
        let (at, within) = (resource.at.clone(), connecting.within);
        let task = async move { timeout(within, connect).await.is_err().then_some(at) };
        connecting.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

#[async_trait]
impl Open for Adapters {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        let store = store(resource).await?;
        let first = store.clone();
        self.connect(resource, async move { first.connect().await });
        Ok(store)
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        let sink = sink(resource).await?;
        let first = sink.clone();
        self.connect(resource, async move { first.connect().await });
        Ok(sink)
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Objects for Adapters {
    async fn read(&self, resource: &Resource) -> Result<Bytes, String> {
        read(resource).await
    }

    async fn etag(&self, resource: &Resource) -> Result<String, String> {
        etag(resource).await
    }

    async fn model(&self, bytes: Bytes, external: Vec<(String, Bytes)>) -> Result<Arc<dyn Model>, String> {
        let model = self.model.clone();
        let loaded = tokio::task::spawn_blocking(move || model(&bytes, &external)).await;
        loaded.unwrap_or_else(|died| Err(died.to_string()))
    }
}

/// Opens a source.
///
/// # Errors
/// One sentence: what cannot be opened, and what to do.
pub async fn source(resource: &Resource) -> Result<Box<dyn Source>, String> {
    check_options(resource)?;
    match resource.scheme() {
        #[cfg(feature = "file")]
        "file" => Ok(Box::new(crate::file::FileSource::open(resource).await?)),
        #[cfg(feature = "memory")]
        "memory" => alone(resource).map(|()| Box::new(crate::memory::MemorySource::default()) as Box<dyn Source>),
        _ => Err(refusal(resource, Use::Source)),
    }
}

/// Tells whether a source gives an event the same id each time it is delivered. Where it does not, `event.id` must.
pub fn has_stable_ids(resource: &Resource) -> bool {
    match resource.scheme() {
        #[cfg(feature = "file")]
        "file" => !crate::file::is_stdin(resource),
        _ => true,
    }
}

/// Opens a store, or a table to look things up in.
///
/// # Errors
/// One sentence: what cannot be opened, and what to do.
pub async fn store(resource: &Resource) -> Result<Arc<dyn Store>, String> {
    check_options(resource)?;
    match resource.scheme() {
        #[cfg(feature = "dynamodb")]
        "dynamodb" => {
            let clock = fourstroke::clock::Clock::system();
            Ok(Arc::new(crate::dynamodb::DynamoDbStore::open(resource, clock).await?))
        }
        #[cfg(feature = "file")]
        "file" => Ok(Arc::new(crate::file::FileTable::open(resource).await?)),
        #[cfg(feature = "http")]
        "https" | "http" => {
            let clock = fourstroke::clock::Clock::system();
            Ok(Arc::new(crate::http::HttpTable::open(resource, clock)?))
        }
        #[cfg(feature = "memory")]
        "memory" => {
            let clock = fourstroke::clock::Clock::system();
            alone(resource).map(|()| Arc::new(crate::memory::MemoryStore::new(clock)) as Arc<dyn Store>)
        }
        #[cfg(feature = "redb")]
        "redb" => Ok(Arc::new(crate::redb::RedbStore::open(resource, fourstroke::clock::Clock::system()).await?)),
        _ => Err(refusal(resource, Use::Store)),
    }
}

/// Opens a sink.
///
/// # Errors
/// One sentence: what cannot be opened, and what to do.
pub async fn sink(resource: &Resource) -> Result<Arc<dyn Sink>, String> {
    check_options(resource)?;
    match resource.scheme() {
        #[cfg(feature = "file")]
        "file" => Ok(Arc::new(crate::file::FileSink::open(resource).await?)),
        #[cfg(feature = "http")]
        "https" | "http" => {
            let clock = fourstroke::clock::Clock::system();
            Ok(Arc::new(crate::http::HttpSink::open(resource, clock)?))
        }
        #[cfg(feature = "kinesis")]
        "kinesis" => Ok(Arc::new(crate::kinesis::KinesisSink::open(resource).await?)),
        #[cfg(feature = "memory")]
        "memory" => alone(resource).map(|()| Arc::new(crate::memory::MemorySink::default()) as Arc<dyn Sink>),
        #[cfg(feature = "s3")]
        "s3" => Ok(Arc::new(crate::s3::S3Sink::open(resource, fourstroke::clock::Clock::system()).await?)),
        #[cfg(feature = "sqs")]
        "sqs" => Ok(Arc::new(crate::sqs::SqsSink::open(resource).await?)),
        #[cfg(feature = "stdout")]
        "stdout" => alone(resource).map(|()| Arc::new(crate::stdout::StdoutSink::new()) as Arc<dyn Sink>),
        _ => Err(refusal(resource, Use::Sink)),
    }
}

/// Says what is wrong with a sink's URL or options, as far as can be known without opening it: nothing is made, written
/// or connected to.
///
/// # Errors
/// One sentence: why it cannot be opened, and what to do.
pub fn check_sink(resource: &Resource) -> Result<(), String> {
    check_options(resource)?;
    match resource.scheme() {
        #[cfg(feature = "file")]
        "file" => crate::file::check_sink(resource),
        #[cfg(feature = "http")]
        "https" | "http" => crate::http::check_sink(resource),
        #[cfg(feature = "kinesis")]
        "kinesis" => crate::target::kinesis::of_sink(resource).map(drop),
        #[cfg(feature = "memory")]
        "memory" => alone(resource),
        #[cfg(feature = "s3")]
        "s3" => crate::target::s3::of_sink(resource).map(drop),
        #[cfg(feature = "sqs")]
        "sqs" => crate::target::sqs::of_sink(resource).map(drop),
        #[cfg(feature = "stdout")]
        "stdout" => alone(resource),
        _ => Err(refusal(resource, Use::Sink)),
    }
}

/// Reads a whole object, such as a model.
///
/// # Errors
/// One sentence: what cannot be read, and what to do.
pub async fn read(resource: &Resource) -> Result<Bytes, String> {
    check_options(resource)?;
    match resource.scheme() {
        #[cfg(feature = "file")]
        "file" => crate::file::read(resource).await,
        #[cfg(feature = "http")]
        "https" | "http" => crate::http::read(resource).await,
        #[cfg(feature = "s3")]
        "s3" => crate::s3::read(resource).await,
        _ => Err(refusal(resource, Use::Object)),
    }
}

/// Returns what differs whenever an object has other content, without reading it.
///
/// # Errors
/// One sentence: why it cannot be asked for.
pub async fn etag(resource: &Resource) -> Result<String, String> {
    check_options(resource)?;
    match resource.scheme() {
        #[cfg(feature = "file")]
        "file" => crate::file::etag(resource).await,
        #[cfg(feature = "http")]
        "https" | "http" => crate::http::etag(resource).await,
        #[cfg(feature = "s3")]
        "s3" => crate::s3::etag(resource).await,
        _ => Err(refusal(resource, Use::Object)),
    }
}
