//! The barrier: in each group, what stands behind an event that is asked for again is asked for again too.

use std::collections::HashSet;

use bytestring::ByteString;

use crate::{
    error::{Code, Error, Stage},
    event::Decoded,
    report::{Decision, Disposition},
};

/// Turns every event behind the first `retry` of its group into `retry`, even one that was sent: the platform will
/// deliver it again. Events without a group stand alone.
///
/// The events of one body share its fate: the platform only knows the body, and delivers all of it again.
pub(crate) fn hold(inputs: &[Decoded], decisions: &mut [Decision]) {
    let retry = |decision: &Decision| decision.disposition == Disposition::Retry;
    let bodies: HashSet<usize> =
        decisions.iter().filter(|decision| retry(decision)).map(|decision| decision.input).collect();
    if bodies.is_empty() {
        return;
    }
    let mut groups: HashSet<&ByteString> = HashSet::new();
    for decision in decisions {
        let group = inputs[decision.input].event().group.as_ref();
        let own_body = bodies.contains(&decision.input);
        if !retry(decision) && (own_body || group.is_some_and(|group| groups.contains(group))) {
            decision.disposition = Disposition::Retry;
            let what = if own_body { "another event of the same body" } else { "an earlier event of the same group" };
            decision.error = Some(Error::retryable(Stage::Act, Code::HELD, format!("{what} is asked for again")));
        }
        if retry(decision) {
            groups.extend(group);
        }
    }
}
