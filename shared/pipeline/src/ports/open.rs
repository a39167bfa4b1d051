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

    /// Returns what reads objects. A pipeline that reloads its models keeps it.
    fn objects(&self) -> Arc<dyn Objects>;
}

/// Reads whole objects, such as models and their category tables, and makes models of them.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Reads a whole object.
    async fn read(&self, resource: &Resource) -> Result<Bytes, String>;

    /// Returns what differs whenever the object has other content, without reading it: an ETag, or time and size of a file.
    async fn etag(&self, resource: &Resource) -> Result<String, String>;

    /// Makes a model of an object's bytes, off the async threads: optimising a graph takes a while. `external` are the
    /// objects that hold its weights, by the names the model may call them.
    ///
    /// # Errors
    /// What is wrong with the bytes, naming the operator or node.
    async fn model(&self, bytes: Bytes, external: Vec<(String, Bytes)>) -> Result<Arc<dyn Model>, String>;
}
