//! How long an invocation may take.

use std::time::{Duration, SystemTime};

use fourstroke::clock::Deadline;

/// A share of the time is kept back for what follows the deadline: the log, the answer.
const SHARE: u32 = 5;
/// As much of it at most.
const MARGIN: Duration = Duration::from_secs(3);

/// Returns the moment by which a batch must be decided: the platform's limit less a fifth of the time left, and three seconds at
/// most.
pub fn before(limit: SystemTime) -> Deadline {
    let left = limit.duration_since(SystemTime::now()).unwrap_or_default();
    Deadline::after(left - (left / SHARE).min(MARGIN))
}
