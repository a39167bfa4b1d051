//! Connections kept open between calls, to one target.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{at_once::AT_ONCE, connect::Connection};

/// Below what servers wait before they close (60 s and more), so that seldom a request meets a closing connection. By wall
/// clock: a process that was frozen must not trust the time it slept through.
const IDLE: TimeDelta = TimeDelta::seconds(50);

/// Holds connections that wait for a request.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<(DateTime<Utc>, Connection)>>);

impl Pool {
    /// Takes the connection that was used last, if there is one that can still be used.
    pub(super) fn take(&self, now: DateTime<Utc>) -> Option<Connection> {
        let mut idle = self.lock();
        idle.retain(|(since, connection)| !connection.is_closed() && fresh(*since, now));
        idle.pop().map(|(_, connection)| connection)
    }

    /// Keeps a connection for later, or drops it if there are enough.
    pub(super) fn keep(&self, connection: Connection, now: DateTime<Utc>) {
        let mut idle = self.lock();
        if idle.len() < AT_ONCE {
            idle.push((now, connection));
        }
    }

    /// A panic while holding the lock leaves a list that is still sound.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(DateTime<Utc>, Connection)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    // A clock that went back tells nothing.
    (TimeDelta::zero()..IDLE).contains(&now.signed_duration_since(since))
}
