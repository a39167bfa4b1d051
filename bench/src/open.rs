//! Opens what the example names: its tables and models as they are, its sinks as ones that go nowhere.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    config::Resource,
    ports::{Model, Open, Outgoing, SendError, Sink, Source, Store},
};
use fourstroke_adapters::open;

use crate::Timed;

/// Takes everything and keeps only how much it was.
#[derive(Debug, Default)]
pub struct NullSink {
    /// Items taken.
    pub items: AtomicU64,
    /// Bytes of their bodies.
    pub bytes: AtomicU64,
}

#[async_trait]
impl Sink for NullSink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        self.items.fetch_add(items.len() as u64, Relaxed);
        self.bytes.fetch_add(items.iter().map(|item| item.body.len() as u64).sum(), Relaxed);
        vec![Ok(()); items.len()]
    }
}

/// Opens the example's resources.
#[derive(Debug, Default)]
pub struct Opener {
    /// What all its sinks took together.
    pub sink: Arc<NullSink>,
    /// Processor time all its models took, in nanoseconds.
    pub model_nanos: Arc<AtomicU64>,
}

#[async_trait]
impl Open for Opener {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        open::source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        open::store(resource).await
    }

    async fn sink(&self, _: &Resource) -> Result<Arc<dyn Sink>, String> {
        Ok(self.sink.clone())
    }

    async fn read(&self, resource: &Resource) -> Result<Bytes, String> {
        open::read(resource).await
    }

    async fn model(&self, bytes: Bytes) -> Result<Arc<dyn Model>, String> {
        let model = fourstroke_onnx::load(&bytes).map_err(|error| error.to_string())?;
        Ok(Arc::new(Timed::new(Arc::new(model), self.model_nanos.clone())))
    }
}
