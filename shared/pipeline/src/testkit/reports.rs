//! Reports as the core would form them, for triggers and sources to answer.

use std::collections::HashSet;

use crate::{
    error::{Code, Error, Stage},
    event::Decoded,
    identity::decision_id,
    record::Record,
    report::{Decision, Disposition, Report},
};

/// Makes the report of a batch whose events ended as `disposition` says of each place.
pub fn report(inputs: Vec<Decoded>, disposition: impl Fn(usize) -> Disposition) -> Report {
    let decisions = inputs
        .iter()
        .enumerate()
        .map(|(input, decoded)| {
            let event = decoded.event();
            let disposition = disposition(input);
            let error = match disposition {
                Disposition::Retry => Some(Error::retryable(Stage::Act, Code::SEND_FAILED, "made up by the testkit")),
                Disposition::DeadLettered => {
                    Some(Error::poison(Stage::Decode, Code::MALFORMED, "made up by the testkit"))
                }
                _ => None,
            };
            Decision {
                id: decision_id("testkit", &event.id).into(),
                input,
                body: event.body.clone(),
                record: Record::default(),
                lookups: Vec::new(),
                predictions: Vec::new(),
                candidates: Vec::new(),
                actions: Vec::new(),
                held_back: Vec::new(),
                replay: None,
                outcome: None,
                disposition,
                error,
            }
        })
        .collect();
    Report { inputs: inputs.into(), decisions, ..Report::default() }
}

/// Makes the report of a batch in which the events at `places` are to be asked for again: they, those of their bundles,
/// and what follows them in their groups, as the core's barrier has it. All others passed.
pub fn retry_from(inputs: Vec<Decoded>, places: &[usize]) -> Report {
    let bundles: HashSet<_> = places.iter().filter_map(|place| inputs[*place].event().bundle.clone()).collect();
    let mut held = HashSet::new();
    let retry: Vec<bool> = inputs
        .iter()
        .enumerate()
        .map(|(place, input)| {
            let group = input.event().group.as_ref();
            let bundle = input.event().bundle.as_ref();
            let retry = places.contains(&place)
                || bundle.is_some_and(|bundle| bundles.contains(bundle))
                || group.is_some_and(|group| held.contains(group));
            if let (true, Some(group)) = (retry, group) {
                held.insert(group.clone());
            }
            retry
        })
        .collect();
    report(inputs, |place| if retry[place] { Disposition::Retry } else { Disposition::Passed })
}
