//! The core of fourstroke: events in, decisions out, in four strokes: Transform, Enrich, Infer, Act.
//!
//! It knows no cloud, no HTTP server and no model format: adapters implement [`ports`], handlers put them together.

pub mod clock;
pub mod config;
pub mod error;
pub mod event;
pub mod identity;
pub mod ports;
pub mod record;
pub mod report;
pub mod types;

#[cfg(feature = "testkit")]
pub mod testkit;
