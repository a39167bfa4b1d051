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
/// The events of one body share its fate: the platform only knows the body, and delivers all of it again. So do those of
/// one bundle.
pub(crate) fn hold(inputs: &[Decoded], decisions: &mut [Decision]) {
    let retry = |decision: &Decision| decision.disposition == Disposition::Retry;
    let bodies: HashSet<usize> =
        decisions.iter().filter(|decision| retry(decision)).map(|decision| decision.input).collect();
    if bodies.is_empty() {
        return;
    }
    let bundle = |input: usize| inputs[input].event().bundle.as_ref();
    let bundles: HashSet<&ByteString> = bodies.iter().filter_map(|input| bundle(*input)).collect();
    let mut groups: HashSet<&ByteString> = HashSet::new();
    for decision in decisions {
        let group = inputs[decision.input].event().group.as_ref();
        let held_by = if bodies.contains(&decision.input) {
            Some("another event of the same body")
        } else if bundle(decision.input).is_some_and(|bundle| bundles.contains(bundle)) {
            Some("another event of the same record")
        } else if group.is_some_and(|group| groups.contains(group)) {
            Some("an earlier event of the same group")
        } else {
            None
        };
        if let (false, Some(what)) = (retry(decision), held_by) {
            decision.disposition = Disposition::Retry;
            decision.error = Some(Error::retryable(Stage::Act, Code::HELD, format!("{what} is asked for again")));
        }
        if retry(decision) {
            groups.extend(group);
        }
    }
}
