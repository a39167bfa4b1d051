//! What somebody has to hear of at once, as a line.

use fourstroke::report::BreakerChange;

use crate::figures::printable;

/// Writes a line that says that the breaker tripped, or closed again.
pub fn alarm(change: &BreakerChange) -> String {
    let what = match change {
        BreakerChange::Tripped { .. } => "ALARM",
        BreakerChange::Closed { .. } => "resumed",
    };
    format!("{what}: {}\n", printable(&change.to_string()))
}
