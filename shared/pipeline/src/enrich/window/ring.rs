//! Sums by sixtieths of a duration.

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
}

impl Ring {
    /// How many buckets a duration has.
    pub const BUCKETS: i64 = 60;
    /// The most that are kept: more than a duration's where events go into buckets before they are old.
    const MOST: usize = 240;

    /// Adds to a bucket, and lets go of those that no event from that bucket on sees.
    pub fn add(&mut self, bucket: i64, from: i64, worth: &Worth) {
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
        self.buckets[place].1.add(worth);
    }

    /// Returns how many buckets hold something.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Adds up what an event in that bucket sees, of its own bucket too where all there is before it.
    pub fn sum(&self, now: i64, with_own: bool) -> Sums {
        let mut sum = Sums::default();
        let last = if with_own { now } else { now - 1 };
        let seen = self.buckets.iter().filter(|(number, _)| *number <= last && *number > now - Ring::BUCKETS);
        seen.for_each(|(_, sums)| sum.merge(sums));
        sum
    }
}
