//! Sending with the core's retries: only the failed items, in their order, until the backoff ends.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::retry::Retry;
use crate::{
    clock::Deadline,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};

/// Sends items, repeating what failed retryably. One answer per item.
///
/// An item is never sent ahead of an earlier one of its key: the sink holds it back, and the repetition keeps the order.
pub(crate) async fn send(sink: &dyn Sink, items: &[Outgoing], deadline: Deadline) -> Vec<Result<(), SendError>> {
    let mut answers = once(sink, items, deadline).await;
    let mut retry = None;
    loop {
        let failed: Vec<usize> = (0..items.len())
            .filter(|place| matches!(&answers[*place], Err(error) if error.kind == Kind::Retryable))
            .collect();
        // Behind a fatal failure, a repetition would overtake the item that failed.
        let fatal = answers.iter().any(|answer| matches!(answer, Err(error) if error.kind == Kind::Fatal));
        if failed.is_empty() || fatal || !retry.get_or_insert_with(|| Retry::new(deadline)).wait().await {
            return answers;
        }
        let again: Vec<Outgoing> = failed.iter().map(|place| items[*place].clone()).collect();
        for (place, answer) in failed.into_iter().zip(once(sink, &again, deadline).await) {
            // Once an outcome was unknown, a later "not sent" does not make it known.
            let unknown = matches!(&answers[place], Err(error) if error.sent == Sent::Unknown);
            answers[place] =
                answer.map_err(|error| SendError { sent: if unknown { Sent::Unknown } else { error.sent }, ..error });
        }
    }
}

/// Sends once, within the deadline.
async fn once(sink: &dyn Sink, items: &[Outgoing], deadline: Deadline) -> Vec<Result<(), SendError>> {
    let late = || Err(unknown("the sink did not answer before the deadline"));
    let Ok(answers) = AssertUnwindSafe(sink.send_by(items, deadline.instant())).catch_unwind().await else {
        return vec![Err(unknown("the sink panicked")); items.len()];
    };
    let mut answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap_or_else(late)).collect();
    // A sink that answers for fewer items than it was given took an unknown number of the others.
    answers.resize_with(items.len(), || Err(unknown("the sink gave no answer for this item")));
    answers
}

fn unknown(reason: &str) -> SendError {
    SendError { kind: Kind::Retryable, sent: Sent::Unknown, reason: reason.to_owned() }
}
