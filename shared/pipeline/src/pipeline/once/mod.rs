//! Acts once: before anything is sent, the decisions of a batch that hold a `once` action are put into the ledger, and what is
//! there of the other events is read, all in one round trip; afterwards what was done is marked, in another one. What may be
//! done about what is found is `act/once/protocol.rs`'s.

mod acting;
mod claiming;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytestring::ByteString;
use chrono::{DateTime, TimeDelta, Utc};

pub(super) use acting::Acting;

use super::run::Run;
use crate::{
    act::once::{self, End, Entry, Lease, Sending},
    clock::{Deadline, span},
    error::{Code, Error, Stage},
    identity,
    ports::{Condition, Delete, Item, Key, Put, Store},
    report::{Action, Decision, Disposition, Replay},
    state::{self, Change},
};
use acting::ActingGuard;
use claiming::{Asked, Claiming};

/// How long the sends of a batch may take where something is to happen once.
const ACTING: Duration = Duration::from_secs(15);
/// How much longer others stay away: clocks differ.
const MARGIN: TimeDelta = TimeDelta::seconds(5);

/// Where is remembered what was done.
pub(super) struct Ledger {
    pub store: Arc<dyn Store>,
    /// The store's name.
    pub name: Arc<str>,
    pub keep: TimeDelta,
    /// The decisions being acted on in this process: a clock that jumps ends leases, and must not let two of its own act.
    pub acting: Arc<Acting>,
}

/// What a batch holds of the ledger.
pub(super) struct Claims {
    lease: Lease,
    /// When the sends must have ended.
    pub(super) until: Deadline,
    /// By decision.
    held: HashMap<usize, Held>,
    /// Decisions that are another one's of the batch, delivered twice.
    twins: Vec<(usize, usize)>,
    _acting: ActingGuard,
}

/// An entry this attempt has put.
struct Held {
    key: Key,
    version: u64,
    entry: Entry,
}

impl Run {
    /// Puts or reads what the ledger has of each event. What is found there replaces what was decided.
    pub(super) async fn claim(&mut self, decisions: &mut [Decision]) -> Option<Claims> {
        let pipeline = self.pipeline.clone();
        let ledger = pipeline.ledger.as_ref()?;
        let now = self.clock.now();
        let until = Deadline::after(self.deadline.left().min(ACTING));
        // A random token: nobody else may take what is put for their own.
        let token = format!("{:032x}", rand::random::<u128>()).into();
        let lease = Lease { token, until: now + span(until.left()) + MARGIN };

        let (places, mut twins) = distinct(decisions);
        let mut acting = ActingGuard::new(ledger.acting.clone());
        let busy = acting.enter(places.iter().map(|place| &decisions[*place].id));
        let claim = Claiming { ledger, lease: &lease, version: &pipeline.version, now, deadline: self.deadline };
        let asked: Vec<usize> = places.iter().copied().filter(|place| !busy.contains(&decisions[*place].id)).collect();
        let answers = claim.ask(decisions, &asked).await;
        let waits = places.into_iter().filter(|place| busy.contains(&decisions[*place].id));
        let waits = waits.map(|place| (place, Asked::Wait(now + MARGIN))).collect::<Vec<_>>();

        let mut held = HashMap::new();
        for (place, asked) in asked.into_iter().zip(answers).chain(waits) {
            let decision = &mut decisions[place];
            let payload = match &asked {
                Asked::Held(_, entry) | Asked::Skip(entry) => Some(entry.payload.clone()),
                _ => None,
            };
            if payload.is_some_and(|payload| *payload != *identity::sha256(&decision.body)) {
                let reason = format!("the ledger at `{}` holds another body", ledger.name);
                self.fails(decision, Error::poison(Stage::Act, Code::OTHER_BODY, reason));
            }
            match asked {
                Asked::Nothing => {}
                // Also of another body: it is given back in the end.
                Asked::Held(version, entry) => {
                    if entry.attempt > 1 && decision.error.as_ref().is_none_or(|error| error.code != Code::OTHER_BODY) {
                        replay(decision, &entry, Disposition::Passed);
                    }
                    held.insert(place, Held { key: once::key(decision), version, entry: *entry });
                }
                Asked::Skip(_) if decision.error.as_ref().is_some_and(|error| error.code == Code::OTHER_BODY) => {}
                Asked::Skip(entry) => replay(decision, &entry, Disposition::Skipped),
                Asked::Wait(until) => {
                    let left = (until - now).to_std().unwrap_or_default().min(ACTING);
                    self.report.leased = Some(self.report.leased.map_or(left, |before| before.min(left)));
                    let reason = format!("another worker holds the event until {until}");
                    self.fails(decision, Error::retryable(Stage::Act, Code::LEASED, reason));
                }
                Asked::Damaged => {
                    let reason = format!("what was done about the event, in the store `{}`", ledger.name);
                    self.fails(decision, Error::poison(Stage::Act, Code::STATE_DAMAGED, reason));
                }
                Asked::Failed(error) => {
                    let what = format!("the store `{}`", ledger.name);
                    self.fails(decision, state::failed(Stage::Act, Code::ONCE_FAILED, &what, error));
                }
            }
        }
        self.follow_twins(&held, &mut twins, decisions);
        Some(Claims { lease, until, held, twins, _acting: acting })
    }

