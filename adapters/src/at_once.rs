//! Requests of one call at the same time.

use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

/// How many requests of one call may be under way at once.
pub(crate) const AT_ONCE: usize = 32;

/// Collects what comes, each with its place among so many, until that moment; what has not come by then is `None`.
pub(crate) async fn gathered<T>(
    coming: impl Stream<Item = (usize, T)>,
    count: usize,
    until: Option<Instant>,
) -> Vec<Option<T>> {
    let mut all: Vec<Option<T>> = (0..count).map(|_| None).collect();
    let collected = coming.for_each(|(place, one)| {
        all[place] = Some(one);
        std::future::ready(())
    });
    match until {
        None => collected.await,
        // What came is kept either way.
        Some(until) => drop(timeout_at(until, collected).await),
    }
    all
}
