//! A fixed list of events, given once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytestring::ByteString;
use fourstroke::{
    event::Decoded,
    ports::{Acknowledge, Batch, Source, SourceError},
    report::{Disposition, Report},
};

/// Gives a list of events in batches, then ends.
#[derive(Debug)]
pub struct MemorySource {
    events: VecDeque<Decoded>,
    batch: usize,
    settlements: Settlements,
}

impl MemorySource {
    /// Makes a source of these events, in batches of 1,000.
    pub fn new<E: Into<Decoded>>(events: impl IntoIterator<Item = E>) -> MemorySource {
        const BATCH: usize = 1_000;
        MemorySource {
            events: events.into_iter().map(Into::into).collect(),
            batch: BATCH,
            settlements: Settlements::default(),
        }
    }

    /// Sets how many events a batch holds; at least one.
    pub fn in_batches_of(mut self, events: usize) -> MemorySource {
        self.batch = events.max(1);
        self
    }

    /// Returns a view of what gets settled, to be kept while the source is given away.
    pub fn settlements(&self) -> Settlements {
        self.settlements.clone()
    }
}

impl Default for MemorySource {
    /// Makes a source without events: it ends at once.
    fn default() -> MemorySource {
        MemorySource::new(Vec::<Decoded>::new())
    }
}

#[async_trait]
impl Source for MemorySource {
    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        let events: Vec<Decoded> = self.events.drain(..self.batch.min(self.events.len())).collect();
        let acknowledge = Box::new(self.settlements.clone());
        Ok((!events.is_empty()).then_some(Batch { events, acknowledge }))
    }
}

/// What of a [`MemorySource`] was settled.
#[derive(Clone, Debug, Default)]
pub struct Settlements(Arc<Mutex<Settled>>);

#[derive(Debug, Default)]
struct Settled {
    batches: usize,
    ids: Vec<ByteString>,
}

impl Settlements {
    /// Returns how many batches were settled.
    pub fn batches(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).batches
    }

    /// Returns the ids of the events that need not come again, in the order settled.
    pub fn ids(&self) -> Vec<ByteString> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ids.clone()
    }
}

#[async_trait]
impl Acknowledge for Settlements {
    async fn settle(self: Box<Self>, report: &Report) -> Result<(), SourceError> {
        let ends = report.dispositions().into_iter().zip(report.inputs.iter());
        let settled = ends.filter(|(end, _)| *end != Disposition::Retry).map(|(_, input)| input.event().id.clone());
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.batches += 1;
        state.ids.extend(settled);
        Ok(())
    }
}
