//! A schedule: what is put on a stream, how its mapping is set, and what goes wrong when.

mod draw;
mod event;
mod fault;

use std::{collections::HashMap, time::Duration};

use crate::model::{Settings, Stream};

pub use draw::draw;
pub use event::{Event, Kind};
pub use fault::{Fault, Mishap, Port, Trouble};

/// Where a schedule runs, which decides what may happen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum World {
    /// What was done is kept in the process's memory: it is never killed.
    Memory,
    /// It may be killed: nothing is to be done once.
    Killed,
    /// It may be killed too, runs one invocation at a time, and stands still between them, as the templates deploy it.
    OneAtATime,
    /// What was done is kept in DynamoDB: anything may happen.
    DynamoDb,
}

/// A schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub seed: u64,
    pub world: World,
    pub stream: Stream,
    pub settings: Settings,
    /// In the order of the stream, shard by shard.
    pub events: Vec<Event>,
    pub troubles: Vec<Trouble>,
    /// By the number of the invocation, from 1.
    pub mishaps: HashMap<u64, Mishap>,
    /// How long an invocation may take.
    pub limit: Duration,
}

impl Schedule {
    /// The name of a seed's stream, which everything that belongs to it begins with.
    pub fn name(seed: u64) -> String {
        format!("s{seed}")
    }

    /// Finds the seed in a text that begins with such a name, and what stands behind it.
    pub fn seed_in(text: &str) -> Option<(u64, &str)> {
        let text = text.strip_prefix('s')?;
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        Some((text[..end].parse().ok()?, &text[end..]))
    }

    /// Tells whether a sink or a table refuses what belongs to that event, for good.
    pub fn refuses(&self, event: usize) -> bool {
        let refuses = |trouble: &&Trouble| {
            trouble.fault == Fault::Refused && matches!(trouble.port, Port::Out | Port::Lookup) && trouble.of == event
        };
        self.troubles.iter().any(|trouble| refuses(&trouble))
    }
}
