//! What the function answered: what it asks for again has a reason, and what it says is done is durable by then.

use serde_json::Value;

use super::{Account, Counts, Wrong};
use crate::{
    model::Place,
    runtime::Answer,
    schedule::{Kind, Port},
    world::{Run, Said, Seen, State},
};

impl Account {
    /// Takes down how an invocation ended: what is asked for again must have had a reason to be.
    pub fn invocation(&mut self, id: u64, places: &[Place], answer: &Answer) {
        let track = self.track.clone();
        let state = track.state();
        let run = &state.runs[&id];
        let asks = answer.body["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
        self.count("invocations", 1);
        self.count("invocations in a process that was ended", usize::from(run.crashed()));
        self.count("invocations that failed", usize::from(answer.failed && !run.crashed()));
        self.count("invocations that were slow", usize::from(run.slow()));
        self.count("invocations answered too late", usize::from(!answer.in_time));
        self.count("invocations that asked for records again", usize::from(!answer.failed && asks));
        if asks && !answer.failed {
            self.asked_again(&state, id, places, answer);
        }
        if run.slow() || run.crashed() || !run.faults.is_empty() || self.meets_leases(&state, id) {
            return;
        }
        self.count(Counts::HELD_INVOCATIONS, 1);
        if answer.failed || asks {
            self.wrong.push((Wrong::AskedAgain, format!("{:?} of {places:?}, after {:?}", answer.body, answer.took)));
        }
    }

    /// Tells whether an earlier invocation goes on beside it, or has left leases of what is to be done once.
    fn meets_leases(&self, state: &State, id: u64) -> bool {
        let run = &state.runs[&id];
        let once = |event: &usize| self.track.schedule.events[*event].kind == Kind::ActOnce;
        let shares = |earlier: &Run| earlier.events.iter().any(|event| once(event) && run.events.contains(event));
        let mut earlier = state.runs.range(..id).map(|(_, earlier)| earlier);
        earlier.any(|earlier| earlier.went_on_beside(run) || earlier.leaves_leases() && shares(earlier))
    }

    /// Looks at what an answer asks for again: records of the batch, and from the first of them on none that has ended.
    fn asked_again(&mut self, state: &State, id: u64, places: &[Place], answer: &Answer) {
        let place = |failure: &Value| {
            let place = self.track.schedule.stream.place_of(places[0].0, failure["itemIdentifier"].as_str()?)?;
            places.iter().position(|known| *known == place)
        };
        let asked: Option<Vec<usize>> =
            answer.body["batchItemFailures"].as_array().unwrap().iter().map(place).collect();
        let Some(first) = asked.and_then(|asked| asked.into_iter().min()) else {
            self.wrong.push((Wrong::OtherRecord, format!("{:?} of {places:?}", answer.body)));
            return;
        };
        // What a slow one did not wait for may come behind it.
        if state.runs[&id].slow() {
            return;
        }
        let behind = self.events_at(&places[first..]);
        self.count(Counts::HELD_ENDS, behind.len());
        for event in behind {
            // An entry that may be another invocation's, which goes on beside it, says nothing of this one.
            let mut own = state.seen.iter().filter(|seen| seen.of == event && seen.runs == [id]);
            if own.any(|seen| matches!(seen.said, Said::Entry(_))) {
                self.is_wrong(Wrong::Ended, event);
            }
        }
    }

    /// Takes down what the mapping was told is done by that invocation: it must have been so when it was told.
    pub fn done(&mut self, id: u64, places: &[Place]) {
        self.done.extend(places);
        let track = self.track.clone();
        let state = track.state();
        let run = &state.runs[&id];
        let seen = &state.seen[..run.seen().min(state.seen.len())];
        // What no log took goes to the dead letters, and is lost where they fail too, or no time is left.
        let unlogged = run.slow() || run.had_fault_at(Port::Log) && run.had_fault_at(Port::Dead);
        for event in self.events_at(places) {
            if !self.is_settled(seen, event) {
                self.is_wrong(Wrong::NotDone, event);
            }
            if unlogged {
                continue;
            }
            self.count(Counts::HELD_ENTRIES, 1);
            let of = |seen: &&Seen| seen.of == event && seen.runs.contains(&id);
            if !seen.iter().filter(of).any(|seen| matches!(seen.said, Said::Entry(_))) {
                self.is_wrong(Wrong::Log, event);
            }
        }
    }
}
