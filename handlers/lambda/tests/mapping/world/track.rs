//! What one schedule's requests were, and how they are to end.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

use super::run::Run;
use crate::{
    runtime::Answer,
    schedule::{Fault, Port, Schedule},
};

/// A request that had its effect.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its event.
    pub of: usize,
    /// `idempotency-key`
    pub key: String,
    /// Whether the handler heard that it had.
    pub told: bool,
    /// The invocations it may be of: those of the event that went on. The mapping had given up all but the last of them.
    pub runs: Vec<u64>,
    pub said: Said,
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Action,
    /// A dead letter: whether it has the event's bytes.
    Letter(bool),
    /// An entry of the decision log, or its dead letter: the disposition.
    Entry(String),
    Row,
}

pub struct State {
    plan: HashMap<(Port, usize), VecDeque<(Fault, u32)>>,
    pub seen: Vec<Seen>,
    /// How requests were made to fail, and how often.
    pub faults: HashMap<(Port, Fault), usize>,
    /// The invocations of the function.
    pub runs: BTreeMap<u64, Run>,
}

/// The same for many threads.
pub struct Track {
    pub schedule: Schedule,
    ids: HashMap<String, usize>,
    keys: HashMap<String, usize>,
    state: Mutex<State>,
    /// Hears of what the mapping is to give up.
    pub abandons: Box<dyn Fn(usize) + Send + Sync>,
}

impl Track {
    pub fn new(schedule: Schedule, abandons: Box<dyn Fn(usize) + Send + Sync>) -> Track {
        let ids = schedule.events.iter().enumerate().map(|(number, event)| (event.id(), number)).collect();
        let mut keys = HashMap::new();
        for (number, event) in schedule.events.iter().enumerate() {
            keys.entry(event.key.clone()).or_insert(number);
        }
        let mut state = State { plan: HashMap::new(), seen: Vec::new(), faults: HashMap::new(), runs: BTreeMap::new() };
        for trouble in &schedule.troubles {
            let of = if trouble.port == Port::Store { keys[&schedule.events[trouble.of].key] } else { trouble.of };
            state.plan.entry((trouble.port, of)).or_default().push_back((trouble.fault, trouble.times));
        }
        Track { schedule, ids, keys, state: Mutex::new(state), abandons }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Gives events to the function.
    pub fn begin(&self, invocation: u64, events: Vec<usize>) {
        let keys = events.iter().map(|event| self.keys[&self.schedule.events[*event].key]).collect();
        self.state().runs.insert(invocation, Run::new(events, keys));
    }

    /// Takes down how the function answered.
    pub fn end(&self, invocation: u64, answer: &Answer) {
        let state = &mut *self.state();
        state.runs.get_mut(&invocation).expect("it began").answered(answer, state.seen.len());
    }

    /// Finds an event by its id in the stream, without the stream's name.
    pub fn event(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// Finds the first event of a key, which stands for it.
    pub fn key(&self, key: &str) -> Option<usize> {
        self.keys.get(key).copied()
    }
}

impl State {
    /// Says how the next request there is to end.
    pub fn next(&mut self, port: Port, of: usize) -> Option<Fault> {
        let coming = self.plan.get_mut(&(port, of))?;
        let (fault, times) = coming.front_mut()?;
        let fault = *fault;
        if *times != u32::MAX {
            *times -= 1;
        }
        if *times == 0 {
            coming.pop_front();
        }
        for invocation in self.concerned(port, of) {
            self.runs.get_mut(&invocation).expect("it began").faults.insert((port, of));
        }
        Some(fault)
    }

    /// The invocations that a request of that event (or key) may be of: those that go on, or the last that did.
    pub fn concerned(&self, port: Port, of: usize) -> Vec<u64> {
        let mut concerned = self.runs.iter().filter(|(_, run)| run.concerns(port, of));
        let going_on: Vec<u64> = concerned.clone().filter(|(_, run)| run.goes_on()).map(|(id, _)| *id).collect();
        if going_on.is_empty() { concerned.next_back().map(|(id, _)| *id).into_iter().collect() } else { going_on }
    }

    /// Takes down that a request ended so.
    pub fn count(&mut self, port: Port, fault: Fault) {
        *self.faults.entry((port, fault)).or_default() += 1;
    }
}
