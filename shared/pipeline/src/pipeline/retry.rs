//! The one place that tries again: jittered exponential backoff, while half the time that was left at the first
//! failure is not used up.

use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use crate::clock::Deadline;

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits between tries.
pub(crate) struct Backoff {
    until: Instant,
    next: Duration,
}

impl Backoff {
    /// Starts at the first failure.
    pub fn new(deadline: Deadline) -> Backoff {
        Backoff { until: Instant::now() + deadline.left() / 2, next: FIRST }
    }

    /// Waits before the next try; false, at once, if there is to be none.
    pub async fn wait(&mut self) -> bool {
        let delay = self.next.mul_f64(rand::rng().random_range(0.5..1.0));
        self.next = (self.next * 2).min(LONGEST);
        if Instant::now() + delay >= self.until {
            return false;
        }
        tokio::time::sleep(delay).await;
        true
    }
}
