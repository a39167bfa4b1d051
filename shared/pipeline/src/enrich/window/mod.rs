//! Windows: what happened lately under a key, counted by the events' own time. Here a batch goes through: what each event sees,
//! then that it counts itself. Written back it is by `pipeline/windows.rs`, when it is known how the events ended.

mod distinct;
mod history;
mod ring;
mod seeing;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use vrl::value::Value;

use distinct::digest;
pub(super) use seeing::Seeing;

use history::{Counted, History, Plan, Position, Sum, Worth};

use crate::{
    config::{Give, WindowConfig},
    error::{Code, Error, Stage},
    expression::{Evaluator, Expression},
    ports::{Condition, Item, Key, Put},
    record::Names,
    report::Decision,
};

/// Begins what is stored: the form of the rest.
const FORM: u8 = 1;
/// The longest text that is counted.
const LONGEST: usize = 256;
/// How much longer than it covers a window is kept: a stream may stand still for a while.
const KEEP: TimeDelta = TimeDelta::days(7);
/// How far ahead of the clock an event may be at least, as clocks differ, and at most: one that is further ahead than `late` would
/// make all others old.
const AHEAD: (TimeDelta, TimeDelta) = (TimeDelta::minutes(1), TimeDelta::days(1));

/// Keys that one CPU thread takes at a time.
const KEYS: usize = 8;

/// A compiled window.
pub(crate) struct Window {
    pub when: Option<Expression>,
    pub value: Option<Expression>,
    names: Arc<Names>,
    /// In the order of the names: which duration, and what of it.
    fields: Vec<(usize, Give)>,
    /// Begins the sort part of its keys.
    pub kind: String,
    plan: Plan,
}

/// What of events a window counts.
pub(crate) struct Counts {
    pub when: Option<Expression>,
    pub value: Option<Expression>,
    /// A digest of what is counted.
    pub digest: u64,
}

impl Window {
    /// Makes a window that covers durations and gives fields.
    pub fn new(name: &str, counts: Counts, config: &WindowConfig, names: Names, fields: Vec<(usize, Give)>) -> Window {
        let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let distinct = fields.iter().any(|(_, give)| *give == Give::Distinct);
        Window {
            when: counts.when,
            value: counts.value,
            names: Arc::new(names),
            fields,
            // What is counted otherwise, or by another pipeline, is another window.
            kind: format!("window#{name}#{:08x}", counts.digest >> 32),
            plan: Plan {
                over: config.over.iter().map(|(_, over)| millis(*over)).collect(),
                late: millis(config.late),
                distinct,
            },
        }
    }

    /// Says what of an event is counted, if it is.
    fn counted(
        &self,
        name: &str,
        decision: &mut Decision,
        at: i64,
        evaluator: &mut Evaluator,
    ) -> Result<Option<Counted>, Error> {
        let wrong = |reason: String| Error::poison(Stage::Enrich, Code::WINDOW_VALUE, format!("`{name}`: {reason}"));
        let record = &mut decision.record;
        if let Some(when) = &self.when
            && !when.holds(record, evaluator).map_err(wrong)?
        {
            return Ok(None);
        }
        let worth = match &self.value {
            None => Worth::Nothing,
            Some(value) => match &*value.eval(record, evaluator).map_err(wrong)? {
                Value::Null => return Ok(None),
                Value::Integer(number) => Worth::Number(*number as f64),
                Value::Float(number) if number.is_finite() => Worth::Number(number.into_inner()),
                value => match value.to_str().filter(|text| text.len() <= LONGEST) {
                    Some(text) => Worth::Text((*text).into()),
                    None => {
                        let found = crate::types::describe(value);
                        return Err(wrong(format!("{found} is neither a finite number nor a short text")));
                    }
                },
            },
        };
        let value = if self.plan.distinct { digest(&worth) } else { 0 };
        Ok(Some(Counted { at, id: start(&decision.id), worth, value }))
    }

    fn values(&self, history: &History, ask: &Ask) -> Vec<Value> {
        let sum = |number| history.at(&self.plan, number, ask.at, Some(ask.id));
        let sums: Vec<Sum> = (0..self.plan.over.len()).map(sum).collect();
        self.fields.iter().map(|(number, give)| given(&sums[*number], *give)).collect()
    }
}

fn given(sum: &Sum, give: Give) -> Value {
    let Sum { sums, last, distinct } = sum;
    let some = |number: f64| if sums.count == 0 { Value::Null } else { Value::from_f64_or_zero(number) };
    let count = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    match give {
        Give::Count => count(sums.count),
        Give::Sum => Value::from_f64_or_zero(sums.sum),
        Give::Mean => some(sums.sum / sums.count as f64),
        Give::Min => some(sums.min),
        Give::Max => some(sums.max),
        Give::Distinct => count(*distinct),
        Give::Last => match last {
            Some(Worth::Number(number)) => Value::from_f64_or_zero(*number),
            Some(Worth::Text(text)) => Value::from(&**text),
            Some(Worth::Nothing) | None => Value::Null,
        },
    }
}

