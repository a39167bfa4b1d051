//! How long an invocation may take.

use std::time::{Duration, SystemTime};

use fourstroke::clock::Deadline;

/// A share of the time is kept back for what follows the deadline: marks, windows, the log.
const SHARE: u32 = 5;
/// As much of it at most.
const MARGIN: Duration = Duration::from_secs(3);
/// As much of it for the answer: metrics, spans, the way back.
const ANSWER: Duration = Duration::from_millis(200);

/// Returns the moment by which a batch must be decided: the platform's limit less a fifth of the time left, and three seconds at
/// most. What is written behind it has that time, less what the answer takes.
pub fn before(limit: SystemTime) -> Deadline {
    let left = limit.duration_since(SystemTime::now()).unwrap_or_default();
    let margin = (left / SHARE).min(MARGIN);
    Deadline::with_grace(left - margin, margin.saturating_sub(ANSWER))
}
