//! The events of examples/flights as a platform would deliver them: batches that share one buffer.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use fourstroke::event::{Decoded, Event};

/// Returns the folder of the example.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flights")
}

/// Holds the events' bodies.
pub struct Flights {
    lines: Vec<Bytes>,
}

impl Flights {
    /// Reads them.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn read() -> anyhow::Result<Flights> {
        let path = example().join("data/2013-q4.jsonl.zst");
        let packed = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = Bytes::from(zstd::decode_all(&packed[..])?);
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(Flights { lines: lines.map(|line| text.slice_ref(line)).collect() })
    }

    /// Gives so many events in batches, made as they are taken; behind the last event comes the first again.
    pub fn batches(&self, events: usize, size: usize) -> impl Iterator<Item = Vec<Decoded>> {
        (0..events).step_by(size).map(move |start| {
            (start..events.min(start + size))
                .map(|number| {
                    let body = self.lines[number % self.lines.len()].clone();
                    Decoded::Event(Event::new(format!("flights:{number}"), body).in_group("flights"))
                })
                .collect()
        })
    }
}
