//! A lane: the part of a shard whose partition keys belong together, in order, one batch at a time.

use std::{collections::VecDeque, time::Duration};

use super::{
    settings::Settings,
    stream::{Place, Stream},
};

/// A batch, or what is left of one.
#[derive(Clone, Debug)]
pub struct Batch {
    pub places: Vec<Place>,
    /// How often it was invoked and failed.
    pub attempts: u32,
    /// Whether that was the function's own failure, the last time.
    pub function_error: bool,
    pub not_before: Duration,
}

/// A lane.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Its records.
    pub places: Vec<Place>,
    /// How many of them were taken off the stream.
    pub taken: usize,
    /// What was, and is to be invoked before anything else.
    pub waiting: VecDeque<Batch>,
    /// The invocation under way.
    pub running: Option<(u64, Batch)>,
    /// How many batches were as long as a payload may be, and no longer.
    pub cut_by_payload: usize,
    /// Since when it is without an invocation.
    pub idle_since: Duration,
}

impl Lane {
    /// Tells whether all of it has been dealt with.
    pub fn is_done(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty() && self.taken == self.places.len()
    }

    /// Returns when the next batch is due.
    pub fn due(&self, stream: &Stream, settings: &Settings) -> Option<Duration> {
        if self.running.is_some() {
            return None;
        }
        if let Some(batch) = self.waiting.front() {
            return Some(batch.not_before);
        }
        let opened = stream.record(*self.coming().first()?).arrived.max(self.idle_since);
        let ends = opened + settings.maximum_batching_window;
        // A batch that is full does not wait for its window.
        let (_, full) = self.room(stream, settings);
        Some(full.map_or(ends, |full| full.max(opened).min(ends)))
    }

    /// Takes the next batch, which is due.
    pub fn take(&mut self, stream: &Stream, settings: &Settings, now: Duration) -> Batch {
        if let Some(batch) = self.waiting.pop_front() {
            return batch;
        }
        let (room, _) = self.room(stream, settings);
        let there = self.coming()[..room].iter().take_while(|place| stream.record(**place).arrived <= now);
        let places: Vec<Place> = there.copied().collect();
        self.cut_by_payload += usize::from(places.len() == room && room < self.coming().len().min(settings.batch_size));
        self.taken += places.len();
        Batch { places, attempts: 0, function_error: false, not_before: now }
    }

    fn coming(&self) -> &[Place] {
        &self.places[self.taken..]
    }

    /// How many of those that come make up a batch, at most, and when it is full: with the last one it may have, or with the first one
    /// that does not fit.
    fn room(&self, stream: &Stream, settings: &Settings) -> (usize, Option<Duration>) {
        let coming = self.coming();
        let most = coming.len().min(settings.batch_size);
        let room = stream.fitting(&coming[..most]);
        let last = if room == settings.batch_size { coming.get(room - 1) } else { coming.get(room) };
        (room, last.map(|last| stream.record(*last).arrived))
    }

    /// Begins again at a record, as a new poller does.
    pub fn restart(&mut self, from: Place) {
        self.waiting.clear();
        self.running = None;
        self.taken = self.places.partition_point(|place| *place < from);
    }
}