    fn fails(&mut self, decision: &mut Decision, error: Error) {
        decision.disposition = self.disposition(Some(&error));
        decision.error = Some(error);
    }

    /// Leaves those twins that end as the event they are delivered with again, if anything is to be done once.
    fn follow_twins(
        &mut self,
        held: &HashMap<usize, Held>,
        twins: &mut Vec<(usize, usize)>,
        decisions: &mut [Decision],
    ) {
        twins.retain(|(twin, first)| {
            let (same, first_of) = (decisions[*twin].body == decisions[*first].body, &decisions[*first]);
            let recorded = held.contains_key(first) || first_of.replay.is_some();
            // It was not before it was asked for.
            let asked_again = first_of.disposition == Disposition::Retry;
            if !same && !asked_again && (recorded || chose(&decisions[*twin])) {
                let reason = "another event of the batch has the same id";
                self.fails(&mut decisions[*twin], Error::poison(Stage::Act, Code::OTHER_BODY, reason));
                return false;
            }
            let follows = asked_again || same && (recorded || chose(first_of));
            if follows {
                decisions[*twin].disposition = Disposition::Skipped;
                decisions[*twin].error = None;
            }
            follows
        });
    }

    /// Asks again for what there is no time left to act on, or no lease: the process was stopped for long, or the clock jumped.
    pub(super) fn in_time(&mut self, claims: Option<&Claims>, decisions: &mut [Decision]) {
        let lost = claims.is_some_and(|claims| !claims.lease.outlasts(self.clock.now(), claims.until.left()));
        for (place, decision) in decisions.iter_mut().enumerate() {
            let acts =
                decision.disposition == Disposition::Passed && decision.actions.iter().any(|action| !action.earlier);
            let held = claims.filter(|claims| claims.holds(place));
            if !acts {
                continue;
            }
            if self.deadline.passed() || held.is_some_and(|claims| claims.until.passed()) {
                let reason = "the deadline came before the event could act";
                self.fails(decision, Error::retryable(Stage::Act, Code::DEADLINE, reason));
            } else if lost && held.is_some() {
                let reason = "the lease on the event would end before its actions could";
                self.fails(decision, Error::retryable(Stage::Act, Code::DEADLINE, reason));
            } else if claims.is_some() && held.is_none() && chose(decision) {
                // Whatever led here: nothing is sent once without an entry.
                let reason = "nothing is known of what was done about the event";
                self.fails(decision, Error::retryable(Stage::Act, Code::ONCE_FAILED, reason));
            }
        }
    }

    /// Marks what was done, gives back what was not. Tells why what could not be marked could not.
    pub(super) async fn settle(&self, claims: &Claims, decisions: &[Decision]) -> Vec<String> {
        let Some(ledger) = &self.pipeline.ledger else { return Vec::new() };
        let expires = Some(self.clock.now() + ledger.keep);
        let changes = claims.held.iter().map(|(place, held)| held.ended(&decisions[*place], expires));
        let mut lost = Vec::new();
        // An answer that got lost leaves what this attempt wrote: that is no loss.
        let again = |_: usize, item: Option<Item>| {
            let entry = item.and_then(|item| Entry::from_value(&item.value));
            if entry.is_some_and(|entry| entry.token != claims.lease.token) {
                lost.push("what was done: another worker has taken the event over".to_owned());
            }
            None
        };
        let ended = state::change(&*ledger.store, changes.collect(), self.margin(), again).await;
        lost.extend(ended.into_iter().filter_map(|ended| Some(format!("what was done: {}", ended.err()?.reason))));
        lost
    }
}

