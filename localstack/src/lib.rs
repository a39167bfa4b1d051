//! Starts local stand-ins of AWS services for tests, without Docker.
//!
//! `localstack/install` puts them into `target/stand-ins`. One that is not installed is skipped, visibly: `start` and
//! `shared` then give `None`. What is given by `start` ends when it is dropped; what is given by `shared` ends with the
//! test's process, however that ends.

#![forbid(unsafe_code)]

pub mod dynamodb;
pub mod http;
pub mod kinesis;
pub mod moto;

mod installed;
mod process;
mod rie;

pub use process::{StandIn, signal};
pub use rie::Rie;
