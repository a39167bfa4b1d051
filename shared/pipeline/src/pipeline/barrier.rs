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
/// An event of a body that holds several is in the same boat as the others: the platform only knows the body.
pub(crate) fn hold(inputs: &[Decoded], decisions: &mut [Decision]) {
    let mut held: HashSet<&ByteString> = HashSet::new();
    let mut held_input = None;
    for decision in decisions {
        let group = inputs[decision.input].event().group.as_ref();
        if decision.disposition == Disposition::Retry {
            held_input = Some(decision.input);
            held.extend(group);
        } else if held_input == Some(decision.input) || group.is_some_and(|group| held.contains(group)) {
            decision.disposition = Disposition::Retry;
            let reason = "an earlier event of the same group is asked for again";
            decision.error = Some(Error::retryable(Stage::Act, Code::HELD, reason));
        }
    }
}
