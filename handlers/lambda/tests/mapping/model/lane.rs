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
    /// Since when it is without an invocation.
    pub idle_since: Duration,
}

impl Lane {
    /// Tells whether all of it has been dealt with.
    pub fn is_done(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty() && self.taken == self.places.len()
    }

    /// Returns when the next batch is due, as far as is known yet.
    pub fn due(&self, stream: &Stream, settings: &Settings, now: Duration) -> Option<Duration> {
        if self.running.is_some() {
            return None;
        }
        if let Some(batch) = self.waiting.front() {
            return Some(batch.not_before);
        }
        let arrived = |place: &Place| stream.record(*place).arrived;
        let first = self.places.get(self.taken)?;
        let opened = arrived(first).max(self.idle_since);
        let ends = opened + settings.maximum_batching_window;
        let coming = &self.places[self.taken..];
        // A batch that is full does not wait for its window.
        let last = coming.get(settings.batch_size - 1).map(|last| arrived(last).max(opened));
        let full = if self.visible(stream, settings, now).1 { Some(now.max(opened)) } else { last };
        Some(full.map_or(ends, |full| full.min(ends)))
    }

    /// Takes the next batch, which is due.
    pub fn take(&mut self, stream: &Stream, settings: &Settings, now: Duration) -> Batch {
        if let Some(batch) = self.waiting.pop_front() {
            return batch;
        }
        let (count, _) = self.visible(stream, settings, now);
        let places = self.places[self.taken..self.taken + count].to_vec();
        self.taken += count;
        Batch { places, attempts: 0, function_error: false, not_before: now }
    }

    /// Counts those that make up a batch now, and tells whether there is room for no more.
    fn visible(&self, stream: &Stream, settings: &Settings, now: Duration) -> (usize, bool) {
        let there = self.places[self.taken..].iter().copied().take_while(|place| stream.record(*place).arrived <= now);
        let there: Vec<Place> = there.take(settings.batch_size).collect();
        if there.is_empty() {
            return (0, false);
        }
        let fitting = stream.fitting(there.iter().copied()).min(there.len());
        (fitting, fitting < there.len() || fitting == settings.batch_size)
    }

    /// Begins again at a record, as a new poller does.
    pub fn restart(&mut self, from: Place) {
        self.waiting.clear();
        self.running = None;
        self.taken = self.places.partition_point(|place| *place < from);
    }
}
