//! What `once`, `limit` and `window` must do on any store that keeps things: whole pipelines over the store that is tested, with
//! deliveries that come again, workers at the same time, and stores and sinks that fail. Processes that are killed are
//! another suite's.

mod limit;
mod once;
mod place;
mod window;

use std::sync::Arc;

pub use limit::{a_limit_slides, what_is_taken_over_is_limited, workers_never_exceed_a_limit};
pub use once::{
    a_replay_is_not_decided_anew, another_body_is_refused, faults_lose_nothing, one_of_many_workers_acts, round_trips,
};
pub use window::{a_window_agrees_with_a_recomputation, workers_lose_no_count};

use super::HandClock;
use crate::ports::Store;

/// How much is tried: what one commit costs decides how often.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Workers that want the same at the same time.
    pub workers: usize,
    /// How often they do.
    pub rounds: usize,
    /// How many seeds of chance are tried.
    pub seeds: u64,
}

impl Default for Extent {
    fn default() -> Extent {
        Extent { workers: 64, rounds: 500, seeds: 50 }
    }
}

/// Runs everything. The store reads the time from `clock`.
pub async fn suite(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    round_trips(store.clone(), clock).await;
    a_replay_is_not_decided_anew(store.clone(), clock).await;
    another_body_is_refused(store.clone(), clock).await;
    faults_lose_nothing(store.clone(), clock, extent).await;
    one_of_many_workers_acts(store.clone(), clock, extent).await;
    a_limit_slides(store.clone(), clock, extent).await;
    workers_never_exceed_a_limit(store.clone(), clock, extent).await;
    what_is_taken_over_is_limited(store.clone(), clock).await;
    a_window_agrees_with_a_recomputation(store.clone(), clock, extent).await;
    workers_lose_no_count(store, clock, extent).await;
}
