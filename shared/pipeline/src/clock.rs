//! The one clock: wall time for expiry and ages, monotonic time for deadlines. Nothing else asks the system.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use tokio::time::Instant;

/// Tells wall time. Injected, so that tests and `fourstroke test` can stand at a fixed moment.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// Follows the system's clock.
    pub fn system() -> Clock {
        Clock(Arc::new(Utc::now))
    }

    /// Stands still at one moment.
    pub fn fixed(at: DateTime<Utc>) -> Clock {
        Clock(Arc::new(move || at))
    }

    /// Asks a function, such as one a test moves forward.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    /// Returns the wall time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Returns a duration for arithmetic with dates: a thousand years at most, where that ends well.
pub(crate) fn span(duration: Duration) -> TimeDelta {
    const LONGEST: TimeDelta = TimeDelta::days(365_250);
    TimeDelta::from_std(duration).map_or(LONGEST, |span| span.min(LONGEST))
}

/// Waits that double each time up to a longest one, jittered so that those who wait do not come back all at once.
///
/// ```
/// use std::time::Duration;
/// let mut backoff = fourstroke::clock::Backoff::new(Duration::from_millis(20), Duration::from_secs(5));
/// assert!(backoff.delay() <= Duration::from_millis(20));
/// assert!(backoff.delay() <= Duration::from_millis(40));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts with a first and a longest wait.
    pub fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { next: first, longest }
    }

    /// Returns the next wait: between half of it and all of it.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next.mul_f64(rand::rng().random_range(0.5..1.0));
        self.next = (self.next * 2).min(self.longest);
        delay
    }
}

/// The monotonic moment by which a batch must be decided, and the grace behind it: what was done is written down until then, whatever
/// used up the time before.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Deadline {
    at: Instant,
    end: Instant,
}

impl Deadline {
    /// Sets a deadline that far from now, where nobody cuts a process off soon behind it.
    pub fn after(left: Duration) -> Deadline {
        const GRACE: Duration = Duration::from_secs(10);
        Deadline::with_grace(left, GRACE)
    }

    /// Sets a deadline that far from now, and how long behind it a platform waits for the answer.
    pub fn with_grace(left: Duration, grace: Duration) -> Deadline {
        let at = Instant::now() + left;
        Deadline { at, end: at + grace }
    }

    /// Returns the moment itself.
    pub fn instant(self) -> Instant {
        self.at
    }

    /// Returns the deadline of what is written down behind it: the end of the grace.
    pub(crate) fn grace(self) -> Deadline {
        Deadline { at: self.end, end: self.end }
    }

    /// Returns the time left, zero once it has passed.
    pub fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Tells whether it has passed.
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }
}
