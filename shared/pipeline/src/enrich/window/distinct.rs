//! How many different values: exactly up to a thousand, then by HyperLogLog (Flajolet et al. 2007), a sketch per sixtieth of a
//! duration. The error of a sketch is about 3 %.

use serde::{Deserialize, Serialize};

use super::{
    history::{Counted, Plan, Worth},
    ring::Ring,
};
use crate::identity::digest64;

/// The most values that are counted exactly.
const EXACT: usize = 1_000;
/// Registers of a sketch, a power of two.
const REGISTERS: usize = 1 << BITS;
const BITS: u32 = 10;
/// The most sketches of one duration.
const MOST: usize = Ring::BUCKETS as usize + 1;

/// Sketches by the number of their bucket.
type Buckets = Vec<(i64, Box<[u8]>)>;

/// The values that are in buckets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Distinct {
    /// Digests of the values, in order, each with the time it was seen last.
    Exact(Vec<(u64, i64)>),
    /// By duration, the buckets that hold something, by ascending number.
    Sketched(Vec<Buckets>),
}

impl Default for Distinct {
    fn default() -> Distinct {
        Distinct::Exact(Vec::new())
    }
}

impl Distinct {
    /// Takes in an event that goes into the buckets. Nobody sees values from before `oldest` any more.
    pub fn add(&mut self, plan: &Plan, event: &Counted, oldest: i64) {
        let value = event.value;
        match self {
            Distinct::Exact(values) => {
                match values.binary_search_by_key(&value, |(value, _)| *value) {
                    Ok(place) => values[place].1 = values[place].1.max(event.at),
                    Err(place) => values.insert(place, (value, event.at)),
                }
                if values.len() > EXACT {
                    values.retain(|(_, at)| *at >= oldest);
                }
                if values.len() > EXACT {
                    let mut sketches: Vec<Buckets> = plan.over.iter().map(|_| Vec::new()).collect();
                    values.iter().for_each(|(value, at)| sketch(plan, &mut sketches, *value, *at));
                    *self = Distinct::Sketched(sketches);
                }
            }
            Distinct::Sketched(sketches) => {
                sketch(plan, sketches, value, event.at);
            }
        }
    }

    /// Tells whether it is what this version writes: a sketch has so many registers.
    pub fn is_sound(&self) -> bool {
        match self {
            Distinct::Exact(_) => true,
            Distinct::Sketched(sketches) => {
                sketches.iter().flatten().all(|(_, registers)| registers.len() == REGISTERS)
            }
        }
    }

    /// Makes what another plan left fit: `kept` tells, by duration, which one of that plan it was.
    pub fn fit(self, kept: &[Option<usize>]) -> Distinct {
        match self {
            Distinct::Exact(values) => Distinct::Exact(values),
            Distinct::Sketched(mut sketches) => {
                let mut take = |place: usize| sketches.get_mut(place).map(std::mem::take).unwrap_or_default();
                Distinct::Sketched(kept.iter().map(|place| place.map(&mut take).unwrap_or_default()).collect())
            }
        }
    }

    /// Counts the different values of a duration's buckets and of the events behind them. `now` is the asking
    /// event's bucket.
    pub fn count<'t>(
        &self,
        number: usize,
        now: i64,
        with_own: bool,
        seen: impl Fn(i64) -> bool,
        tail: impl Iterator<Item = &'t Counted>,
    ) -> u64 {
        match self {
            Distinct::Exact(values) => {
                let folded = values.iter().filter(|(_, at)| seen(*at)).count();
                let known = |value: &u64| {
                    let place = values.binary_search_by_key(value, |(value, _)| *value);
                    place.is_ok_and(|place| seen(values[place].1))
                };
                let mut new: Vec<u64> = tail.map(|counted| counted.value).collect();
                new.sort_unstable();
                new.dedup();
                (folded + new.iter().filter(|value| !known(value)).count()) as u64
            }
            Distinct::Sketched(sketches) => {
                let mut registers = [0; REGISTERS];
                let buckets = sketches.get(number).into_iter().flatten();
                let seen =
                    buckets.filter(|(bucket, _)| *bucket < now + i64::from(with_own) && *bucket > now - Ring::BUCKETS);
                for (_, bucket) in seen {
                    registers.iter_mut().zip(bucket).for_each(|(all, one)| *all = (*all).max(*one));
                }
                tail.for_each(|counted| register(&mut registers, counted.value));
                estimate(&registers)
            }
        }
    }
}

/// Puts a value into the sketch of its bucket, for each duration.
fn sketch(plan: &Plan, sketches: &mut [Buckets], value: u64, at: i64) {
    for (buckets, over) in sketches.iter_mut().zip(&plan.over) {
        let bucket = at.div_euclid(Plan::width(*over));
        let place = buckets.partition_point(|(number, _)| *number < bucket);
        if buckets.get(place).is_none_or(|(number, _)| *number != bucket) {
            buckets.insert(place, (bucket, vec![0; REGISTERS].into()));
        }
        register(&mut buckets[place].1, value);
        // Sketches are large: only as many are kept as a duration has.
        buckets.drain(..buckets.len().saturating_sub(MOST));
    }
}

/// Notes how many zeros follow the bits that choose the register.
fn register(registers: &mut [u8], value: u64) {
    let place = (value >> (u64::BITS - BITS)) as usize;
    let zeros = ((value << BITS) | 1 << (BITS - 1)).leading_zeros() as u8 + 1;
    registers[place] = registers[place].max(zeros);
}

fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    let m = REGISTERS as f64;
    let alpha = 0.7213 / (1.0 + 1.079 / m);
    let raw = alpha * m * m / registers.iter().map(|zeros| 0.5_f64.powi(i32::from(*zeros))).sum::<f64>();
    let empty = registers.iter().filter(|zeros| **zeros == 0).count();
    // Few values are counted better by the registers they leave empty.
    let count = if raw <= 2.5 * m && empty > 0 { m * (m / empty as f64).ln() } else { raw };
    count.round() as u64
}

/// Returns 64 bits that stand for a value, the same on every machine.
pub(super) fn digest(worth: &Worth) -> u64 {
    match worth {
        Worth::Nothing => 0,
        // Zero has two forms.
        Worth::Number(number) => digest64(&[b"number", &(number + 0.0).to_bits().to_be_bytes()]),
        Worth::Text(text) => digest64(&[b"text", text.as_bytes()]),
    }
}
