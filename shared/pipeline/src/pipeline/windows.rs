//! Writes windows back, now that it is known how the events ended: those that are asked for again are not counted yet. What
//! cannot be written makes its events be asked for again.

use futures_util::future::join_all;

use super::Inner;
use crate::{
    clock::{Clock, Deadline},
    enrich::Advanced,
    error::{Error, Kind},
    ports::{Item, StoreError},
    report::{Decision, Disposition},
    state::{self, Change},
};

/// Writes what windows came to, each key once, all windows at the same time. Gives the decisions that are not counted, and why.
pub(super) async fn write(
    pipeline: &Inner,
    windows: &[Advanced],
    decisions: &[Decision],
    clock: &Clock,
    deadline: Deadline,
) -> Vec<(usize, Error)> {
    let writes = windows.iter().map(|advanced| async move {
        let lookup = &pipeline.lookups[advanced.lookup];
        let Some(window) = &lookup.window else { return Vec::new() };
        let counts = |place: usize| decisions[place].disposition != Disposition::Retry;
        let now = clock.now();
        let news = advanced.keys.iter().filter_map(|key| Some((key, key.put(window, now, counts)?)));
        let (keys, puts): (Vec<_>, Vec<_>) = news.map(|(key, put)| (key, Change::Put(put))).unzip();
        if keys.is_empty() {
            return Vec::new();
        }
        let again =
            |place: usize, item: Option<Item>| keys[place].merge(window, item.as_ref(), now, counts).map(Change::Put);
        let ended = state::change(&*lookup.store, puts, deadline, again).await;
        let failed = keys.iter().zip(ended).filter_map(|(key, ended)| Some((key, ended.err()?)));
        let lost = failed.flat_map(|(key, error)| {
            let error = lookup.failed(retried(error));
            key.counting().filter(|place| counts(*place)).map(move |place| (place, error.clone()))
        });
        lost.collect()
    });
    join_all(writes).await.into_iter().flatten().collect()
}

/// The event has acted already: it is not poison, whatever the store thinks of the window.
fn retried(error: StoreError) -> StoreError {
    let kind = if error.kind == Kind::Poison { Kind::Retryable } else { error.kind };
    StoreError { kind, ..error }
}
