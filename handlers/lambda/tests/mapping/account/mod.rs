//! The account of a schedule: what became of every event, by what the services saw and the mapping's destination was sent.

mod counts;
mod on_failure;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

pub use counts::Counts;
use serde_json::Value;

use crate::{
    model::{Mapping, Place},
    runtime::Answer,
    schedule::{Event, Kind, Port},
    schedules::PATIENCE,
    world::{Receiver, Said, Seen, State, Track},
};

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An event is neither done with nor in an on-failure record.
    Lost,
    /// The mapping was told that it is done, and it is not.
    NotDone,
    /// An event acted before an earlier one of its key did.
    OutOfOrder,
    /// What was taken, and known to be, was sent again.
    Repeated,
    /// The same action came under another key.
    OtherKey,
    /// What is to be acted on was not, or the other way round.
    Misjudged,
    /// A dead letter has other bytes.
    OtherBytes,
    /// Something is asked for again, and nothing had failed.
    AskedAgain,
    /// A record is asked for again that was not there.
    OtherRecord,
    /// A record is asked for again, and the decision log has it as ended.
    Ended,
    /// The decision log has no entry, or says what is not so.
    Log,
}

/// How an invocation ended.
pub struct Ended<'a> {
    pub places: &'a [Place],
    pub answer: &'a Answer,
    pub took: Duration,
    /// How many requests had been made to fail before it.
    pub failed_before: usize,
}

/// An account.
pub struct Account {
    track: Arc<Track>,
    receiver: Arc<Receiver>,
    at: HashMap<Place, Vec<usize>>,
    done: HashSet<Place>,
    /// Events of invocations that took longer than the handler waits for an answer: it may have come too late.
    slow: HashSet<usize>,
    /// Something went wrong behind which leases may be left.
    shaken: bool,
    pub counts: Counts,
    pub wrong: Vec<(Wrong, String)>,
}

