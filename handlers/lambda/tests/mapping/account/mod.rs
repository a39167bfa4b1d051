//! The account of a schedule: what became of every event, by what the services saw and the mapping's destination was sent.
//!
//! What went wrong excuses the invocation in which it did, and those behind it only where something is left of it: a lease.

mod actions;
mod answers;
mod counts;
mod on_failure;
mod wrong;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub use counts::Counts;
pub use wrong::Wrong;

use crate::{
    model::{Mapping, Place},
    schedule::{Event, Kind},
    world::{Receiver, Said, Seen, State, Track},
};

/// An account.
pub struct Account {
    track: Arc<Track>,
    receiver: Arc<Receiver>,
    at: HashMap<Place, Vec<usize>>,
    done: HashSet<Place>,
    pub counts: Counts,
    pub wrong: Vec<(Wrong, String)>,
}

impl Account {
    pub fn new(track: Arc<Track>, receiver: Arc<Receiver>) -> Account {
        let mut at: HashMap<Place, Vec<usize>> = HashMap::new();
        for (number, event) in track.schedule.events.iter().enumerate() {
            at.entry(event.place).or_default().push(number);
        }
        let (done, counts, wrong) = (HashSet::new(), Counts::default(), Vec::new());
        let mut account = Account { track, receiver, at, done, counts, wrong };
        account.count("schedules", 1);
        account.count("records", account.at.len());
        account.count("events", account.track.schedule.events.len());
        account
    }

    /// Counts so many more of that.
    pub fn count(&mut self, what: &str, more: usize) {
        self.counts.add(what, more);
    }

    /// The events of these records.
    pub fn events_at(&self, places: &[Place]) -> Vec<usize> {
        places.iter().flat_map(|place| self.at[place].iter().copied()).collect()
    }

    fn is_wrong(&mut self, wrong: Wrong, event: usize) {
        let Event { kind, place, part, .. } = &self.track.schedule.events[event];
        self.wrong.push((wrong, format!("event {event}, {kind:?} at {place:?} {part:?}")));
    }

    /// Tells whether what is due of an event is among what was seen.
    fn is_settled(&self, seen: &[Seen], event: usize) -> bool {
        let kind = self.track.schedule.events[event].kind;
        let has = |said: &Said| seen.iter().any(|seen| seen.of == event && seen.said == *said);
        let letter = has(&Said::Letter(true));
        match kind {
            Kind::Passes => true,
            kind if kind.is_poison() => letter,
            _ => has(&Said::Action) || letter,
        }
    }

    /// Closes the account of a mapping that has nothing left to do.
    pub fn close(&mut self, mapping: &Mapping<'_>) {
        for what in self.receiver.nonsense() {
            self.wrong.push((Wrong::Nonsense, what));
        }
        let track = self.track.clone();
        let state = track.state();
        for ((port, fault), count) in &state.faults {
            self.count(&format!("faults: {port:?} {fault:?}"), *count);
        }
        self.count("batches cut by their payload", mapping.cut_by_payload());
        let schedule = &track.schedule;
        let on_failure = on_failure::places(&mapping.documents(), &schedule.stream);
        for batch in mapping.discarded() {
            self.count(&format!("batches given up: {:?}", batch.condition), 1);
        }
        let given_up: HashSet<Place> = mapping.discarded().iter().flat_map(|batch| batch.places.clone()).collect();
        for (number, event) in schedule.events.iter().enumerate() {
            let seen: Vec<(usize, &Seen)> =
                state.seen.iter().enumerate().filter(|(_, seen)| seen.of == number).collect();
            self.close_event(&state, number, event, &seen, on_failure.contains(&event.place));
        }
        self.keys(&state);
        self.order(&state, &given_up);
    }

    fn close_event(&mut self, state: &State, number: usize, event: &Event, seen: &[(usize, &Seen)], on_failure: bool) {
        let actions: Vec<&Seen> =
            seen.iter().filter(|(_, seen)| seen.said == Said::Action).map(|(_, seen)| *seen).collect();
        let letters = seen.iter().filter(|(_, seen)| seen.said == Said::Letter(true)).count();
        if seen.iter().any(|(_, seen)| seen.said == Said::Letter(false)) {
            self.is_wrong(Wrong::OtherBytes, number);
        }
        let done = self.done.contains(&event.place);
        let end = match (actions.is_empty(), letters, event.kind) {
            (false, _, _) => "events that acted",
            (true, 1.., _) => "events that were dead-lettered",
            (true, 0, Kind::Passes) if done => "events that passed",
            _ => "events that are in an on-failure record alone",
        };
        self.count(end, 1);
        if !(done && self.is_settled(&state.seen, number) || on_failure) {
            self.is_wrong(Wrong::Lost, number);
        }
        let refused = self.track.schedule.refuses(number);
        if !event.kind.acts() && !actions.is_empty() || letters > 0 && !event.kind.is_poison() && !refused {
            self.is_wrong(Wrong::Misjudged, number);
        }
        self.repeated(state, number, event.kind, &actions);
        self.entries(number, event.kind, seen);
    }

    /// What the log says is so by then.
    fn entries(&mut self, number: usize, kind: Kind, seen: &[(usize, &Seen)]) {
        let by = |entry: usize, said: &Said| seen.iter().any(|(place, seen)| *place < entry && seen.said == *said);
        let is_so = |(place, seen): &(usize, &Seen)| match &seen.said {
            Said::Entry(said) => match said.as_str() {
                "acted" | "skipped" => by(*place, &Said::Action),
                "dead-lettered" => by(*place, &Said::Letter(true)),
                "passed" => kind == Kind::Passes,
                _ => false,
            },
            _ => true,
        };
        if !seen.iter().all(is_so) {
            self.is_wrong(Wrong::Log, number);
        }
    }
}
