//! What a batch sends: its dead letters, and its actions.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::join_all;

use super::{barrier, dead_letter, once::Claims, run::Run, send::send};
use crate::{
    error::{Code, Error, Kind, Stage},
    ports::{Outgoing, SendError, Sent},
    report::{Decision, Disposition},
};

/// What goes to one sink: per item, which decision's which action it is, and the item.
type ToSend = (Vec<(usize, usize)>, Vec<Outgoing>);

impl Run {
    /// Writes the dead letters of a batch; one that cannot be written is asked for again.
    pub(super) async fn write_dead_letters(&mut self, decisions: &mut [Decision]) {
        let dead = |decision: &Decision| decision.disposition == Disposition::DeadLettered;
        let places: Vec<usize> = (0..decisions.len()).filter(|place| dead(&decisions[*place])).collect();
        if places.is_empty() {
            return;
        }
        let (name, version) = (&self.pipeline.name, &self.pipeline.version);
        let letters: Vec<Outgoing> = places
            .iter()
            .filter_map(|place| {
                let decision = &decisions[*place];
                let error = decision.error.as_ref()?;
                Some(dead_letter::of_decision(name, version, &self.inputs[decision.input], decision, error))
            })
            .collect();
        let answers = send(&*self.pipeline.dead_letters, &letters, self.deadline).await;
        for (place, answer) in places.into_iter().zip(answers) {
            let Err(failed) = answer else { continue };
            let decision = &mut decisions[place];
            // Why it is poison may quote its body, which belongs into its letter alone.
            let what = decision.error.as_ref().map(Error::place).unwrap_or_default();
            let reason = format!("the dead letter could not be written: {}; it says: {what}", failed.reason);
            let error = Error { kind: failed.kind, stage: Stage::Act, code: Code::DEAD_LETTER, reason };
            if failed.kind == Kind::Fatal {
                self.report.fatal.get_or_insert_with(|| error.clone());
            }
            decision.disposition = Disposition::Retry;
            decision.error = Some(error);
        }
    }

    /// Sends every action that is not held back or done already, per sink in one call, all sinks at once. A sink that takes
    /// something to be done once has as long as the lease allows.
    pub(super) async fn send_actions(&mut self, decisions: &mut [Decision], claims: Option<&Claims>) {
        let mut by_sink: HashMap<Arc<str>, ToSend> = HashMap::new();
        for (place, decision) in decisions.iter_mut().enumerate() {
            if decision.disposition != Disposition::Passed {
                continue;
            }
            for (number, action) in decision.actions.iter().enumerate().filter(|(_, action)| !action.earlier) {
                let (places, items) = by_sink.entry(action.to.clone()).or_default();
                places.push((place, number));
                items.push(action.outgoing.clone());
            }
            if !decision.actions.is_empty() {
                decision.disposition = Disposition::Acted;
            }
        }
        let (sinks, until) = (&self.pipeline.sinks, self.deadline);
        let sends = by_sink.into_iter().map(|(name, (places, items))| async move {
            let claimed = claims.filter(|claims| places.iter().any(|(place, _)| claims.holds(*place)));
            let deadline = claimed.map_or(until, |claims| claims.until);
            let answers = match sinks.get(&name) {
                Some(sink) => send(&**sink, &items, deadline).await,
                // What the ledger has may have been decided by a file that named it.
                None => items.iter().map(|_| Err(unknown_sink())).collect(),
            };
            (name, places, answers)
        });
        let mut refused = false;
        let sent = join_all(sends).await;
        for (sink, places, answers) in sent {
            for ((place, number), answer) in places.into_iter().zip(answers) {
                let Err(failed) = answer else {
                    decisions[place].actions[number].taken = true;
                    continue;
                };
                decisions[place].actions[number].unsure = failed.sent == Sent::Unknown;
                let code = match failed.kind {
                    Kind::Retryable => Code::SEND_FAILED,
                    Kind::Poison => Code::SEND_REFUSED,
                    Kind::Fatal => Code::SINK_FATAL,
                };
                let reason = format!("the sink `{sink}`: {}", failed.reason);
                let error = Error { kind: failed.kind, stage: Stage::Act, code, reason };
                let disposition = self.disposition(Some(&error));
                refused |= disposition == Disposition::DeadLettered;
                // Of several actions the worst counts.
                let decision = &mut decisions[place];
                if disposition > decision.disposition {
                    decision.disposition = disposition;
                    decision.error = Some(error);
                }
            }
        }
        if refused {
            barrier::hold(&self.inputs, decisions);
            self.cut(decisions, is_refused);
            barrier::hold(&self.inputs, decisions);
            self.write_refused(decisions).await;
        }
    }

    /// Writes the dead letters of events whose action a sink refused; the others have theirs already.
    async fn write_refused(&mut self, decisions: &mut [Decision]) {
        let places: Vec<usize> = (0..decisions.len()).filter(|place| is_refused(&decisions[*place])).collect();
        let mut subset: Vec<Decision> = places.iter().map(|place| decisions[*place].clone()).collect();
        self.write_dead_letters(&mut subset).await;
        for (place, decision) in places.into_iter().zip(subset) {
            decisions[place] = decision;
        }
    }
}

fn unknown_sink() -> SendError {
    let reason = "the pipeline that decided named it, this one does not".to_owned();
    SendError { kind: Kind::Poison, sent: Sent::No, reason }
}

/// Tells whether a sink made the event a dead letter.
fn is_refused(decision: &Decision) -> bool {
    decision.disposition == Disposition::DeadLettered
        && decision.error.as_ref().is_some_and(|error| error.code == Code::SEND_REFUSED)
}