impl Account {
    pub fn new(track: Arc<Track>, receiver: Arc<Receiver>) -> Account {
        let mut at: HashMap<Place, Vec<usize>> = HashMap::new();
        for (number, event) in track.schedule.events.iter().enumerate() {
            at.entry(event.place).or_default().push(number);
        }
        let (done, slow, counts, wrong) = (HashSet::new(), HashSet::new(), Counts::default(), Vec::new());
        let mut account = Account { track, receiver, at, done, slow, shaken: false, counts, wrong };
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

    /// Takes down how an invocation ended: what is asked for again must have had a reason to be.
    pub fn invocation(&mut self, ended: &Ended<'_>) {
        let Ended { places, answer, took, failed_before } = ended;
        let events = self.events_at(places);
        self.count("invocations", 1);
        let slow = *took >= PATIENCE;
        if slow {
            self.slow.extend(&events);
        }
        let crashed = answer.failed && answer.body["errorType"] == "Runtime.ExitError";
        let asks = answer.body["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
        self.count("invocations in a process that was ended", usize::from(crashed));
        self.count("invocations that failed", usize::from(answer.failed && !crashed));
        self.count("invocations answered too late", usize::from(!answer.in_time));
        self.count("invocations that asked for records again", usize::from(!answer.failed && asks));
        let (failed, leased) = {
            let state = self.track.state();
            let unmarked = state.troubled.iter().any(|(port, _)| *port == Port::Store);
            (state.failed > *failed_before, unmarked || !state.abandoned.is_empty())
        };
        let reason = slow || crashed || failed || leased || self.shaken;
        if asks && !answer.failed {
            self.asked_again(places, answer);
        }
        if (answer.failed || asks) && !reason {
            self.wrong.push((Wrong::AskedAgain, format!("{:?} of {places:?}, after {took:?}", answer.body)));
        }
        // Of what was not written down in time, or by nobody any more, leases are left.
        self.shaken |= crashed || slow;
    }

    /// Looks at what an answer asks for again: records of the batch, and from the first of them on none that has ended.
    fn asked_again(&mut self, places: &[Place], answer: &Answer) {
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
        let behind = self.events_at(&places[first..]);
        let ended = {
            let state = self.track.state();
            let ended = |event: &usize| {
                let (delivery, _) = state.deliveries[*event];
                let entry = |seen: &Seen| matches!(seen.said, Said::Entry(_)) && seen.delivery == delivery;
                // One that was given up goes on beside the next delivery, and what was not waited for may come behind it.
                let late = state.abandoned.contains(event) || self.slow.contains(event);
                !late && state.seen.iter().any(|seen| seen.of == *event && entry(seen))
            };
            behind.into_iter().filter(ended).collect::<Vec<_>>()
        };
        ended.into_iter().for_each(|event| self.is_wrong(Wrong::Ended, event));
    }

    /// Takes down what the mapping was told is done: it must be.
    pub fn done(&mut self, places: &[Place]) {
        self.done.extend(places);
        for event in self.events_at(places) {
            let settled = self.is_settled(&self.track.state(), event);
            if !settled {
                self.is_wrong(Wrong::NotDone, event);
            }
        }
    }

    /// Tells whether what is due of an event has happened.
    fn is_settled(&self, state: &State, event: usize) -> bool {
        let kind = self.track.schedule.events[event].kind;
        let seen = |said: &Said| state.seen.iter().any(|seen| seen.of == event && seen.said == *said);
        let letter = seen(&Said::Letter(true));
        match kind {
            Kind::Passes => true,
            kind if kind.is_poison() => letter,
            _ => seen(&Said::Action) || letter,
        }
    }

    /// Closes the account of a mapping that has nothing left to do.
    pub fn close(&mut self, mapping: &Mapping<'_>) {
        let track = self.track.clone();
        let state = track.state();
        for ((port, fault), count) in &state.faults {
            self.count(&format!("faults: {port:?} {fault:?}"), *count);
        }
        let schedule = &track.schedule;
        let on_failure = on_failure::places(&mapping.documents(), &schedule.stream, &schedule.settings);
        for batch in mapping.discarded() {
            self.count(&format!("batches given up: {:?}", batch.condition), 1);
        }
        let given_up: HashSet<Place> = mapping.discarded().iter().flat_map(|batch| batch.places.clone()).collect();
        for (number, event) in track.schedule.events.iter().enumerate() {
            let seen: Vec<(usize, &Seen)> =
                state.seen.iter().enumerate().filter(|(_, seen)| seen.of == number).collect();
            self.close_event(&state, number, event, &seen, on_failure.contains(&event.place));
        }
        self.order(&state, &given_up);
    }

    fn close_event(&mut self, state: &State, number: usize, event: &Event, seen: &[(usize, &Seen)], on_failure: bool) {
        let actions: Vec<&(usize, &Seen)> = seen.iter().filter(|(_, seen)| seen.said == Said::Action).collect();
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
        if !(done && self.is_settled(state, number) || on_failure) {
            self.is_wrong(Wrong::Lost, number);
        }
        let refused = self.track.schedule.refuses(number);
        if !event.kind.acts() && !actions.is_empty() || letters > 0 && !event.kind.is_poison() && !refused {
            self.is_wrong(Wrong::Misjudged, number);
        }
        if actions.windows(2).any(|pair| pair[0].1.key != pair[1].1.key) {
            self.is_wrong(Wrong::OtherKey, number);
        }
        self.repeated(state, number, event, &actions);
        self.logged(state, number, seen, done);
    }

    /// What was sent again: nothing, unless nobody knew that it had been taken.
    fn repeated(&mut self, state: &State, number: usize, event: &Event, actions: &[&(usize, &Seen)]) {
        let again = actions.len().saturating_sub(1);
        let of_key = || self.track.key(&event.key).is_some_and(|key| state.troubled.contains(&(Port::Store, key)));
        // What was done could not be marked.
        let unmarked = |seen: &Seen| self.receiver.has_killed(seen.life) || of_key() || self.slow.contains(&number);
        let excused = |seen: &Seen, next: &Seen| match event.kind {
            Kind::ActOnce => unmarked(seen),
            _ => seen.delivery < next.delivery || state.abandoned.contains(&number),
        };
        let late = |seen: &Seen| seen.since >= PATIENCE;
        let known = |seen: &Seen, next: &Seen| seen.told && !(seen.delivery == next.delivery && late(next));
        let wrong = actions.windows(2).any(|pair| known(pair[0].1, pair[1].1) && !excused(pair[0].1, pair[1].1));
        let once = event.kind == Kind::ActOnce;
        self.count(
            if once { "actions to be done once that came again under their key" } else { "actions that came again" },
            again,
        );
        if wrong {
            self.is_wrong(Wrong::Repeated, number);
        }
    }

    /// The log has an entry of what is done, that says what is so.
    fn logged(&mut self, state: &State, number: usize, seen: &[(usize, &Seen)], done: bool) {
        let acted_by = |entry: usize| seen.iter().any(|(place, seen)| *place < entry && seen.said == Said::Action);
        let dead_by = |entry: usize| seen.iter().any(|(place, seen)| *place < entry && seen.said == Said::Letter(true));
        let is_so = |(place, seen): &(usize, &Seen)| match &seen.said {
            Said::Entry(said) => match said.as_str() {
                "acted" | "skipped" => acted_by(*place),
                "dead-lettered" => dead_by(*place),
                "passed" => self.track.schedule.events[number].kind == Kind::Passes,
                _ => false,
            },
            _ => true,
        };
        let lies = !seen.iter().all(is_so);
        let entry = seen.iter().any(|(_, seen)| matches!(seen.said, Said::Entry(_)));
        let troubled = [Port::Log, Port::Dead].iter().any(|port| state.troubled.contains(&(*port, number)));
        if lies || done && !entry && !troubled && !self.slow.contains(&number) {
            self.is_wrong(Wrong::Log, number);
        }
    }

    /// The first actions of a key's events come in the order of the stream, but for what was given up.
    fn order(&mut self, state: &State, given_up: &HashSet<Place>) {
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
