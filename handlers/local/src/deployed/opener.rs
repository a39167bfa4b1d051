//! Opens what a pipeline file names as far as that goes without a cloud: tables and models are read, what keeps or takes something is
//! looked at by its URL.

use std::{
    collections::HashSet,
    path::{Component, Path},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use fourstroke::{
    clock::Clock,
    config::{Mistake, Resource},
    error::Kind,
    ports::{Delete, Item, Key, Model, Objects, Open, Put, PutOutcome, Sink, Source, Store, StoreError},
};
use fourstroke_adapters::{
    memory::{MemorySink, MemoryStore},
    open::{self, Adapters},
    services::{Handler, Use, check_for, is_table},
};

use super::objects::is_read_here;
use crate::open::{adapters, unopened};

/// Where a function may write.
const WRITABLE: &str = "/tmp";

/// Opens stand-ins where the handler has the service.
pub struct Opener {
    handler: Handler,
    /// The places of what would not outlive the handler's process: that is noted already.
    passing: HashSet<String>,
    unread: Arc<Mutex<Vec<Mistake>>>,
}

impl Opener {
    pub fn new(handler: Handler, passing: HashSet<String>) -> Opener {
        Opener { handler, passing, unread: Arc::default() }
    }

    /// Returns what could not be read here, and may well be read by the handler.
    pub fn unread(&self) -> Vec<Mistake> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Open for Opener {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        open::source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        if self.passing.contains(&resource.at) {
            return Ok(Arc::new(MemoryStore::new(Clock::system())));
        }
        check_for(self.handler, resource, Use::Store)?;
        match check_for(Handler::Local, resource, Use::Store) {
            Ok(()) => open::store(resource).await,
            Err(_) => Ok(Arc::new(Elsewhere { table: is_table(resource) })),
        }
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        if !self.passing.contains(&resource.at) {
            check_for(self.handler, resource, Use::Sink)?;
            if resource.scheme() == "file" {
                check_file(resource)?;
            }
        }
        Ok(Arc::new(MemorySink::default()))
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(Read { adapters: adapters(), unread: self.unread.clone() })
    }
}

/// Looks at a file that may pass away.
fn check_file(resource: &Resource) -> Result<(), String> {
    let path = resource.write_path();
    let below = path.strip_prefix(WRITABLE).is_ok_and(|below| below != Path::new(""));
    if !below || path.components().any(|component| component == Component::ParentDir) {
        let shown = resource.shown();
        return Err(format!("`{shown}` lies where the function may not write; only below {WRITABLE} it may"));
    }
    Ok(())
}

/// Reads files, and objects elsewhere if it can.
struct Read {
    adapters: Adapters,
    unread: Arc<Mutex<Vec<Mistake>>>,
}

impl Read {
    /// Notes what is no mistake for not being read here.
    fn excused(&self, resource: &Resource, why: String) -> String {
        let why = match is_read_here(resource) {
            true if resource.scheme() == "file" => return why,
            true => format!("{why}; what uses it is not checked"),
            false => format!(
                "`{}` can be read by the function alone, so what uses it is not checked; with a default that is a file it would be",
                resource.shown()
            ),
        };
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).push(unopened(resource, &why));
        why
    }
}

#[async_trait]
impl Objects for Read {
    async fn read(&self, resource: &Resource) -> Result<bytes::Bytes, String> {
        self.adapters.read(resource).await.map_err(|why| self.excused(resource, why))
    }

    async fn etag(&self, resource: &Resource) -> Result<String, String> {
        self.adapters.etag(resource).await.map_err(|why| self.excused(resource, why))
    }

    async fn model(
        &self,
        bytes: bytes::Bytes,
        external: Vec<(String, bytes::Bytes)>,
    ) -> Result<Arc<dyn Model>, String> {
        self.adapters.model(bytes, external).await
    }
}

/// A store that only the function opens.
struct Elsewhere {
    /// Somebody's own table, which keeps nothing of ours.
    table: bool,
}

impl Elsewhere {
    fn closed() -> StoreError {
        StoreError { kind: Kind::Fatal, reason: "the store is elsewhere: nothing is run here".to_owned() }
    }
}

#[async_trait]
impl Store for Elsewhere {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        keys.iter().map(|_| Err(Elsewhere::closed())).collect()
    }

    fn is_table(&self) -> bool {
        self.table
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        puts.iter().map(|_| Err(Elsewhere::closed())).collect()
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        deletes.iter().map(|_| Err(Elsewhere::closed())).collect()
    }

    async fn list(&self, _: &str) -> Result<Vec<(String, Item)>, StoreError> {
        Err(Elsewhere::closed())
    }
}
