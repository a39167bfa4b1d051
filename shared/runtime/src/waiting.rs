//! Decisions that wait for their outcome, bounded by number: no event's time can make the others be forgotten.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};

/// A decision whose outcome is not known yet: when it was made, and each model's bin.
pub(crate) struct Waiting {
    pub time: Option<DateTime<Utc>>,
    pub bins: Box<[Option<u16>]>,
}

/// Holds decisions by id; the oldest are forgotten when there are too many.
pub(crate) struct WaitingRoom {
    most: usize,
    by_id: HashMap<u128, (u64, Waiting)>,
    /// In the order they came, to forget the oldest; holds those that have left already, too.
    order: VecDeque<(u64, u128)>,
    /// Tells two decisions of the same id apart.
    turn: u64,
    forgotten: u64,
}

impl WaitingRoom {
    pub fn new(most: usize) -> WaitingRoom {
        WaitingRoom { most, by_id: HashMap::new(), order: VecDeque::new(), turn: 0, forgotten: 0 }
    }

    /// Lets a decision wait. One that was made again waits on from now.
    pub fn enter(&mut self, id: u128, waiting: Waiting) {
        self.turn += 1;
        self.by_id.insert(id, (self.turn, waiting));
        self.order.push_back((self.turn, id));
        while self.by_id.len() > self.most {
            let Some((turn, id)) = self.order.pop_front() else { return };
            if is_there(&self.by_id, turn, id) {
                self.by_id.remove(&id);
                self.forgotten += 1;
            }
        }
        // Half of it at least has left: what this costs was paid by those.
        if self.order.len() > self.most * 2 {
            self.order.retain(|(turn, id)| is_there(&self.by_id, *turn, *id));
        }
    }

    /// Takes a decision out, if it waits.
    pub fn leave(&mut self, id: u128) -> Option<Waiting> {
        self.by_id.remove(&id).map(|(_, waiting)| waiting)
    }

    /// Returns how many were never taken out: those that wait still, and those that were forgotten.
    pub fn never_left(&self) -> u64 {
        self.forgotten + self.by_id.len() as u64
    }
}

fn is_there(by_id: &HashMap<u128, (u64, Waiting)>, turn: u64, id: u128) -> bool {
    by_id.get(&id).is_some_and(|(current, _)| *current == turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(room: &mut WaitingRoom, id: u128) {
        room.enter(id, Waiting { time: None, bins: Box::new([None]) });
    }

    #[test]
    fn the_oldest_are_forgotten_and_counted() {
        let mut room = WaitingRoom::new(3);
        (0..5).for_each(|id| enter(&mut room, id));
        assert!((0..2).all(|id| room.leave(id).is_none()));
        assert_eq!(room.never_left(), 5);
        assert!((2..5).all(|id| room.leave(id).is_some()));
        assert_eq!(room.never_left(), 2);
    }

    #[test]
    fn those_that_have_left_push_nobody_out() {
        let mut room = WaitingRoom::new(3);
        enter(&mut room, 0);
        for id in 1..1_000 {
            enter(&mut room, id);
            assert!(room.leave(id).is_some());
            assert!(room.order.len() <= 6, "the order must stay bounded too");
        }
        assert!(room.leave(0).is_some());
        assert_eq!(room.never_left(), 0);
    }

    #[test]
    fn a_decision_made_again_waits_on_as_the_later_one() {
        let mut room = WaitingRoom::new(2);
        [0, 1, 0, 2].into_iter().for_each(|id| enter(&mut room, id));
        assert!(room.leave(1).is_none(), "it is the oldest");
        assert!(room.leave(0).is_some());
    }
}
