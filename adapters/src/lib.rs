//! What connects fourstroke to services: one module and one feature each, none by default.
//!
//! An adapter offers whichever ports its service has: trigger, source, store, sink. [`open`] maps a URL's scheme to
//! one. Adapters never import each other and never retry; each passes the compliance suites of its ports
//! (`fourstroke::testkit`).
//!
//! | feature | scheme | source | store | sink | trigger |
//! |---|---|---|---|---|---|
//! | `file` | `file:PATH` | lines and rows | lookup table | appends lines and rows | |
//! | `http` | `https://HOST/PATH` | | lookup table | posts bodies | |
//! | `kinesis` | `kinesis://STREAM` | | | puts records | |
//! | `memory` | `memory:` | a list | all | a list | lines |
//! | `redb` | `redb:PATH` | | all, kept in a file | | |
//! | `stdout` | `stdout:` | | | lines | |
//!
//! A new adapter is its file, a `mod` line here, a feature line in `Cargo.toml`, an arm in [`open`], and an entry in the
//! compliance tests.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "kinesis")]
pub mod kinesis;
#[cfg(feature = "memory")]
pub mod memory;
pub mod open;
#[cfg(feature = "redb")]
pub mod redb;
#[cfg(feature = "stdout")]
pub mod stdout;

#[cfg(feature = "connection")]
mod at_once;
#[cfg(feature = "connection")]
mod connection;
#[cfg(any(feature = "file", feature = "stdout"))]
mod framed;
#[cfg(any(feature = "file", feature = "redb"))]
mod place;
#[cfg(any(feature = "kinesis", feature = "sqs"))]
mod rounds;
mod services;
