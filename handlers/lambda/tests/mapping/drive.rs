//! Drives one schedule: the model says what is invoked, the handler's process answers, and the account looks at both.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    account::Account,
    model::{Invocation, Mapping, Outcome, Place},
    runtime::{self, Answer},
    schedule::{Mishap, Schedule, World},
    world::{Environment, Told, Track},
};

/// How long an invocation takes by the mapping's clock.
const TAKES: Duration = Duration::from_millis(50);
/// The longest wait by the clock on the wall, where what a process left behind ends by that clock.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a mapping hears instead of what the handler answered, to see whether that is found.
pub type Lie = fn(&[Place]) -> Value;

/// What is under way.
struct Flight {
    invocation: Invocation,
    started: Instant,
    /// The mapping has given it up.
    given_up: bool,
}

struct Drive<'a> {
    track: Arc<Track>,
    /// One invocation goes to this one, the next to that.
    environments: &'a [Arc<Environment>],
    mapping: Mapping<'a>,
    told: Receiver<Told>,
    ear: Sender<Told>,
    flights: HashMap<u64, Flight>,
    account: Account,
    lie: Option<Lie>,
    /// Something is to be invoked again.
    behind: bool,
}

/// Drives it to its end; gives its account.
pub fn drive(schedule: Schedule, environments: &[Arc<Environment>], lie: Option<Lie>) -> Account {
    let receiver = &environments[0].receiver;
    let (ear, told) = mpsc::channel();
    let abandons = ear.clone();
    // Who is done hears nothing any more.
    let abandons = Box::new(move |event| drop(abandons.send(Told::Abandon(event))));
    let track = Arc::new(Track::new(schedule, abandons));
    receiver.enter(&track);
    let schedule = &track.schedule.clone();
    let mapping = Mapping::new(schedule.settings.clone(), &schedule.stream);
    let account = Account::new(track.clone(), receiver.clone());
    let (flights, behind) = (HashMap::new(), false);
    let drive = Drive { track: track.clone(), environments, mapping, told, ear, flights, account, lie, behind };
    let account = drive.run();
    receiver.leave(&track);
    account
}

impl Drive<'_> {
    fn run(mut self) -> Account {
        loop {
            for invocation in self.mapping.poll() {
                self.invoke(invocation);
            }
            if self.flights.values().any(|flight| !flight.given_up) {
                self.hear();
            } else if let Some(due) = self.mapping.next_due() {
                if self.behind && self.track.schedule.world == World::DynamoDb {
                    // Leases end by the clock on the wall: what another process left behind is waited for.
                    thread::sleep((due - self.mapping.now()).min(LONGEST_WAIT));
                }
                self.mapping.advance(due);
            } else if self.flights.is_empty() {
                break;
            } else {
                self.hear();
            }
        }
        self.account.close(&self.mapping);
        self.account
    }

    fn invoke(&mut self, invocation: Invocation) {
        let schedule = &self.track.schedule;
        if schedule.mishaps.get(&invocation.id) == Some(&Mishap::NotInvoked) {
            self.mapping.settle(invocation.id, Outcome::NotInvoked);
            self.account.count("invocations throttled", 1);
            return;
        }
        self.track.begin(invocation.id, self.account.events_at(&invocation.places));
        let payload = schedule.stream.payload(invocation.places.iter().copied());
        let (id, ear, track) = (invocation.id, self.ear.clone(), self.track.clone());
        let sent = runtime::Invocation { limit: schedule.limit, ..runtime::Invocation::new(payload) };
        let environment = &self.environments[id as usize % self.environments.len()];
        environment.invoke(sent, move |answer| {
            track.end(id, &answer);
            // Who is done hears nothing any more.
            drop(ear.send(Told::Answered(id, answer)));
        });
        let flight = Flight { invocation, started: Instant::now(), given_up: false };
        self.flights.insert(id, flight);
    }

    /// Waits until something is told, or an invocation's time is up.
    fn hear(&mut self) {
        // Beyond the limit by what a busy machine needs to start a process in.
        const GRACE: Duration = Duration::from_secs(60);
        let ends =
            self.flights.values().map(|flight| flight.started).min().unwrap() + self.track.schedule.limit + GRACE;
        match self.told.recv_timeout(ends.saturating_duration_since(Instant::now())) {
            Ok(Told::Answered(id, answer)) => self.answered(id, answer),
            Ok(Told::Abandon(event)) => self.abandon(event),
            Err(RecvTimeoutError::Timeout) => panic!("no answer\n{}", self.environments[0].log()),
            Err(RecvTimeoutError::Disconnected) => unreachable!("it is kept"),
        }
    }

    /// The mapping gives up what goes on.
    fn abandon(&mut self, event: usize) {
        let place = self.track.schedule.events[event].place;
        let mut waited_for = self.flights.values_mut().filter(|flight| !flight.given_up);
        let Some(flight) = waited_for.find(|flight| flight.invocation.places.contains(&place)) else { return };
        flight.given_up = true;
        let (id, places) = (flight.invocation.id, flight.invocation.places.clone());
        self.account.count("invocations given up while they went on", 1);
        self.settle(id, &places, Outcome::FunctionError);
    }

    fn answered(&mut self, id: u64, mut answer: Answer) {
        let Some(flight) = self.flights.remove(&id) else { return };
        if let (Some(lie), false) = (self.lie, answer.failed) {
            answer.body = lie(&flight.invocation.places);
        }
        let places = &flight.invocation.places;
        self.account.invocation(id, places, &answer);
        if flight.given_up {
            return;
        }
        let lost = self.track.schedule.mishaps.get(&id) == Some(&Mishap::AnswerLost);
        let outcome = match answer {
            _ if lost => Outcome::FunctionError,
            Answer { failed: true, .. } | Answer { in_time: false, .. } => Outcome::FunctionError,
            Answer { body, .. } => Outcome::Answered(body),
        };
        let places = places.clone();
        self.settle(id, &places, outcome);
    }

    fn settle(&mut self, id: u64, places: &[Place], outcome: Outcome) {
        self.behind = !matches!(&outcome, Outcome::Answered(answer) if *answer == json!({ "batchItemFailures": [] }));
        self.mapping.advance(self.mapping.now() + TAKES);
        let done = self.mapping.settle(id, outcome);
        // A throttled one was none.
        if !done.is_empty() {
            self.account.done(id, &done);
        }
        if self.track.schedule.mishaps.get(&id) == Some(&Mishap::NewPollers) {
            self.mapping.replace_pollers(places[0].0);
            self.account.count("shards with new pollers", 1);
            for flight in self.flights.values_mut().filter(|flight| flight.invocation.places[0].0 == places[0].0) {
                flight.given_up = true;
            }
        }
    }
}
