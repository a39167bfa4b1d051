//! What a window keeps under one key: the latest events one by one, those before them in buckets.
//!
//! An event at time `t` sees, of a duration, the events before `t` (strictly) whose sixtieth of the duration is at most 59
//! before that of `t`: `floor(time / w) > floor(t / w) - 60` with `w` a sixtieth. That does not depend on the order in which
//! events came, as long as none is later than `late`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    distinct::{Distinct, digest},
    ring::{Own, Ring, Sums},
};
use crate::state::shown::{duration, millis};

/// The most events that are kept one by one, and the most bytes of text they hold.
const TAIL: usize = 1_000;
const TEXT: usize = 32 << 10;
/// The most groups whose place is kept.
const GROUPS: usize = 64;
/// The most durations: those of the window, and of another version of it that counts beside this one.
const RINGS: usize = 8;

/// What of an event is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Worth {
    /// That it was there.
    Nothing,
    Number(f64),
    Text(Box<str>),
}

/// An event that is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Counted {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The beginning of its decision's id.
    pub id: u64,
    pub worth: Worth,
    /// A digest of it, where different ones are counted.
    pub value: u64,
}

/// Where in a group, which is delivered in order, an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// A digest of the group's name.
    pub group: u64,
    /// A whole number in digits.
    pub number: Box<str>,
}

/// The furthest place of a group that is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reached {
    group: u64,
    number: Box<str>,
    /// The time of its latest event.
    at: i64,
}

/// What windows keep; which of it is needed depends on what they give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    /// The greatest time of an event.
    newest: i64,
    /// Ordered by time; those of one time in the order they came.
    tail: Vec<Counted>,
    /// The greatest time of an event that is in buckets, and what it was worth.
    folded: Option<(i64, Worth)>,
    /// The same of the time before that.
    before: Option<(i64, Worth)>,
    reached: Vec<Reached>,
    /// By duration, in milliseconds.
    rings: Vec<(i64, Ring)>,
    distinct: Option<Distinct>,
}

/// What a history needs to know of its window.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Milliseconds.
    pub over: Vec<i64>,
    pub late: i64,
    pub distinct: bool,
}

impl Plan {
    /// Returns the width of a duration's buckets, in milliseconds.
    pub fn width(over: i64) -> i64 {
        (over + Ring::BUCKETS - 1) / Ring::BUCKETS
    }

    /// Returns how far back an event sees at most: the first bucket of a duration may begin a little earlier.
    fn farthest(&self) -> i64 {
        self.over.iter().map(|over| over + Plan::width(*over)).max().unwrap_or(0)
    }
}

/// What one duration comes to, for one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sum {
    pub sums: Sums,
    pub last: Option<Worth>,
    pub distinct: u64,
}

impl History {
    /// Starts with nothing.
    pub fn new(plan: &Plan) -> History {
        History {
            newest: i64::MIN,
            tail: Vec::new(),
            folded: None,
            before: None,
            reached: Vec::new(),
            rings: plan.over.iter().map(|over| (*over, Ring::default())).collect(),
            distinct: plan.distinct.then(Distinct::default),
        }
    }

    /// Makes what another version of the window left fit this one: a duration that is new starts with the latest events alone.
    pub fn fit(mut self, plan: &Plan) -> History {
        let known = |over: &i64| self.rings.iter().position(|(known, _)| known == over);
        let kept: Vec<Option<usize>> = plan.over.iter().map(known).collect();
        let ring = |place: &Option<usize>| place.map(|place| self.rings[place].1.clone()).unwrap_or_default();
        let mut rings: Vec<(i64, Ring)> = plan.over.iter().copied().zip(kept.iter().map(ring)).collect();
        rings.extend(self.rings.into_iter().filter(|(over, _)| !plan.over.contains(over)));
        rings.truncate(RINGS);
        self.rings = rings;
        if plan.distinct && self.distinct.is_none() {
            self.tail.iter_mut().for_each(|counted| counted.value = digest(&counted.worth));
        }
        self.distinct = plan.distinct.then(|| self.distinct.unwrap_or_default().fit(&kept));
        self
    }

    /// Tells whether it is what this version writes.
    pub fn is_sound(&self) -> bool {
        let widths = self.rings.iter().all(|(over, _)| *over > 0);
        widths && self.distinct.as_ref().is_none_or(Distinct::is_sound)
    }

    /// Tells whether anything was ever counted.
    pub fn is_empty(&self) -> bool {
        self.newest == i64::MIN
    }

    /// Counts an event, if it is not counted already; tells whether it was not.
    pub fn count(&mut self, plan: &Plan, event: Counted, position: Option<&Position>) -> bool {
        if self.has(&event, position) {
            return false;
        }
        if let Some(position) = position {
            self.reach(position, event.at);
        }
        self.newest = self.newest.max(event.at);
        if self.folded.as_ref().is_some_and(|(folded, _)| event.at <= *folded) {
            self.fold(plan, event);
        } else {
            let place = self.tail.partition_point(|before| before.at <= event.at);
            self.tail.insert(place, event);
        }
        self.fold_old(plan);
        true
    }

    /// Tells whether an event is counted. All that are younger than the buckets are known by their id. Of older ones the order
    /// of their group tells; without one it cannot be known.
    fn has(&self, event: &Counted, position: Option<&Position>) -> bool {
        if self.tail.iter().any(|known| known.id == event.id) {
            return true;
        }
        let may_be_folded = self.folded.as_ref().is_some_and(|(folded, _)| event.at <= *folded);
        may_be_folded
            && position.is_some_and(|position| {
                let reached = self.reached.iter().find(|reached| reached.group == position.group);
                reached.is_some_and(|reached| !is_less(&reached.number, &position.number))
            })
    }

