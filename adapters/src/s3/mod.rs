//! `s3://BUCKET/KEY`: objects of Amazon S3, such as models, to read; `s3://BUCKET/PREFIX`: where a sink puts lines.
//!
//! A key or prefix is taken as it is written, as the `aws` tool takes it: `%20` is three characters. Several writers may share
//! a prefix.

mod client;
mod object;
mod pieces;
mod sink;
mod target;

use fourstroke::config::Resource;

pub use object::{S3Object, etag, read};
pub use sink::S3Sink;

/// Says what is wrong with a sink's URL or options, without connecting to it.
///
/// # Errors
/// One sentence: no bucket can have that name, or the prefix cannot be one.
pub fn check_sink(resource: &Resource) -> Result<(), String> {
    target::of_sink(resource).map(drop)
}
