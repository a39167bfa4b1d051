//! What connects fourstroke to services: one module and one feature each, none by default.
//!
//! An adapter offers whichever ports its service has: trigger, source, store, sink. [`open`] maps a URL's scheme to
//! one. Adapters never import each other and never retry; each passes the compliance suites of its ports
//! (`fourstroke::testkit`).
//!
//! | feature | scheme | source | store | sink | trigger |
//! |---|---|---|---|---|---|
//! | `dynamodb` | `dynamodb://TABLE` | | all, and lookup tables | | a table's stream |
//! | `event_bridge` | | | | | a bus's events |
//! | `file` | `file:PATH` | lines and rows | lookup table | appends lines and rows | |
//! | `function_url` | | | | | HTTP requests to a function |
//! | `http` | `https://HOST/PATH` | | lookup table | posts bodies | |
//! | `iot` | | | | | a rule's messages, and whatever else has no envelope |
//! | `kinesis` | `kinesis://STREAM` | | | puts records | a stream's records |
//! | `memory` | `memory:` | a list | all | a list | lines |
//! | `redb` | `redb:PATH` | | all, kept in a file | | |
//! | `s3` | `s3://BUCKET/PREFIX` | | | objects of lines | |
//! | `sns` | | | | | a topic's notifications |
//! | `sqs` | `sqs://QUEUE` | | | messages | a queue's messages |
//! | `stdout` | `stdout:` | | | lines | |
//!
//! A new adapter is its file, a `mod` line here, a feature line in `Cargo.toml`, an arm in [`open`], and an entry in the
//! compliance tests.

#[cfg(feature = "aws")]
#[cfg_attr(
    not(all(feature = "dynamodb", feature = "kinesis", feature = "s3", feature = "sqs")),
    allow(dead_code, unused_imports)
)]
pub mod aws;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "event_bridge")]
pub mod event_bridge;
#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "function_url")]
pub mod function_url;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "iot")]
pub mod iot;
#[cfg(feature = "kinesis")]
pub mod kinesis;
#[cfg(feature = "memory")]
pub mod memory;
pub mod open;
#[cfg(feature = "redb")]
pub mod redb;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "sqs")]
pub mod sqs;
#[cfg(feature = "stdout")]
pub mod stdout;

// What services share is used in part by each.
#[cfg(feature = "connection")]
#[cfg_attr(not(all(feature = "http", feature = "aws")), allow(dead_code))]
mod at_once;
#[cfg(any(feature = "dynamodb", feature = "kinesis", feature = "sqs"))]
mod batch_response;
#[cfg(feature = "connection")]
#[cfg_attr(not(all(feature = "http", feature = "aws")), allow(dead_code, unused_imports))]
mod connection;
#[cfg(any(feature = "dynamodb", feature = "redb"))]
mod encoding;
#[cfg(any(feature = "file", feature = "s3", feature = "stdout"))]
mod framed;
#[cfg(feature = "function_url")]
mod http_reply;
#[cfg(any(feature = "dynamodb", feature = "event_bridge", feature = "function_url", feature = "sns", feature = "sqs"))]
mod pairs;
#[cfg(any(
    feature = "dynamodb",
    feature = "event_bridge",
    feature = "function_url",
    feature = "kinesis",
    feature = "sns",
    feature = "sqs"
))]
mod payload;
#[cfg(any(feature = "file", feature = "redb"))]
mod place;
#[cfg(any(feature = "dynamodb", feature = "kinesis", feature = "sns", feature = "sqs"))]
mod records;
#[cfg(any(feature = "kinesis", feature = "sqs"))]
mod rounds;
pub mod services;
#[cfg(any(feature = "dynamodb", feature = "kinesis"))]
mod streams;
#[cfg_attr(not(all(feature = "dynamodb", feature = "kinesis", feature = "s3", feature = "sqs")), allow(dead_code))]
mod target;
#[cfg(any(feature = "function_url", feature = "iot"))]
mod unstable;
#[cfg(any(feature = "event_bridge", feature = "iot", feature = "sns"))]
mod whole;