    fn reach(&mut self, position: &Position, at: i64) {
        match self.reached.iter_mut().find(|reached| reached.group == position.group) {
            Some(reached) => {
                if is_less(&reached.number, &position.number) {
                    reached.number.clone_from(&position.number);
                }
                reached.at = reached.at.max(at);
            }
            None => self.reached.push(Reached { group: position.group, number: position.number.clone(), at }),
        }
        if self.reached.len() > GROUPS
            && let Some(oldest) = (0..self.reached.len()).min_by_key(|place| self.reached[*place].at)
        {
            self.reached.swap_remove(oldest);
        }
    }

    /// Puts events into buckets that are too old, or too many.
    fn fold_old(&mut self, plan: &Plan) {
        let mut text: usize = self.tail.iter().map(|counted| counted.worth.size()).sum();
        let old = self.newest.saturating_sub(plan.late);
        let mut fold = 0;
        for counted in &self.tail {
            let left = self.tail.len() - fold;
            if counted.at >= old && left <= TAIL && text <= TEXT {
                break;
            }
            text -= counted.worth.size();
            fold += 1;
        }
        let old: Vec<Counted> = self.tail.drain(..fold).collect();
        old.into_iter().for_each(|counted| self.fold(plan, counted));
    }

    fn fold(&mut self, plan: &Plan, event: Counted) {
        let folded = self.folded.as_ref().map(|(at, _)| *at);
        // All that may still ask with all rights are younger.
        let asking = self.newest.saturating_sub(plan.late);
        for (over, ring) in &mut self.rings {
            let bucket = |time: i64| time.div_euclid(Plan::width(*over));
            let order = folded.map_or(Ordering::Greater, |folded| event.at.cmp(&folded));
            ring.add(bucket(event.at), bucket(asking), &event.worth, order);
        }
        if let Some(distinct) = &mut self.distinct {
            distinct.add(plan, &event, asking.saturating_sub(plan.farthest()));
        }
        if folded.is_none_or(|folded| folded < event.at) {
            self.before = self.folded.take();
        }
        if folded.is_none_or(|folded| folded <= event.at) {
            self.folded = Some((event.at, event.worth));
        } else if self.before.as_ref().is_none_or(|(before, _)| *before <= event.at) {
            self.before = Some((event.at, event.worth));
        }
    }

    /// Returns what a duration comes to for an event at that time, which does not see itself.
    pub fn at(&self, plan: &Plan, number: usize, at: i64, itself: Option<u64>) -> Sum {
        let over = plan.over[number];
        let width = Plan::width(over);
        let now = at.div_euclid(width);
        let seen = |time: i64| time < at && time.div_euclid(width) > now - Ring::BUCKETS;
        // Of a bucket that holds what is not before the event only what is known to be before it counts.
        let own = match self.folded.as_ref().map_or(Ordering::Less, |(folded, _)| folded.cmp(&at)) {
            Ordering::Less => Own::Whole,
            Ordering::Equal => Own::Early,
            Ordering::Greater => Own::Nothing,
        };
        let mut sum = Sum { sums: self.rings[number].1.sum(now, own), ..Sum::default() };
        let last = self.folded.iter().chain(&self.before).find(|(folded, _)| *folded < at);
        if let Some((_, worth)) = last.filter(|(folded, _)| seen(*folded)) {
            sum.last = Some(worth.clone());
        }
        let end = self.tail.partition_point(|counted| counted.at < at);
        let start = self.tail[..end].partition_point(|counted| !seen(counted.at));
        let tail = &self.tail[start..end];
        for counted in tail.iter().filter(|counted| Some(counted.id) != itself) {
            sum.sums.add(&counted.worth);
        }
        if let Some(last) = tail.iter().rfind(|counted| Some(counted.id) != itself) {
            sum.last = Some(last.worth.clone());
        }
        if let Some(distinct) = &self.distinct {
            sum.distinct = distinct.count(
                number,
                now,
                own == Own::Whole,
                seen,
                tail.iter().filter(|counted| Some(counted.id) != itself),
            );
        }
        sum
    }

    /// Shows what is kept, and what an event right behind the newest one would see of each duration.
    pub fn shown(&self) -> serde_json::Value {
        let over: Vec<i64> = self.rings.iter().map(|(over, _)| *over).collect();
        let plan = Plan { over, late: 0, distinct: self.distinct.is_some() };
        let durations = self.rings.iter().enumerate().map(|(number, (over, ring))| {
            let Sum { sums, last, distinct } = self.at(&plan, number, self.newest.saturating_add(1), None);
            json!({
                "over": duration(over.unsigned_abs()),
                "buckets": ring.len(),
                "count": sums.count,
                "sum": sums.sum,
                // What is not finite is null.
                "min": sums.min,
                "max": sums.max,
                "last": last.as_ref().map(Worth::shown),
                "distinct": self.distinct.as_ref().map(|_| distinct),
            })
        });
        json!({
            "newest": millis(self.newest),
            "one_by_one": self.tail.len(),
            "durations": durations.collect::<Vec<_>>(),
        })
    }
}

impl Worth {
    fn shown(&self) -> serde_json::Value {
        match self {
            Worth::Nothing => serde_json::Value::Null,
            Worth::Number(number) => json!(number),
            Worth::Text(text) => json!(text),
        }
    }

    fn size(&self) -> usize {
        match self {
            Worth::Text(text) => text.len(),
            Worth::Nothing | Worth::Number(_) => 0,
        }
    }
}

/// Compares whole numbers in digits, which may be longer than any integer type.
fn is_less(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    (one.len(), one) < (other.len(), other)
}
