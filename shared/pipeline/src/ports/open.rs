//! How a pipeline gets at what its file names. A handler implements it over the adapters it links.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Model, Sink, Source, Store};
use crate::config::Resource;

/// Opens resources by URL. An error is one clear sentence; the caller adds the place in the file.
#[async_trait]
pub trait Open: Send + Sync {
    /// Opens a source.
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String>;

    /// Opens a store or a table.
    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String>;

    /// Opens a sink.
    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String>;

    /// Reads a whole object: a model, a category table.
    async fn read(&self, resource: &Resource) -> Result<Bytes, String>;

    /// Makes a model of an object's bytes, off the async threads: optimising a graph takes a while.
    ///
    /// # Errors
    /// What is wrong with the bytes, naming the operator or node.
    async fn model(&self, bytes: Bytes) -> Result<Arc<dyn Model>, String>;
}
