//! Where the pipelines of this suite run: the store that is tested, and sinks that remember.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{RwLock, RwLockWriteGuard};

use crate::{
    clock::{Clock, Deadline},
    code::Strokes,
    config::Resource,
    event::{Decoded, Event},
    pipeline::Pipeline,
    ports::{Model, Objects, Open, Outgoing, SendError, Sink, Source, Store},
    report::Report,
    testkit::{
        HandClock,
        faults::{Faults, FaultySink, FaultyStore},
    },
};

/// A sink that remembers, and can be made to keep everybody waiting.
#[derive(Debug, Default)]
pub(super) struct Taken {
    items: Mutex<Vec<Outgoing>>,
    open: RwLock<()>,
}

impl Taken {
    /// Returns what was taken.
    pub fn items(&self) -> Vec<Outgoing> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the ids of what was taken.
    pub fn ids(&self) -> Vec<String> {
        self.items().iter().map(|item| item.id.to_string()).collect()
    }

    /// Takes nothing more before what is returned is dropped.
    pub async fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.open.write().await
    }
}

#[async_trait]
impl Sink for Taken {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let _open = self.open.read().await;
        self.items.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(items);
        items.iter().map(|_| Ok(())).collect()
    }
}

/// The store that is tested, and what stands around it.
#[derive(Clone)]
pub(super) struct Place {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub out: Arc<Taken>,
    pub dead: Arc<Taken>,
    /// How the store and the sink fail.
    pub stored: Faults,
    pub sent: Faults,
}

impl Place {
    pub fn new(store: Arc<dyn Store>, clock: &HandClock) -> Place {
        Place {
            store,
            clock: clock.clock(),
            out: Arc::default(),
            dead: Arc::default(),
            stored: Faults::none(),
            sent: Faults::none(),
        }
    }

    /// Starts a pipeline with the store `state` and the sink `out`.
    pub fn strokes(&self, name: &str, revision: &str) -> Strokes {
        Strokes::named(name, revision)
            .clock(self.clock.clone())
            .fields("id: string, key: string?, at: timestamp?, x: float?")
            .identity(".id", ".key")
            .time(".at")
            .store("state", "memory:", &[], "")
            .sink("out", "memory:")
            .sink("dead", "memory:")
            .dead_letters("dead")
    }

    pub async fn open(&self, strokes: Strokes) -> Pipeline {
        strokes.open(self).await.unwrap_or_else(|mistakes| panic!("{mistakes}")).1
    }
}

/// Makes an event of a body.
pub(super) fn event(id: &str, body: serde_json::Value) -> Decoded {
    Event::new(id.to_owned(), body.to_string()).into()
}

pub(super) async fn run(pipeline: &Pipeline, events: Vec<Decoded>) -> Report {
    pipeline.run(events, Deadline::after(Duration::from_secs(30))).await
}

#[async_trait]
impl Open for Place {
    async fn source(&self, _: &Resource) -> Result<Box<dyn Source>, String> {
        Err("there are no sources".to_owned())
    }

    async fn store(&self, _: &Resource) -> Result<Arc<dyn Store>, String> {
        Ok(Arc::new(FaultyStore::new(self.store.clone(), self.stored.clone())))
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        if resource.at == "sinks.out" {
            return Ok(Arc::new(FaultySink::new(self.out.clone(), self.sent.clone())));
        }
        Ok(self.dead.clone())
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Objects for Place {
    async fn read(&self, _: &Resource) -> Result<Bytes, String> {
        Err("there are no objects".to_owned())
    }

    async fn etag(&self, _: &Resource) -> Result<String, String> {
        Err("there are no objects".to_owned())
    }

    async fn model(&self, _: Bytes, _: Vec<(String, Bytes)>) -> Result<Arc<dyn Model>, String> {
        Err("there are no models".to_owned())
    }
}
