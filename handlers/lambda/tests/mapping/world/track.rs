//! What one schedule's requests were, and how they are to end.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use crate::schedule::{Fault, Port, Schedule};

/// A request that had its effect.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its event.
    pub of: usize,
    /// `idempotency-key`
    pub key: String,
    /// Whether the handler heard that it had.
    pub told: bool,
    /// How often the event had been given to the function by then.
    pub delivery: u32,
    /// How long ago that was, the last time.
    pub since: Duration,
    /// Which process asked.
    pub life: u64,
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
    /// How many requests were made to fail, and how.
    pub failed: usize,
    pub faults: HashMap<(Port, Fault), usize>,
    /// Those ports and events (or keys) of which some were.
    pub troubled: HashSet<(Port, usize)>,
    /// How often each event was given to the function, and when the last time.
    pub deliveries: Vec<(u32, Instant)>,
    /// Events of invocations that the mapping gave up, and that went on.
    pub abandoned: HashSet<usize>,
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
        let mut state = State {
            plan: HashMap::new(),
            seen: Vec::new(),
            failed: 0,
            faults: HashMap::new(),
            troubled: HashSet::new(),
            deliveries: vec![(0, Instant::now()); schedule.events.len()],
            abandoned: HashSet::new(),
        };
        for trouble in &schedule.troubles {
            let of = if trouble.port == Port::Store { keys[&schedule.events[trouble.of].key] } else { trouble.of };
            state.plan.entry((trouble.port, of)).or_default().push_back((trouble.fault, trouble.times));
        }
        Track { schedule, ids, keys, state: Mutex::new(state), abandons }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
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
    /// Gives events to the function.
    pub fn deliver(&mut self, events: &[usize]) {
        for event in events {
            self.deliveries[*event] = (self.deliveries[*event].0 + 1, Instant::now());
        }
    }

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
        self.failed += 1;
        *self.faults.entry((port, fault)).or_default() += 1;
        self.troubled.insert((port, of));
        Some(fault)
    }
}
