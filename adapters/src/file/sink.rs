//! A file that lines or rows are appended to.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, PoisonError, Weak},
};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use tokio::sync::Mutex;

use super::{check::cannot, layout, target::Target};
use crate::framed::joined;

/// Appends bodies to a file, one per line or row; never truncates what is there: another run appends behind the first.
///
/// - Each call is one write of whole lines or rows. `Ok` means the operating system has it: it outlives this process, not
///   a power cut.
/// - A compressed file gets a gzip member or zstd frame of its own per call, so it can be read after each. Small calls
///   compress badly.
/// - When a killed process left half a line or row, or half a compressed part, opening the file moves it to `PATH.torn`;
///   so it does in a table with all behind a quote that was never closed. What may be somebody's is refused: a last line
///   without its newline that is not the beginning of a JSON object, a last row without its newline that has all its
///   cells, rows that end in carriage returns alone.
/// - A write that fails is taken back, and retryable (disk full) unless the file may not be written.
/// - Sinks of one file in one process share it; a file that another process appends to is refused.
/// - Missing directories are made. A relative path starts at the working directory.
///
/// A file of lines refuses a body with a newline as poison.
///
/// A table (`.csv`) takes JSON objects. Its header names the columns; it is written once, with the first row. Of a new
/// file they are the resource's `fields` in their order, else the keys of the first object written. The cells hold text
/// as it is, numbers and booleans as in the JSON, nothing for null or an absent key, compact JSON for objects and arrays.
/// A body that is no object, or has a key that is not a column, is refused as poison.
#[derive(Debug)]
pub struct FileSink {
    target: Arc<Mutex<Target>>,
}

/// What is open in this process, by canonical path.
static OPEN: LazyLock<std::sync::Mutex<HashMap<PathBuf, Weak<Mutex<Target>>>>> = LazyLock::new(Default::default);

impl FileSink {
    /// Opens a file for appending.
    ///
    /// # Errors
    /// One sentence: it may not be written, is a directory, has a header other than `fields`, or another process has it.
    pub async fn open(resource: &Resource) -> Result<FileSink, String> {
        let (content, packing) = layout::to_write(resource)?;
        let (shown, path, fields) = (resource.shown(), resource.write_path(), resource.fields.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let target = shared(&path, || Target::open(&path, content, packing))?;
            let declared = fields.map_or(Ok(()), |fields| target.blocking_lock().declare(&fields));
            declared.map(|()| target)
        });
        let target = joined(opened.await).map_err(|error| cannot(&shown, &error))?;
        Ok(FileSink { target })
    }
}

/// Returns what this process has open of a file already, else opens one.
fn shared(path: &Path, open: impl FnOnce() -> io::Result<Target>) -> io::Result<Arc<Mutex<Target>>> {
    let mut known = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|_, target| target.strong_count() > 0);
    if let Some(target) = path.canonicalize().ok().and_then(|path| known.get(&path)?.upgrade()) {
        return Ok(target);
    }
    let target = Arc::new(Mutex::new(open()?));
    known.insert(path.canonicalize()?, Arc::downgrade(&target));
    Ok(target)
}

#[async_trait]
impl Sink for FileSink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let bodies: Vec<Bytes> = items.iter().map(|item| item.body.clone()).collect();
        // The lock goes with the write: a caller that stops waiting does not let the next one in between.
        let mut target = self.target.clone().lock_owned().await;
        let sent = tokio::task::spawn_blocking(move || target.send(&bodies)).await;
        let died = |reason: String| SendError { kind: Kind::Retryable, sent: Sent::Unknown, reason };
        sent.unwrap_or_else(|error| vec![Err(died(error.to_string())); items.len()])
    }
}
