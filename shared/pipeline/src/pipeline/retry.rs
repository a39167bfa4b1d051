//! The one place that tries again: jittered exponential backoff, while half the time that was left at the first
//! failure is not used up.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::{Backoff, Deadline};

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits between tries.
pub(crate) struct Retry {
    until: Instant,
    backoff: Backoff,
}

impl Retry {
    /// Starts at the first failure.
    pub fn new(deadline: Deadline) -> Retry {
        Retry { until: Instant::now() + deadline.left() / 2, backoff: Backoff::new(FIRST, LONGEST) }
    }

    /// Waits before the next try; false, at once, if there is to be none.
    pub async fn wait(&mut self) -> bool {
        let delay = self.backoff.delay();
        if Instant::now() + delay >= self.until {
            return false;
        }
        tokio::time::sleep(delay).await;
        true
    }
}
