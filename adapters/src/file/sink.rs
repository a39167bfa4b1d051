//! A file that lines are appended to.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, PoisonError, Weak},
};

use async_trait::async_trait;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use tokio::sync::Mutex;

use super::{
    append::Appender,
    layout::{self, Content},
};
use crate::lines::Lines;

/// Appends one body per line to a file; never truncates what is there: another run appends behind the first.
///
/// - Each call is one write of whole lines. `Ok` means the operating system has it: it outlives this process, not a
///   power cut.
/// - A compressed file gets a gzip member or zstd frame of its own per call, so it can be read after each. Small calls
///   compress badly.
/// - A body with a newline is refused as poison.
/// - When a killed process left half a line, or half a compressed part, opening the file moves it to `PATH.torn`.
/// - A write that fails (disk full) is taken back and retryable.
/// - Sinks of one file in one process share it; a file that another process appends to is refused.
/// - Missing directories are made. A relative path starts at the working directory.
#[derive(Debug)]
pub struct FileSink {
    appender: Arc<Mutex<Appender>>,
}

/// What is open in this process, by canonical path.
static OPEN: LazyLock<std::sync::Mutex<HashMap<PathBuf, Weak<Mutex<Appender>>>>> = LazyLock::new(Default::default);

impl FileSink {
    /// Opens a file for appending.
    ///
    /// # Errors
    /// One sentence: it may not be written, is a directory or a table, or another process has it.
    pub async fn open(resource: &Resource) -> Result<FileSink, String> {
        layout::named_file(resource).map_err(|error| match resource.rest() {
            "-" => format!("`{}` can only be a source; standard output is `stdout:`", resource.shown()),
            _ => error,
        })?;
        let (content, packing) = layout::of(resource.rest());
        if content == Some(Content::Rows) {
            return Err(format!(
                "`{}` cannot be appended to: a sink writes JSON lines; name it .jsonl",
                resource.shown()
            ));
        }
        let (shown, path) = (resource.shown(), resource.write_path());
        let opened = tokio::task::spawn_blocking(move || {
            shared(&path, || Appender::open(&path, packing))
                .map_err(|error| format!("`{shown}` cannot be appended to: {error}"))
        });
        let appender = opened.await.unwrap_or_else(|error| Err(error.to_string()))?;
        Ok(FileSink { appender })
    }
}

/// Returns the appender this process has for a file already, else opens one.
fn shared(path: &Path, open: impl FnOnce() -> std::io::Result<Appender>) -> std::io::Result<Arc<Mutex<Appender>>> {
    let mut known = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|_, appender| appender.strong_count() > 0);
    if let Some(appender) = path.canonicalize().ok().and_then(|path| known.get(&path)?.upgrade()) {
        return Ok(appender);
    }
    let appender = Arc::new(Mutex::new(open()?));
    known.insert(path.canonicalize()?, Arc::downgrade(&appender));
    Ok(appender)
}

#[async_trait]
impl Sink for FileSink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let mut lines = Lines::of(items);
        if lines.bytes.is_empty() {
            return lines.answers(Ok(()));
        }
        // The lock goes with the write: a caller that stops waiting does not let the next one in between.
        let mut appender = self.appender.clone().lock_owned().await;
        let bytes = std::mem::take(&mut lines.bytes);
        let written = tokio::task::spawn_blocking(move || appender.append(&bytes)).await;
        let died = |error| SendError { kind: Kind::Retryable, sent: Sent::Unknown, reason: format!("{error}") };
        lines.answers(written.unwrap_or_else(|error| Err(died(error))))
    }
}