/// Tells whether a decision holds something to be done once.
fn chose(decision: &Decision) -> bool {
    decision.actions.iter().any(|action| action.once)
}

/// Finds the decisions to be asked for, each id once, one that chose something before others, and the twins of those.
fn distinct(decisions: &[Decision]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let asks = |decision: &Decision| {
        // What could not be taken apart has no id of its own.
        matches!(decision.disposition, Disposition::Passed | Disposition::DeadLettered) && !decision.id.is_empty()
    };
    let acts = |place: usize| decisions[place].disposition == Disposition::Passed && chose(&decisions[place]);
    let mut first: HashMap<&ByteString, usize> = HashMap::new();
    for (place, decision) in decisions.iter().enumerate().filter(|(_, decision)| asks(decision)) {
        let first = first.entry(&decision.id).or_insert(place);
        if acts(place) && !acts(*first) {
            *first = place;
        }
    }
    let (mut places, mut twins) = (Vec::new(), Vec::new());
    for (place, decision) in decisions.iter().enumerate().filter(|(_, decision)| asks(decision)) {
        match first[&decision.id] {
            first if first == place => places.push(place),
            first => twins.push((place, first)),
        }
    }
    (places, twins)
}

impl Claims {
    /// Tells whether it holds the entry of a decision.
    pub(super) fn holds(&self, place: usize) -> bool {
        self.held.contains_key(&place)
    }

    /// Lets what was delivered twice in the batch be asked for again where the first one is.
    pub(super) fn end_twins(&self, decisions: &mut [Decision]) {
        for (twin, first) in &self.twins {
            let (disposition, error) = (decisions[*first].disposition, decisions[*first].error.clone());
            let twin = &mut decisions[*twin];
            if disposition == Disposition::Retry {
                (twin.disposition, twin.error) = (disposition, error);
            }
            twin.actions.clear();
        }
    }
}

/// Puts a recorded decision in the place of the new one. What a limit holds back now and is not done yet stays held back.
fn replay(decision: &mut Decision, entry: &Entry, disposition: Disposition) {
    let now_held = std::mem::replace(&mut decision.held_back, entry.held_back.clone());
    let (held, actions): (Vec<Action>, Vec<Action>) =
        entry.actions.iter().cloned().partition(|action| !action.earlier && now_held.contains(&action.name));
    decision.held_back.extend(held.into_iter().map(|action| action.name));
    decision.candidates.clone_from(&entry.candidates);
    decision.actions = actions;
    decision.replay = Some(Replay { decided_at: entry.decided_at, version: entry.version.clone() });
    decision.error = None;
    decision.disposition = disposition;
}

impl Held {
    /// Makes the change that the end of an attempt asks for.
    fn ended(&self, decision: &Decision, expires: Option<DateTime<Utc>>) -> Change {
        let key = self.key.clone();
        // Of an event with another body nothing was sent.
        let sent = |name: &str| decision.actions.iter().find(|action| *action.name == *name && !action.earlier);
        let mut entry = self.entry.clone();
        let sendings: Vec<Sending> = entry
            .actions
            .iter_mut()
            .map(|action| match sent(&action.name) {
                _ if action.earlier => Sending::Taken,
                Some(sent) if sent.taken => {
                    action.earlier = true;
                    Sending::Taken
                }
                Some(sent) if sent.unsure => Sending::Unknown,
                _ => Sending::Not,
            })
            .collect();
        let first = entry.attempt == 1;
        let entry = match once::end(sendings, first) {
            End::Done => entry,
            End::GiveBack => entry.given_back(),
            End::Remove => return Change::Delete(Delete { key, version: self.version }),
        };
        Change::Put(Put { key, value: entry.to_value(), condition: Condition::Version(self.version), expires })
    }
}