/// A window's part of a batch: what it has under each key, and what the events add.
pub(crate) struct Advanced {
    /// The lookup's place.
    pub lookup: usize,
    pub keys: Vec<Advancing>,
}

/// What a window has under one key.
pub(crate) struct Advancing {
    pub key: Key,
    version: Option<u64>,
    before: History,
    after: History,
    asks: Vec<Ask>,
}

/// An event that sees a window and may be counted in it.
struct Ask {
    decision: usize,
    at: i64,
    id: u64,
    counted: Option<(Counted, Option<Position>)>,
    /// Whether anything was ever counted before it.
    found: bool,
    sees: Vec<Value>,
}

impl Advancing {
    /// Takes what the store has; none where it cannot be understood.
    fn new(window: &Window, key: Key, item: Option<&Item>) -> Option<Advancing> {
        let before = match item {
            None => History::new(&window.plan),
            Some(item) => read(window, item)?,
        };
        let version = item.map(|item| item.version);
        Some(Advancing { key, version, after: before.clone(), before, asks: Vec::new() })
    }

    /// Lets each event see what came before it, and counts it.
    fn advance(&mut self, window: &Window) {
        for ask in &mut self.asks {
            ask.found = !self.after.is_empty();
            ask.sees = window.values(&self.after, ask);
            if let Some((counted, position)) = &ask.counted {
                self.after.count(&window.plan, counted.clone(), position.as_ref());
            }
        }
    }

    /// Makes what is to be written, now that it is known which events count; none where nothing does.
    pub fn put(&self, window: &Window, now: DateTime<Utc>, counts: impl Fn(usize) -> bool) -> Option<Put> {
        let mut adding = self.asks.iter().filter(|ask| ask.counted.is_some());
        if adding.clone().all(|ask| counts(ask.decision)) {
            adding.next()?;
            return (self.after != self.before).then(|| self.written(window, &self.after, self.version, now));
        }
        self.merged(window, self.before.clone(), self.version, now, counts)
    }

    /// Makes what is to be written instead of what somebody else wrote; none where all is counted there already.
    pub fn merge(
        &self,
        window: &Window,
        item: Option<&Item>,
        now: DateTime<Utc>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Put> {
        let current = match item {
            None => History::new(&window.plan),
            // What cannot be understood is left as it is: the next batch says so.
            Some(item) => read(window, item)?,
        };
        self.merged(window, current, item.map(|item| item.version), now, counts)
    }

    fn merged(
        &self,
        window: &Window,
        mut history: History,
        version: Option<u64>,
        now: DateTime<Utc>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Put> {
        let mut news = false;
        for ask in self.asks.iter().filter(|ask| counts(ask.decision)) {
            if let Some((counted, position)) = &ask.counted {
                news |= history.count(&window.plan, counted.clone(), position.as_ref());
            }
        }
        news.then(|| self.written(window, &history, version, now))
    }

    fn written(&self, window: &Window, history: &History, version: Option<u64>, now: DateTime<Utc>) -> Put {
        let longest = window.plan.over.iter().copied().max().unwrap_or(0).saturating_add(window.plan.late);
        let covered = TimeDelta::try_milliseconds(longest).unwrap_or(TimeDelta::zero());
        Put {
            key: self.key.clone(),
            value: Value::Bytes(write(history).into()),
            condition: version.map_or(Condition::Absent, Condition::Version),
            expires: now.checked_add_signed(covered + KEEP),
        }
    }

    /// Returns the events that count.
    pub fn counting(&self) -> impl Iterator<Item = usize> {
        self.asks.iter().filter(|ask| ask.counted.is_some()).map(|ask| ask.decision)
    }
}

fn write(history: &History) -> Vec<u8> {
    // Numbers and short texts into memory: this cannot fail.
    postcard::to_extend(history, vec![FORM]).unwrap_or_default()
}

fn read(window: &Window, item: &Item) -> Option<History> {
    history(&item.value).map(|history| history.fit(&window.plan))
}

fn history(value: &Value) -> Option<History> {
    let Value::Bytes(bytes) = value else { return None };
    let (&FORM, rest) = bytes.split_first()? else { return None };
    postcard::from_bytes(rest).ok().filter(History::is_sound)
}

/// Shows what is kept for a window; none where it cannot be understood.
pub(crate) fn shown(value: &Value) -> Option<serde_json::Value> {
    history(value).map(|history| history.shown())
}

/// Returns the first 64 bits of a decision's id.
fn start(id: &str) -> u64 {
    id.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
