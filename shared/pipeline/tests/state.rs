//! Acting once, limits and windows on a store in memory; adapters run the same suite on theirs.

use std::sync::Arc;

use fourstroke::testkit::{HandClock, state};
use fourstroke_adapters::memory::MemoryStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_kept_in_memory() {
    let clock = HandClock::default();
    state::suite(Arc::new(MemoryStore::new(clock.clock())), &clock, state::Extent::default()).await;
}
