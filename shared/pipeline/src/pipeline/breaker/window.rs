//! The poison among the last events.

use std::collections::{HashMap, VecDeque};

use crate::{
    config::StopAbove,
    error::{Code, Error},
    report::BreakerChange,
};

/// What is known of how an event ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate<'a> {
    /// It is asked for again, and counts when it is decided.
    Undecided,
    Good,
    Poison(&'a Error),
}

impl Fate<'_> {
    pub fn is_poison(self) -> bool {
        matches!(self, Fate::Poison(_))
    }

    pub fn is_decided(self) -> bool {
        !matches!(self, Fate::Undecided)
    }
}

/// The poison among the last events.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The events decided since it was empty.
    pub seen: u64,
    /// Of the last events, those that were poison: their number, from 1.
    poison: VecDeque<(u64, Code)>,
    /// By code, what the last one says.
    reasons: HashMap<Code, String>,
}

impl Window {
    pub fn push(&mut self, fate: Fate<'_>, of_last: u64) {
        match fate {
            Fate::Undecided => return,
            Fate::Good => self.seen += 1,
            Fate::Poison(error) => {
                self.seen += 1;
                self.poison.push_back((self.seen, error.code));
                self.reasons.entry(error.code).or_default().clone_from(&error.reason);
            }
        }
        while self.poison.front().is_some_and(|(number, _)| number + of_last <= self.seen) {
            self.poison.pop_front();
        }
    }

    pub fn poison(&self) -> u64 {
        self.poison.len() as u64
    }

    /// Says why it is too much, with the poison that others write down right now.
    pub fn tripped(&self, limit: StopAbove, others: u64) -> BreakerChange {
        let mut counts: HashMap<Code, u64> = HashMap::new();
        self.poison.iter().for_each(|(_, code)| *counts.entry(*code).or_default() += 1);
        // The most frequent; of equals the one of the newest event.
        let newest_first = self.poison.iter().rev().map(|(_, code)| *code);
        let code = newest_first.reduce(|most, code| if counts[&code] > counts[&most] { code } else { most });
        let reason = code.and_then(|code| self.reasons.get(&code)).cloned().unwrap_or_default();
        BreakerChange::Tripped {
            poison: self.poison() + others,
            of: (self.seen + others).min(limit.of_last),
            limit,
            most: code.unwrap_or(Code::BREAKER),
            reason,
        }
    }
}
