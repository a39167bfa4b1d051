//! One compliance suite per port, and wrappers that make ports fail on purpose. Feature `testkit`.
//!
//! A suite is a set of plain `async fn`s that panic with what was expected and what came. `suite` runs them all; what a
//! service cannot do is said by `Capabilities`. Suites make up their own keys and ids, so they can share one table,
//! bucket or stream with each other and with their own earlier runs. An adapter's test is a few lines:
//!
//! ```
//! # use std::sync::Arc;
//! # use fourstroke::{clock::Clock, ports::Store};
//! # fn open(_: Clock) -> Arc<dyn Store> { unimplemented!() }
//! use fourstroke::testkit::{HandClock, store};
//!
//! async fn my_store_is_a_store() {
//!     let clock = HandClock::default();
//!     let mine = open(clock.clock());
//!     store::suite(mine, &clock, store::Capabilities::default()).await;
//! }
//! ```
//!
//! The wrappers of [`faults`] stand around a port that works, to see what the core makes of one that does not; they
//! count calls and items too, so a test can tell how many round trips a batch took.

pub mod faults;
pub mod model;
pub mod sink;
pub mod source;
pub mod state;
pub mod store;
pub mod table;
pub mod trigger;

mod clock;
mod reports;
mod retrying;

pub use clock::HandClock;
pub use reports::{report, retry_from};
pub use retrying::Retrying;

/// Makes a text no other run has, for keys and ids in a service that is shared or outlives the test.
fn unique(name: &str) -> String {
    format!("testkit-{name}-{:016x}", rand::random::<u64>())
}
