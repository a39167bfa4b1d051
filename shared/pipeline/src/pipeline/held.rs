//! What the breaker does to a batch: its events held without running, or from the event on that trips it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Inner,
    breaker::{Breaker, Fate},
    run::Run,
};
use crate::{
    error::{Code, Error, Stage},
    event::Decoded,
    identity::decision_id,
    record::Record,
    report::{Decision, Disposition},
};

const WHY: &str = "too many of the last events are poison; held until a batch gets through again";

impl Run {
    /// Asks for leave to run; a batch that has none is [held](all).
    pub(super) fn enter(&mut self, breaker: Option<&Arc<Breaker>>) -> bool {
        // Nothing to decide is nothing to probe with.
        let Some(breaker) = breaker.filter(|_| !self.inputs.is_empty()) else { return true };
        self.turn = breaker.enter(Instant::now());
        self.turn.is_some()
    }

    /// Holds what the breaker lets through no more, of those events that nothing was written or sent of.
    pub(super) fn cut(&mut self, decisions: &mut [Decision], untouched: impl Fn(&Decision) -> bool) {
        let Some(turn) = &mut self.turn else { return };
        let Some(cut) = turn.judge(decisions.iter().map(fate), Instant::now()) else { return };
        self.report.breaker.extend(cut.change);
        // A body is held as a whole: the platform delivers it so.
        let first = decisions.get(cut.place).map_or(0, |decision| decision.input);
        for decision in decisions.iter_mut().filter(|decision| decision.input >= first && untouched(decision)) {
            if decision.disposition != Disposition::Retry {
                decision.disposition = Disposition::Retry;
                decision.error = Some(held(decision.error.take()));
            }
        }
    }

    /// Counts how the events ended at last.
    pub(super) fn leave(&mut self, decisions: &[Decision]) {
        let Some(turn) = self.turn.take() else { return };
        self.report.breaker.extend(turn.settle(decisions.iter().map(fate), Instant::now()));
    }
}

/// Holds a batch without running it: one decision per input, with what the platform says about it.
pub(super) fn all(pipeline: &Inner, inputs: &[Decoded]) -> Vec<Decision> {
    let hold = |(input, decoded): (usize, &Decoded)| {
        let event = decoded.event();
        let mut record = Record::default();
        let facts = record.facts_mut();
        (facts.id, facts.key, facts.time) = (event.id.clone(), event.key.clone(), event.time);
        facts.attributes.clone_from(&event.attributes);
        Decision {
            id: decision_id(&pipeline.name, &event.id).into(),
            input,
            body: event.body.clone(),
            record,
            lookups: Vec::new(),
            predictions: Vec::new(),
            candidates: Vec::new(),
            actions: Vec::new(),
            held_back: Vec::new(),
            replay: None,
            outcome: None,
            disposition: Disposition::Retry,
            error: Some(held(None)),
        }
    };
    inputs.iter().enumerate().map(hold).collect()
}

/// Says why an event is held, and what is wrong with it itself.
fn held(own: Option<Error>) -> Error {
    let reason = own.map_or(WHY.to_owned(), |own| format!("{WHY}; it says: {}", own.place()));
    Error::retryable(Stage::Act, Code::BREAKER, reason)
}

fn fate(decision: &Decision) -> Fate<'_> {
    match (decision.disposition, &decision.error) {
        (Disposition::Retry, _) => Fate::Undecided,
        (Disposition::DeadLettered, Some(error)) => Fate::Poison(error),
        _ => Fate::Good,
    }
}
