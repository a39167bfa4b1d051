//! Connections kept open between calls, and over the times a platform freezes the process. Knows no protocol: adapters
//! make the connections, and say whether one has ended.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// Below what servers wait before they close (60 s and more), so that seldom a request meets a closing connection. By wall
/// clock: a process that was frozen must not trust the time it slept through.
const IDLE: TimeDelta = TimeDelta::seconds(50);

/// A connection that can be kept.
pub trait Connection: Send + 'static {
    /// Tells whether the other side has ended it, as far as this machine knows now: asked of the socket, not of what a task
    /// that was frozen saw last.
    fn is_over(&self) -> bool;
}

/// Holds connections to one place that wait for a request.
pub struct Pool<C> {
    idle: Mutex<Vec<(DateTime<Utc>, C)>>,
    most: usize,
    clock: Clock,
}

impl<C: Connection> Pool<C> {
    /// Makes an empty pool that keeps at most so many.
    pub fn new(most: usize, clock: Clock) -> Arc<Pool<C>> {
        let pool = Arc::new(Pool { idle: Mutex::default(), most, clock });
        let thaws: Arc<dyn Thaw> = pool.clone();
        let mut pools = lock(&POOLS);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&thaws));
        pool
    }

    /// Takes the connection that was used last, of those that can still be used.
    pub fn take(&self) -> Option<C> {
        let now = self.clock.now();
        let mut idle = lock(&self.idle);
        while let Some((since, connection)) = idle.pop() {
            if is_fresh(since, now) && !connection.is_over() {
                return Some(connection);
            }
            ended();
        }
        None
    }

    /// Keeps a connection for later, or drops it if there are enough.
    pub fn keep(&self, connection: C) {
        let mut idle = lock(&self.idle);
        if idle.len() < self.most {
            idle.push((self.clock.now(), connection));
        }
    }

    /// Drops all that wait: where one did not answer, the path to the others may be lost too.
    pub fn clear(&self) {
        lock(&self.idle).clear();
    }

    /// Tells whether none waits.
    pub fn is_empty(&self) -> bool {
        lock(&self.idle).is_empty()
    }
}

impl<C> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool of {}", lock(&self.idle).len())
    }
}

fn is_fresh(since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    // A clock that went back tells nothing.
    (TimeDelta::zero()..IDLE).contains(&now.signed_duration_since(since))
}

/// Looks at every connection that waits, in all pools of the process, and drops those that ended while it was frozen. For
/// the start of an invocation: what is dropped now is not met by a call that cannot be repeated.
pub fn thaw() {
    let pools: Vec<Arc<dyn Thaw>> = lock(&POOLS).iter().filter_map(Weak::upgrade).collect();
    pools.iter().for_each(|pool| pool.thaw());
}

/// What became of the connections of this process, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// New ones: a handshake each.
    pub opened: u64,
    /// Kept ones that were used again.
    pub reused: u64,
    /// Requests on either.
    pub requests: u64,
    /// Kept ones that were dropped instead, as the other side had ended them, or as they had waited too long.
    pub thawed: u64,
}

/// Returns what became of the process's connections.
pub fn connections() -> Connections {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Connections { opened: read(&OPENED), reused: read(&REUSED), requests: read(&REQUESTS), thawed: read(&THAWED) }
}

/// Counts a new connection.
pub fn opened() {
    OPENED.fetch_add(1, Ordering::Relaxed);
}

/// Counts a kept connection that is used again.
pub fn reused() {
    REUSED.fetch_add(1, Ordering::Relaxed);
}

/// Counts a request.
pub fn requested() {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
}

/// Counts a connection that was taken from a pool, and then found to be over.
pub fn ended() {
    THAWED.fetch_add(1, Ordering::Relaxed);
}

static OPENED: AtomicU64 = AtomicU64::new(0);
static REUSED: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static THAWED: AtomicU64 = AtomicU64::new(0);

/// Every pool of the process: a freeze concerns them all.
static POOLS: Mutex<Vec<Weak<dyn Thaw>>> = Mutex::new(Vec::new());

trait Thaw: Send + Sync {
    /// Drops what has ended or waited too long.
    fn thaw(&self);
}

impl<C: Connection> Thaw for Pool<C> {
    fn thaw(&self) {
        let now = self.clock.now();
        let mut idle = lock(&self.idle);
        let before = idle.len();
        idle.retain(|(since, connection)| is_fresh(*since, now) && !connection.is_over());
        THAWED.fetch_add((before - idle.len()) as u64, Ordering::Relaxed);
    }
}

/// A panic while holding a lock leaves a list that is still sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
