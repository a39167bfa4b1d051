//! The core of fourstroke: events in, decisions out, in four strokes: Transform, Enrich, Infer, Act.
//!
//! It knows no cloud, no HTTP server and no model format: adapters implement [`ports`], handlers put them together.
//! A [`config::PipelineFile`] is read, a [`pipeline::Builder`] opens what it names and compiles it, and the
//! [`pipeline::Pipeline`] then turns batches of [`event::Decoded`] into [`report::Report`]s.

mod act;
pub mod clock;
pub mod code;
pub mod config;
mod enrich;
pub mod error;
pub mod event;
mod expression;
pub mod identity;
mod infer;
pub mod pipeline;
pub mod ports;
pub mod record;
pub mod report;
pub mod state;
mod transform;
pub mod types;
pub mod warm;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use transform::RustTransform;
/// The value every field of a record is.
pub use vrl::value::Value;
