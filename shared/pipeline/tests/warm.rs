//! Connections that are kept, and looked at after a freeze.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fourstroke::{
    testkit::HandClock,
    warm::{Connection, Pool, connections, thaw},
};

struct Line(u32, Arc<AtomicBool>);

impl Connection for Line {
    fn is_over(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
}

/// A pool that keeps two at most, three lines that were given to it, and its clock.
struct World {
    pool: Arc<Pool<Line>>,
    over: Vec<Arc<AtomicBool>>,
    clock: HandClock,
}

fn world() -> World {
    let clock = HandClock::default();
    let pool = Pool::new(2, clock.clock());
    let over: Vec<Arc<AtomicBool>> = (0..3).map(|_| Arc::default()).collect();
    over.iter().zip(1..).for_each(|(over, number)| pool.keep(Line(number, over.clone())));
    World { pool, over, clock }
}

#[test]
fn the_last_one_used_is_taken_and_no_more_are_kept_than_allowed() {
    let pool = world().pool;
    let taken: Vec<u32> = std::iter::from_fn(|| pool.take()).map(|line| line.0).collect();
    assert_eq!(taken, [2, 1]);
}

#[test]
fn what_ended_or_waited_too_long_is_dropped_at_the_thaw() {
    let World { pool, over, clock } = world();
    let before = connections().thawed;
    over[1].store(true, Ordering::Relaxed);
    thaw();
    assert_eq!(format!("{pool:?}"), "Pool of 1", "the one that ended is gone without being asked for");
    clock.advance(Duration::from_secs(50));
    thaw();
    assert!(pool.is_empty());
    assert!(connections().thawed >= before + 2);
}

#[test]
fn one_that_ended_is_never_taken() {
    let World { pool, over, .. } = world();
    over[1].store(true, Ordering::Relaxed);
    assert_eq!(pool.take().map(|line| line.0), Some(1));
    assert!(pool.take().is_none());
}
