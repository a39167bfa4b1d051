//! Opens what the example names: its tables and models as they are, its sinks as ones that go nowhere.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use async_trait::async_trait;
use fourstroke::{
    config::Resource,
    ports::{Objects, Open, Outgoing, SendError, Sink, Source, Store},
};
use fourstroke_adapters::open::{self, Adapters};

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

    fn objects(&self) -> Arc<dyn Objects> {
        let nanos = self.model_nanos.clone();
        Arc::new(Adapters::new(move |bytes, external| {
            let model = fourstroke_onnx::load_with(bytes, external).map_err(|error| error.to_string())?;
            Ok(Arc::new(Timed::new(Arc::new(model), nanos.clone())))
        }))
    }
}
