//! Changing items that others change too: a refused change is made again from what is there now.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::{sleep, timeout_at};

use super::{no_answer, panicked};
use crate::{
    clock::{Backoff, Deadline},
    error::Kind,
    pipeline::retry::Retry,
    ports::{Delete, Item, Put, PutOutcome, Store, StoreError},
};

/// One change of one key.
pub(crate) enum Change {
    Put(Put),
    Delete(Delete),
}

/// How a change ended.
#[derive(Debug)]
pub(crate) enum Changed {
    /// Done; a put's new version.
    Done(u64),
    /// Somebody else's change came first, and there is nothing left to be done about it.
    Left,
}

/// So many refusals cost nothing but their round trip; then those who want the same key wait a little for each other.
const AT_ONCE: usize = 4;
const FIRST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(100);

/// Makes changes of different keys: in one round trip, where none is refused. `again` is given the place of a refused one and
/// what is there instead; it gives the change to be made then, or none. As an answer may get lost, what is there may be the
/// very change.
pub(crate) async fn change(
    store: &dyn Store,
    changes: Vec<Change>,
    deadline: Deadline,
    mut again: impl FnMut(usize, Option<Item>) -> Option<Change>,
) -> Vec<Result<Changed, StoreError>> {
    let mut ended: Vec<Option<Result<Changed, StoreError>>> = changes.iter().map(|_| None).collect();
    let mut open: Vec<(usize, Change)> = changes.into_iter().enumerate().collect();
    let (mut retry, mut refusals, mut turns) = (None, 0, Backoff::new(FIRST, LONGEST));
    while !open.is_empty() {
        let answers = once(store, &open, deadline).await;
        let (mut refused, mut failed) = (false, false);
        let mut left = Vec::new();
        for ((place, change), answer) in open.into_iter().zip(answers) {
            match answer {
                Ok(PutOutcome::Done(version)) => ended[place] = Some(Ok(Changed::Done(version))),
                Ok(PutOutcome::Refused(current)) => match again(place, current) {
                    Some(change) => {
                        refused = true;
                        ended[place] = None;
                        left.push((place, change));
                    }
                    None => ended[place] = Some(Ok(Changed::Left)),
                },
                Err(error) => {
                    let again = error.kind == Kind::Retryable;
                    ended[place] = Some(Err(error));
                    if again {
                        failed = true;
                        left.push((place, change));
                    }
                }
            }
        }
        open = left;
        if failed && !retry.get_or_insert_with(|| Retry::new(deadline)).wait().await {
            open.retain(|(place, _)| ended[*place].is_none());
        }
        if refused && !open.is_empty() {
            refusals += 1;
            if deadline.passed() {
                break;
            }
            if refusals > AT_ONCE {
                sleep(turns.delay()).await;
            }
        }
    }
    let contended = || StoreError {
        kind: Kind::Retryable,
        reason: format!("others changed the item {refusals} times, until the deadline"),
    };
    ended.into_iter().map(|ended| ended.unwrap_or_else(|| Err(contended()))).collect()
}

/// Makes each change once, puts and deletes at the same time.
async fn once(
    store: &dyn Store,
    changes: &[(usize, Change)],
    deadline: Deadline,
) -> Vec<Result<PutOutcome, StoreError>> {
    let (mut puts, mut deletes) = (Vec::new(), Vec::new());
    for (_, change) in changes {
        match change {
            Change::Put(put) => puts.push(put.clone()),
            Change::Delete(delete) => deletes.push(delete.clone()),
        }
    }
    let put = async { if puts.is_empty() { Vec::new() } else { store.put(&puts).await } };
    let delete = async { if deletes.is_empty() { Vec::new() } else { store.delete(&deletes).await } };
    let both = futures_util::future::join(put, delete);
    let (put, delete) = match timeout_at(deadline.instant(), AssertUnwindSafe(both).catch_unwind()).await {
        Ok(Ok(answers)) => answers,
        Ok(Err(_)) => return changes.iter().map(|_| Err(panicked())).collect(),
        Err(_) => return changes.iter().map(|_| Err(late())).collect(),
    };
    let (mut put, mut delete) = (put.into_iter(), delete.into_iter());
    let answer = |change: &Change| match change {
        Change::Put(_) => put.next(),
        Change::Delete(_) => delete.next(),
    };
    let answers: Vec<_> = changes.iter().map(|(_, change)| change).map(answer).collect();
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(no_answer()))).collect()
}

fn late() -> StoreError {
    StoreError { kind: Kind::Retryable, reason: "the store did not answer before the deadline".to_owned() }
}
