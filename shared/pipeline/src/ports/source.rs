//! Events pulled by a long-running worker.

use async_trait::async_trait;

use crate::{error::Kind, event::Decoded, report::Report};

/// Describes why a source could not go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct SourceError {
    /// What can be done about it.
    pub kind: Kind,
    /// What happened, in words.
    pub reason: String,
}

/// Holds some events and the means to settle them, so that the next batch can be fetched meanwhile.
pub struct Batch {
    /// The events in the source's order.
    pub events: Vec<Decoded>,
    /// Settles these events.
    pub acknowledge: Box<dyn Acknowledge>,
}

/// Tells the source how a batch ended.
#[async_trait]
pub trait Acknowledge: Send {
    /// Settles every input of the report that is not to be asked for again, and nothing else: a report may cover only the
    /// first of the batch's events, and those it does not cover stay unsettled. Called once, when none is left to be
    /// retried in process.
    async fn settle(self: Box<Self>, report: &Report) -> Result<(), SourceError>;
}

/// Pulls events.
#[async_trait]
pub trait Source: Send {
    /// Waits for the next batch; `None` when the source has ended. Never empty.
    async fn next(&mut self) -> Result<Option<Batch>, SourceError>;
}
