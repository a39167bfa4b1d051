//! `stdout:`: lines on standard output, for looking on and for pipes.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
};

use async_trait::async_trait;
use fourstroke::{
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use tokio::sync::Mutex;

use crate::framed::{Framed, joined, line};

/// Writes one body per line, all of a call at once, and flushes.
///
/// A body with a newline is refused as poison. A reader that has gone away is fatal; any other failure is retryable, and
/// part of it may have been written.
pub struct StdoutSink {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl StdoutSink {
    /// Makes a sink that writes to this process's standard output.
    pub fn new() -> StdoutSink {
        StdoutSink::to(io::stdout())
    }

    /// Makes a sink that writes there instead.
    pub fn to(out: impl Write + Send + 'static) -> StdoutSink {
        StdoutSink { out: Arc::new(Mutex::new(Box::new(out))) }
    }
}

impl Default for StdoutSink {
    fn default() -> StdoutSink {
        StdoutSink::new()
    }
}

impl fmt::Debug for StdoutSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StdoutSink")
    }
}

#[async_trait]
impl Sink for StdoutSink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let bodies: Vec<_> = items.iter().map(|item| &item.body).collect();
        let mut lines = Framed::of(&bodies, line);
        if lines.bytes.is_empty() {
            return lines.answers(Ok(()));
        }
        let mut out = self.out.clone().lock_owned().await;
        let bytes = std::mem::take(&mut lines.bytes);
        // A pipe blocks for as long as its reader pleases.
        let written = tokio::task::spawn_blocking(move || {
            out.write_all(&bytes)?;
            out.flush()
        });
        lines.answers(joined(written.await).map_err(|error| failed(&error)))
    }
}

fn failed(error: &io::Error) -> SendError {
    let reason = format!("standard output: {error}");
    match error.kind() {
        io::ErrorKind::BrokenPipe => SendError { kind: Kind::Fatal, sent: Sent::Unknown, reason },
        _ => SendError { kind: Kind::Retryable, sent: Sent::Unknown, reason },
    }
}
