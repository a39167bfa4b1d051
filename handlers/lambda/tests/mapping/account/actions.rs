//! What was done: not again without need, under keys of its own, in order.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Account, Counts, Wrong};
use crate::{
    model::Place,
    schedule::{Event, Kind},
    world::{Said, Seen, State},
};

impl Account {
    /// What was sent again: nothing, unless nobody knew that it had been taken.
    pub(super) fn repeated(&mut self, state: &State, number: usize, kind: Kind, actions: &[&Seen]) {
        let once = kind == Kind::ActOnce;
        let of = |seen: &Seen, is: &dyn Fn(u64) -> bool| seen.runs.iter().any(|run| is(*run));
        // What was done could not be marked.
        let unmarked = |seen: &Seen| of(seen, &|run| state.runs[&run].leaves_leases());
        let same_run = |seen: &Seen, next: &Seen| seen.runs == next.runs && seen.runs.len() == 1;
        // In the same invocation its answer may have come too late.
        let late = |seen: &Seen, next: &Seen| same_run(seen, next) && of(seen, &|run| state.runs[&run].slow());
        let excused = |seen: &Seen, next: &Seen| if once { unmarked(seen) } else { !same_run(seen, next) };
        let known = |seen: &Seen, next: &Seen| seen.told && !late(seen, next);
        let wrong = actions.windows(2).any(|pair| known(pair[0], pair[1]) && !excused(pair[0], pair[1]));
        self.count(
            if once { "actions to be done once that came again under their key" } else { "actions that came again" },
            actions.len().saturating_sub(1),
        );
        if wrong {
            self.is_wrong(Wrong::Repeated, number);
        }
        if let (true, [only]) = (once, actions) {
            let last = only.runs.iter().max().copied().unwrap_or_default();
            let again = state.runs.range(last + 1..).any(|(_, run)| run.events.contains(&number) && !run.goes_on());
            self.count(Counts::HELD_ONCE, usize::from(only.told && !unmarked(only) && again));
        }
    }

    /// Every action has a key: always the same, and no other event's.
    pub(super) fn keys(&mut self, state: &State) {
        let (mut of_key, mut of_event) = (HashMap::new(), HashMap::new());
        for Seen { of, key, .. } in state.seen.iter().filter(|seen| seen.said == Said::Action) {
            if key.is_empty() {
                self.is_wrong(Wrong::NoKey, *of);
            }
            if of_event.entry(*of).or_insert(key) != &key {
                self.is_wrong(Wrong::OtherKey, *of);
            }
            if of_key.entry(key).or_insert(*of) != of {
                self.is_wrong(Wrong::SharedKey, *of);
            }
        }
    }

    /// The first actions of a key's events come in the order of the stream, but for what was given up.
    pub(super) fn order(&mut self, state: &State, given_up: &HashSet<Place>) {
        let mut latest: HashMap<String, (usize, usize)> = HashMap::new();
        let mut first: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, seen) in state.seen.iter().enumerate().filter(|(_, seen)| seen.said == Said::Action) {
            first.entry(seen.of).or_insert(place);
        }
        for (event, place) in first {
            let Event { key, place: record, .. } = self.track.schedule.events[event].clone();
            if given_up.contains(&record) {
                continue;
            }
            let before = latest.entry(key).or_insert((event, place));
            if before.1 > place {
                self.is_wrong(Wrong::OutOfOrder, event);
            } else {
                *before = (event, place);
            }
        }
    }
}
