//! Joins outcomes to decisions: when a decision was made is noted in the store of `outcome.in`, and found there by the event
//! that tells how it turned out. Both in one round trip for a batch.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future;
use vrl::value::{KeyString, ObjectMap, Value};

use super::Inner;
use crate::{
    clock::{Clock, Deadline, span},
    error::{Code, Error, Stage},
    expression::Expression,
    ports::{Condition, Key, Put, Store},
    report::{Decision, Disposition, Joined},
    state::{self, Change},
};

/// How much longer than `within` a note is kept, so that what comes late is told from what is unknown.
const LATE: TimeDelta = TimeDelta::days(1);

/// Which events tell how an earlier decision turned out.
pub(super) struct OutcomeRule {
    pub when: Expression,
    pub of: Expression,
    pub label: Expression,
    pub within: Duration,
    /// The store that remembers decisions, by its name.
    pub store: Option<(Arc<str>, Arc<dyn Store>)>,
}

/// When something was decided, and when that happened which it was decided about.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Note {
    decided_at: DateTime<Utc>,
    event_time: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Outcomes {
    /// By the decision's place.
    joined: Vec<(usize, Result<Joined, Error>)>,
    /// Why decisions could not be noted.
    unnoted: Vec<String>,
}

/// Notes the batch's decisions, and finds those its outcomes are of.
pub(super) async fn join(pipeline: &Inner, decisions: &[Decision], clock: &Clock, deadline: Deadline) -> Outcomes {
    let Some(OutcomeRule { within, store: Some((name, store)), .. }) = &pipeline.outcome else {
        return Outcomes::default();
    };
    let (now, within) = (clock.now(), span(*within));
    let ended = || decisions.iter().enumerate().filter(|(_, decision)| decision.disposition != Disposition::Retry);
    let mut notes: HashMap<&str, Note> = HashMap::new();
    for (_, decision) in ended().filter(|(_, decision)| is_decided(decision)) {
        let event_time = decision.record.facts().time;
        notes.entry(&decision.id).or_insert(Note { decided_at: now, event_time });
    }
    let told: Vec<(usize, &str)> =
        ended().filter_map(|(place, decision)| Some((place, &*decision.outcome.as_ref()?.decision_id))).collect();
    if notes.is_empty() && told.is_empty() {
        return Outcomes::default();
    }
    let expires = now.checked_add_signed(within).and_then(|end| end.checked_add_signed(LATE));
    let puts = notes.iter().map(|(id, note)| {
        Change::Put(Put { key: key(id), value: note.to_value(), condition: Condition::Absent, expires })
    });
    let puts = puts.collect();
    // What is noted already was decided when it was noted.
    let noting = state::change(&**store, puts, deadline, |_, _| None);
    let mut asked: Vec<&str> = told.iter().map(|(_, id)| *id).filter(|id| !notes.contains_key(id)).collect();
    asked.sort_unstable();
    asked.dedup();
    let keys: Vec<Key> = asked.iter().map(|id| key(id)).collect();
    let (noted, found) = future::join(noting, state::read(&**store, &keys, deadline)).await;
    let found: HashMap<&str, _> = asked.into_iter().zip(found).collect();

    let unnoted = noted.into_iter().filter_map(|noted| Some(format!("a note for an outcome: {}", noted.err()?.reason)));
    let mut outcomes = Outcomes { joined: Vec::new(), unnoted: unnoted.collect() };
    for (place, id) in told {
        let note = match (notes.get(id), found.get(id)) {
            (Some(note), _) => Ok(Some(*note)),
            (None, Some(Ok(item))) => Ok(item.as_ref().and_then(|item| Note::from_value(&item.value))),
            (None, Some(Err(error))) => {
                Err(state::failed(Stage::Act, Code::OUTCOME_FAILED, &format!("the store `{name}`"), error.clone()))
            }
            (None, None) => Ok(None),
        };
        let told_at = decisions[place].record.facts().time;
        outcomes
            .joined
            .push((place, note.map(|note| note.map_or(Joined::Unknown, |note| note.joined(told_at, now, within)))));
    }
    outcomes
}

impl Outcomes {
    /// Takes what outcomes were joined to into their decisions. Gives those that are to be asked for again, and why decisions
    /// could not be noted: like a log entry, that changes no end of theirs.
    pub fn take(self, decisions: &mut [Decision]) -> (Vec<(usize, Error)>, Vec<String>) {
        let mut failed = Vec::new();
        for (place, joined) in self.joined {
            let decision = &mut decisions[place];
            let Some(outcome) = &mut decision.outcome else { continue };
            match joined {
                Ok(joined) => outcome.joined = joined,
                // What has acted does not come again for that: its outcome is written unchecked.
                Err(_) if !decision.actions.is_empty() => {}
                Err(error) => failed.push((place, error)),
            }
        }
        (failed, self.unnoted)
    }
}

/// Tells whether there is anything an outcome could be of.
fn is_decided(decision: &Decision) -> bool {
    decision.outcome.is_none() && !(decision.predictions.is_empty() && decision.candidates.is_empty())
}

fn key(decision_id: &str) -> Key {
    Key::new(decision_id, "decision")
}

impl Note {
    fn joined(&self, told_at: Option<DateTime<Utc>>, now: DateTime<Utc>, within: TimeDelta) -> Joined {
        let delay = match (self.event_time, told_at) {
            (Some(decided), Some(told)) => told - decided,
            _ => now - self.decided_at,
        };
        if delay > within { Joined::Late } else { Joined::Found { delay_ms: delay.num_milliseconds() } }
    }

    fn to_value(self) -> Value {
        let mut fields = ObjectMap::new();
        fields.insert(KeyString::from("decided_at"), self.decided_at.timestamp_millis().into());
        let event_time = self.event_time.map_or(Value::Null, |time| time.timestamp_millis().into());
        fields.insert(KeyString::from("event_time"), event_time);
        Value::Object(fields)
    }

    fn from_value(value: &Value) -> Option<Note> {
        let fields = value.as_object()?;
        let moment = |name: &str| DateTime::from_timestamp_millis(fields.get(name)?.as_integer()?);
        Some(Note { decided_at: moment("decided_at")?, event_time: moment("event_time") })
    }
}
