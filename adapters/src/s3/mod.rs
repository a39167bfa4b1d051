//! `s3://BUCKET/KEY`: objects of Amazon S3, such as models, to read; `s3://BUCKET/PREFIX`: where a sink puts lines.
//!
//! A key or prefix is taken as it is written, as the `aws` tool takes it: `%20` is three characters. Several writers may share
//! a prefix.

mod client;
mod object;
mod pieces;
mod sink;

pub use object::{S3Object, etag, read};
pub use sink::S3Sink;
