//! The events of examples/flights as a platform would deliver them: batches that share one buffer.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use fourstroke::event::{Decoded, Event};

/// Returns the folder of the example.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flights")
}

/// Reads the first so many events; more than there are begin again with other ids, so that no two are the same.
///
/// # Errors
/// When the data cannot be read.
pub fn events(count: usize) -> anyhow::Result<Vec<Event>> {
    let path = example().join("data/2013-q4.jsonl.zst");
    let packed = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = Bytes::from(zstd::decode_all(&packed[..])?);
    let lines: Vec<Bytes> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| text.slice_ref(line)).collect();
    Ok((0..count)
        .map(|number| {
            let line = lines[number % lines.len()].clone();
            Event::new(format!("flights:{number}"), line).in_group("flights")
        })
        .collect())
}

/// Cuts events into batches.
pub fn batches(events: &[Event], size: usize) -> Vec<Vec<Decoded>> {
    events.chunks(size).map(|batch| batch.iter().cloned().map(Decoded::Event).collect()).collect()
}
