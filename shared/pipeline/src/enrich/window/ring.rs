//! Sums by sixtieths of a duration.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::history::Worth;

/// What values add up to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
}

impl Default for Sums {
    fn default() -> Sums {
        Sums { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Sums {
    pub fn add(&mut self, worth: &Worth) {
        self.count = self.count.saturating_add(1);
        if let Worth::Number(number) = worth {
            self.sum += number;
            self.min = self.min.min(*number);
            self.max = self.max.max(*number);
        }
    }

    fn merge(&mut self, other: &Sums) {
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// The buckets of one duration that hold something, by ascending number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ring {
    buckets: Vec<(i64, Sums)>,
    /// What of the bucket of the latest time is before that time.
    early: Sums,
}

/// What an event sees of its own bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Whole,
    /// What is before the latest time there.
    Early,
    Nothing,
}

impl Ring {
    /// How many buckets a duration has.
    pub const BUCKETS: i64 = 60;
    /// The most that are kept: more than a duration's where events go into buckets before they are old.
    const MOST: usize = 240;

    /// Adds to a bucket, and lets go of those that no event from that bucket on sees. `order` tells whether the event is behind
    /// the latest one there is.
    pub fn add(&mut self, bucket: i64, from: i64, worth: &Worth, order: Ordering) {
        let first = from.saturating_sub(Ring::BUCKETS);
        let gone = self.buckets.partition_point(|(number, _)| *number <= first);
        self.buckets.drain(..gone.max(self.buckets.len().saturating_sub(Ring::MOST)));
        if bucket <= first {
            return;
        }
        let place = self.buckets.partition_point(|(number, _)| *number < bucket);
        if self.buckets.get(place).is_none_or(|(number, _)| *number != bucket) {
            self.buckets.insert(place, (bucket, Sums::default()));
        }
        match order {
            Ordering::Greater => self.early = self.buckets[place].1,
            Ordering::Less if self.buckets.last().is_some_and(|(number, _)| *number == bucket) => self.early.add(worth),
            Ordering::Less | Ordering::Equal => {}
        }
        self.buckets[place].1.add(worth);
    }

    /// Returns how many buckets hold something.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Adds up what an event in that bucket sees.
    pub fn sum(&self, now: i64, own: Own) -> Sums {
        let mut sum = if own == Own::Early { self.early } else { Sums::default() };
        let last = if own == Own::Whole { now } else { now - 1 };
        let seen = self.buckets.iter().filter(|(number, _)| *number <= last && *number > now - Ring::BUCKETS);
        seen.for_each(|(_, sums)| sum.merge(sums));
        sum
    }
}
