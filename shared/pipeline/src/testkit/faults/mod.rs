//! Ports that fail on purpose, by a plan, and count what is asked of them.
//!
//! ```
//! use fourstroke::testkit::faults::{Fault, Faults};
//! // Every item fails the first time it is tried, then works.
//! let flaky = Faults::first(1, Fault::Before);
//! // Items of customer 42 are refused for good.
//! let picky = Faults::plan(|attempt| (attempt.key == "customer:42").then_some(Fault::Poison));
//! # let _ = (flaky, picky);
//! ```

mod ports;

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use ports::{FaultyModel, FaultySink, FaultyStore};

use crate::error::Kind;

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Retryable, and nothing happened.
    Before,
    /// Retryable, but it did happen: the answer got lost. `Sent::Unknown` from a sink. A read has no effect to lose.
    After,
    /// Refused for good.
    Poison,
    /// Nothing will work until somebody acts.
    Fatal,
}

impl Fault {
    fn kind(self) -> Kind {
        match self {
            Fault::Before | Fault::After => Kind::Retryable,
            Fault::Poison => Kind::Poison,
            Fault::Fatal => Kind::Fatal,
        }
    }

    fn reason(self) -> String {
        format!("a fault of the plan: {self:?}")
    }
}

/// The calls that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// [`Store::get`](crate::ports::Store::get)
    Get,
    /// [`Store::put`](crate::ports::Store::put)
    Put,
    /// [`Store::delete`](crate::ports::Store::delete)
    Delete,
    /// [`Store::list`](crate::ports::Store::list)
    List,
    /// [`Sink::send`](crate::ports::Sink::send)
    Send,
    /// [`Model::infer`](crate::ports::Model::infer)
    Infer,
}

/// What a plan may decide by: one item of one call.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The call.
    pub op: Op,
    /// Which call of its kind this is, from 1.
    pub call: usize,
    /// How often this very item has been tried in such a call, from 1.
    pub nth: usize,
    /// A sink's item id; a store's sort key; a model's row, such as `1.5, 2, true`.
    pub name: &'a str,
    /// A sink's ordering key; a store's partition; empty where there is none.
    pub key: &'a str,
    /// A sink's body; else empty.
    pub body: &'a [u8],
}

/// How many calls there were, and how many items they held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls: round trips.
    pub calls: usize,
    /// Items over all calls.
    pub items: usize,
}

type Plan = dyn Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync;

/// A plan of faults, and what was counted. Clones share both, so a test keeps one and gives the other away.
#[derive(Clone)]
pub struct Faults {
    plan: Arc<Plan>,
    delay: Duration,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    counts: HashMap<Op, Counts>,
    tries: HashMap<(Op, String, String), usize>,
}

impl Faults {
    /// Fails nothing; only counts.
    pub fn none() -> Faults {
        Faults::plan(|_| None)
    }

    /// Fails what the plan says.
    pub fn plan(plan: impl Fn(&Attempt<'_>) -> Option<Fault> + Send + Sync + 'static) -> Faults {
        Faults { plan: Arc::new(plan), delay: Duration::ZERO, seen: Arc::default() }
    }

    /// Fails the first `times` tries of every item.
    pub fn first(times: usize, fault: Fault) -> Faults {
        Faults::plan(move |attempt| (attempt.nth <= times).then_some(fault))
    }

    /// Fails at random, each fault with its chance between 0 and 1. The same seed fails the same tries of the same
    /// items, in whichever order they come.
    pub fn seeded(seed: u64, chances: &[(Fault, f64)]) -> Faults {
        let chances = chances.to_vec();
        Faults::plan(move |attempt| {
            let mut hasher = DefaultHasher::new();
            (seed, attempt.op, attempt.key, attempt.name, attempt.nth).hash(&mut hasher);
            let mut drawn = hasher.finish() as f64 / u64::MAX as f64;
            for (fault, chance) in &chances {
                if drawn < *chance {
                    return Some(*fault);
                }
                drawn -= chance;
            }
            None
        })
    }

    /// Makes every call of a store or sink take that long. Under paused time the sum tells how many calls waited for
    /// each other. A model is synchronous and does not wait.
    pub fn delayed(mut self, delay: Duration) -> Faults {
        self.delay = delay;
        self
    }

    /// Returns what was counted of a call.
    pub fn counts(&self, op: Op) -> Counts {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).counts.get(&op).copied().unwrap_or_default()
    }

    /// Counts a call of so many items and returns which of its kind it is.
    fn call(&self, op: Op, items: usize) -> usize {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = seen.counts.entry(op).or_default();
        counts.calls += 1;
        counts.items += items;
        counts.calls
    }

    /// Counts a try of an item and returns its fate.
    fn fate(&self, op: Op, call: usize, key: &str, name: &str, body: &[u8]) -> Option<Fault> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = seen.tries.entry((op, key.to_owned(), name.to_owned())).or_default();
        *tries += 1;
        let nth = *tries;
        drop(seen);
        (self.plan)(&Attempt { op, call, nth, name, key, body })
    }

    async fn wait(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults {:?}", self.seen.lock().unwrap_or_else(PoisonError::into_inner).counts)
    }
}
