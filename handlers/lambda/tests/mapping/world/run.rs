//! One invocation as the services see it: what it is about, what failed while it went on, and how it ended.

use std::{collections::HashSet, time::Instant};

use crate::{runtime::Answer, schedule::Port, schedules::PATIENCE};

/// An invocation of the function.
#[derive(Debug)]
pub struct Run {
    pub events: Vec<usize>,
    /// The first event of each of their keys, which stands for the key.
    keys: HashSet<usize>,
    began: Instant,
    /// The ports and events (or keys) of which a request failed while it went on.
    pub faults: HashSet<(Port, usize)>,
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    at: Instant,
    slow: bool,
    crashed: bool,
    /// How many requests had had their effect by then.
    seen: usize,
}

impl Run {
    pub fn new(events: Vec<usize>, keys: HashSet<usize>) -> Run {
        Run { events, keys, began: Instant::now(), faults: HashSet::new(), end: None }
    }

    /// Takes down its answer, before which so many requests had their effect.
    pub fn answered(&mut self, answer: &Answer, seen: usize) {
        let crashed = answer.failed && answer.body["errorType"] == "Runtime.ExitError";
        self.end = Some(End { at: Instant::now(), slow: answer.took >= PATIENCE, crashed, seen });
    }

    pub fn goes_on(&self) -> bool {
        self.end.is_none()
    }

    /// Tells whether it is about that event, or that key of the store.
    pub fn concerns(&self, port: Port, of: usize) -> bool {
        if port == Port::Store { self.keys.contains(&of) } else { self.events.contains(&of) }
    }

    /// Its process was ended.
    pub fn crashed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.crashed)
    }

    /// It took as long as the handler waits for an answer, which may have come too late.
    pub fn slow(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.slow)
    }

    /// How many requests had had their effect when it was answered.
    pub fn seen(&self) -> usize {
        self.end.as_ref().map_or(usize::MAX, |end| end.seen)
    }

    /// A request of that port failed.
    pub fn had_fault_at(&self, port: Port) -> bool {
        self.faults.iter().any(|(faulty, _)| *faulty == port)
    }

    /// What it did may be marked nowhere, and its leases left: its process ended, it was slow, or the store failed.
    pub fn leaves_leases(&self) -> bool {
        self.crashed() || self.slow() || self.had_fault_at(Port::Store)
    }

    /// Went on beside a later one, about some of the same keys.
    pub fn went_on_beside(&self, later: &Run) -> bool {
        self.end.as_ref().is_none_or(|end| end.at >= later.began) && !self.keys.is_disjoint(&later.keys)
    }
}
