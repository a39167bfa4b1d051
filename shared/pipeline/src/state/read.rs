//! Reading with the core's retries: only what failed retryably is asked for again.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::{no_answer, panicked};
use crate::{
    clock::Deadline,
    error::Kind,
    pipeline::retry::Retry,
    ports::{Item, Key, Store, StoreError},
};

/// Reads items. One answer per key, in the order asked.
pub(crate) async fn read(store: &dyn Store, keys: &[Key], deadline: Deadline) -> Vec<Result<Option<Item>, StoreError>> {
    if keys.is_empty() {
        return Vec::new();
    }
    let mut answers = once(store, keys, deadline).await;
    let mut retry = None;
    loop {
        let failed: Vec<usize> = (0..keys.len())
            .filter(|place| matches!(&answers[*place], Err(error) if error.kind == Kind::Retryable))
            .collect();
        if failed.is_empty() || !retry.get_or_insert_with(|| Retry::new(deadline)).wait().await {
            return answers;
        }
        let again: Vec<Key> = failed.iter().map(|place| keys[*place].clone()).collect();
        for (place, answer) in failed.into_iter().zip(once(store, &again, deadline).await) {
            answers[place] = answer;
        }
    }
}

async fn once(store: &dyn Store, keys: &[Key], deadline: Deadline) -> Vec<Result<Option<Item>, StoreError>> {
    let Ok(answers) = AssertUnwindSafe(store.get_by(keys, deadline.instant())).catch_unwind().await else {
        return vec![Err(panicked()); keys.len()];
    };
    let mut answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(no_answer()))).collect();
    answers.resize_with(keys.len(), || Err(no_answer()));
    answers
}
