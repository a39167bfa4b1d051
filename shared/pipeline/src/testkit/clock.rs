//! A clock that a test moves by hand.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// Stands still until [`HandClock::advance`].
///
/// It starts at the system's time, in whole seconds, so that a service with an eye of its own on expiry (DynamoDB's
/// TTL, Redis' `EXPIREAT`) does not take everything for long expired.
#[derive(Clone, Debug)]
pub struct HandClock(Arc<Mutex<DateTime<Utc>>>);

impl HandClock {
    /// Returns the clock to hand to what is tested.
    pub fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::from_fn(move || hands.now())
    }

    /// Returns where it stands.
    pub fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Default for HandClock {
    fn default() -> HandClock {
        let now = Utc::now();
        HandClock(Arc::new(Mutex::new(DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now))))
    }
}
