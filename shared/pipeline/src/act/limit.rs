//! Limits: how often an action may happen, for each of what `by` tells apart. What is counted, and whether there is room; how a
//! batch counts is `pipeline/limits.rs`'s.

use std::sync::Arc;

use bytestring::ByteString;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use vrl::value::Value;

use crate::{
    expression::{Evaluator, Expression},
    ports::Key,
    report::Decision,
    state::shown::moment,
    state::write_key,
};

/// How much of a decision's id is kept: 64 bits tell apart what one key has.
const ID: usize = 16;

/// One limit of one rule.
pub(crate) struct Limit {
    pub rule: Arc<str>,
    /// The store's name.
    pub store: Arc<str>,
    pub by: Vec<Expression>,
    pub at_most: Expression,
    pub per: TimeDelta,
    /// Begins the sort part of its keys.
    pub kind: String,
}

/// Under which key a limit counts an action, and how far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limited {
    /// The limit's place.
    pub limit: usize,
    pub key: Key,
    pub at_most: i64,
}

impl Limit {
    /// The most that a limit may count to: what is counted is one item.
    pub const MOST: i64 = 10_000;

    /// Says what it counts an action of a decision under; nothing where a part of the key is null.
    pub fn of(
        &self,
        place: usize,
        decision: &mut Decision,
        evaluator: &mut Evaluator,
    ) -> Result<Option<Limited>, String> {
        let (mut partition, mut sort) = (String::new(), String::new());
        if !write_key(&self.by, &self.kind, decision, evaluator, (&mut partition, &mut sort))? {
            return Ok(None);
        }
        let at_most = self.at_most.eval(&mut decision.record, evaluator)?;
        let at_most = at_most.as_integer().ok_or("`at_most` gives no integer")?;
        if at_most > Limit::MOST {
            return Err(format!("`at_most` is {at_most}; the most a limit counts is {}", Limit::MOST));
        }
        Ok(Some(Limited { limit: place, key: Key::new(partition, sort), at_most }))
    }
}

/// What a limit has counted under one key, the earliest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counted(Vec<(DateTime<Utc>, ByteString)>);

impl Counted {
    /// Tells whether a decision's action may happen: an event that was counted already may.
    pub fn has_room(&self, decision: &str, at_most: i64, per: TimeDelta, now: DateTime<Utc>) -> bool {
        // What a clock that went back left in the future counts too.
        let lately = self.0.iter().filter(|(at, _)| *at > now - per).count();
        self.has(decision) || i64::try_from(lately).is_ok_and(|lately| lately < at_most)
    }

    /// Counts a decision's action, however often it is delivered, once.
    pub fn count(&mut self, decision: &str, now: DateTime<Utc>) {
        if !self.has(decision) {
            self.0.push((now, start(decision).into()));
        }
    }

    /// Tells whether a decision is counted.
    pub fn has(&self, decision: &str) -> bool {
        self.0.iter().any(|(_, known)| known == start(decision))
    }

    /// Forgets what no longer counts.
    pub fn forget(&mut self, per: TimeDelta, now: DateTime<Utc>) {
        self.0.retain(|(at, _)| *at > now - per);
    }

    /// Returns when the last of it no longer counts.
    pub fn expires(&self, per: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.0.iter().map(|(at, _)| *at).fold(now, DateTime::max);
        last.checked_add_signed(per).unwrap_or(last)
    }

    /// Writes it for the store: pairs of milliseconds and the beginning of a decision's id.
    pub fn to_value(&self) -> Value {
        let pair = |(at, id): &(DateTime<Utc>, ByteString)| {
            Value::Array(vec![at.timestamp_millis().into(), id.clone().into()])
        };
        Value::Array(self.0.iter().map(pair).collect())
    }

    /// Shows what was counted, and when.
    pub fn shown(&self) -> serde_json::Value {
        let one = |(at, id): &(DateTime<Utc>, ByteString)| json!({ "at": moment(*at), "decision": **id });
        self.0.iter().map(one).collect()
    }

    /// Reads it back; none where it is not that.
    pub fn from_value(value: &Value) -> Option<Counted> {
        let pair = |pair: &Value| {
            let [at, id] = pair.as_array()? else { return None };
            Some((DateTime::from_timestamp_millis(at.as_integer()?)?, id.to_str()?.into()))
        };
        value.as_array()?.iter().map(pair).collect::<Option<_>>().map(Counted)
    }
}

/// The part of a decision's id that is kept.
fn start(id: &str) -> &str {
    id.get(..ID).unwrap_or(id)
}
