//! A list of what was sent.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use fourstroke::ports::{Outgoing, SendError, Sink};

/// Keeps what it takes, in the order taken. It keeps everything: not for long runs.
#[derive(Debug, Default)]
pub struct MemorySink {
    taken: Mutex<Vec<Outgoing>>,
}

impl MemorySink {
    /// Returns what it has taken so far.
    pub fn taken(&self) -> Vec<Outgoing> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Sink for MemorySink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(items);
        vec![Ok(()); items.len()]
    }
}
