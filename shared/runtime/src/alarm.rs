//! What somebody has to hear of at once, as lines.

use std::fmt::Display;

use fourstroke::{
    pipeline::Reload,
    report::{BreakerChange, Report},
};

use crate::figures::printable;

/// Returns a line for everything in a report that somebody has to hear of: that the breaker tripped, or closed again; that
/// another model decides, or was refused; that something could not be kept.
pub(crate) fn alarms(report: &Report) -> impl Iterator<Item = String> {
    let breaker = report.breaker.iter().map(|change| match change {
        BreakerChange::Tripped { .. } => line("ALARM", change),
        BreakerChange::Closed { .. } => line("resumed", change),
    });
    let reloads = report.reloads.iter().map(|reload| match reload {
        Reload::Serving { .. } => line("reloaded", reload),
        Reload::Refused { .. } => line("ALARM", reload),
    });
    let (count, first) = &report.unkept;
    let unkept = (*count > 0).then(|| {
        let first = first.as_deref().unwrap_or_default();
        line("ALARM", &format!("{count} could not be kept in a store; the first: {first}"))
    });
    breaker.chain(reloads).chain(unkept)
}

fn line(what: &str, about: &dyn Display) -> String {
    format!("{what}: {}\n", printable(&about.to_string()))
}
