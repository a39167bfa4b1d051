//! What one seed stands for: the events that are delivered, in which batches, and where the process is killed.

use std::{collections::HashSet, ops::Range};

use bytes::Bytes;
use fourstroke::event::{Decoded, Event};
use serde_json::json;

use crate::points::Point;

/// One delivery of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delivery {
    pub id: u64,
    /// Whether the pipeline, in its first version, acts on it.
    pub acts: bool,
    pub customer: u64,
}

impl Delivery {
    pub fn event_id(&self) -> String {
        format!("e{}", self.id)
    }

    /// Tells whether a version of the pipeline acts on it: the second one leaves some out.
    pub fn acts_in(&self, version: i64) -> bool {
        self.acts && (version == 1 || Delivery::kept(self.id))
    }

    /// Tells whether the second version acts on what the first one does.
    pub fn kept(n: u64) -> bool {
        !n.is_multiple_of(4)
    }

    /// Makes the event, the same ones at each delivery.
    pub fn event(&self) -> Decoded {
        let customer = format!("c{}", self.customer);
        let body = json!({ "id": self.event_id(), "n": self.id, "acts": self.acts, "customer": customer });
        Event::new(self.event_id(), Bytes::from(body.to_string())).into()
    }
}

/// The deliveries of one seed, and the moment of the kill.
#[derive(Debug)]
pub struct Plan {
    pub deliveries: Vec<Delivery>,
    /// How many deliveries make a batch.
    pub batch: usize,
    /// Which call of its kind is hit, from 1; of [`Point::Sent`], which request.
    pub call: usize,
    /// Of [`Point::MidBatch`], how many items of the call get through.
    pub through: usize,
    /// The batch that is hit, from 0.
    pub hit: usize,
    /// Which version of the pipeline the process has that comes after the kill.
    pub second_version: i64,
}

impl Plan {
    /// Draws what a seed stands for at a point.
    pub fn draw(point: Point, seed: u64) -> Plan {
        let mut dice = Dice(seed + ((point as u64) << 32));
        loop {
            let deliveries = deliveries(&mut dice);
            let batch = dice.draw(1..9) as usize;
            let plan = Plan { deliveries, batch, call: 0, through: 0, hit: 0, second_version: 1 + seed as i64 % 2 };
            if let Some(plan) = plan.aimed(point, &mut dice) {
                return plan;
            }
        }
    }

    /// Chooses what is hit; none where the point is not reached.
    fn aimed(mut self, point: Point, dice: &mut Dice) -> Option<Plan> {
        let news: Vec<usize> = self.news().iter().map(Vec::len).collect();
        let puts: Vec<bool> =
            self.deliveries.chunks(self.batch).map(|batch| batch.iter().any(|one| one.acts)).collect();
        // The batches that make such a call, and those of them that may be hit.
        let calls: Vec<usize> = (0..news.len())
            .filter(|place| match point {
                Point::BeforeIntent | Point::AfterIntent => puts[*place],
                Point::Sent | Point::Answered | Point::MidBatch | Point::Marked => news[*place] > 0,
            })
            .collect();
        let fit = |batch: usize| point != Point::MidBatch || news[batch] > 1;
        let fitting: Vec<usize> = (0..calls.len()).filter(|nth| fit(calls[*nth])).collect();
        let nth = *fitting.get(dice.draw(0..fitting.len().max(1) as u64) as usize)?;
        self.hit = calls[nth];
        self.call = nth + 1;
        let here = news[self.hit] as u64;
        if point == Point::Sent {
            self.call = news[..self.hit].iter().sum::<usize>() + dice.draw(1..here + 1) as usize;
        } else if point == Point::MidBatch {
            self.through = dice.draw(1..here) as usize;
        }
        Some(self)
    }

    /// The events the first version acts on, by the batch they are first delivered in, in their order.
    pub fn news(&self) -> Vec<Vec<Delivery>> {
        let mut seen = HashSet::new();
        let mut news =
            |batch: &[Delivery]| batch.iter().filter(|one| one.acts && seen.insert(one.id)).copied().collect();
        self.deliveries.chunks(self.batch).map(&mut news).collect()
    }

    /// The events of which an intent was put before the process was killed.
    pub fn recorded(&self, point: Point) -> HashSet<u64> {
        let put = self.hit + usize::from(point != Point::BeforeIntent);
        self.news()[..put].iter().flatten().map(|one| one.id).collect()
    }

    /// The batches as the pipeline gets them.
    pub fn batches(&self) -> Vec<Vec<Decoded>> {
        self.deliveries.chunks(self.batch).map(|batch| batch.iter().map(Delivery::event).collect()).collect()
    }
}

/// From 1 to 30 deliveries: most are new events that act, some do not, some were delivered before.
fn deliveries(dice: &mut Dice) -> Vec<Delivery> {
    let count = dice.draw(1..31);
    let mut all: Vec<Delivery> = Vec::new();
    for id in 0..count {
        let again = !all.is_empty() && dice.draw(0..5) == 0;
        all.push(if again {
            all[dice.draw(0..all.len() as u64) as usize]
        } else {
            Delivery { id, acts: dice.draw(0..3) > 0, customer: dice.draw(0..6) }
        });
    }
    all
}

/// SplitMix64: all that a seed decides comes from here.
struct Dice(u64);

impl Dice {
    fn draw(&mut self, range: Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
    }
}
