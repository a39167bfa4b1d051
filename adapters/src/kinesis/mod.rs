//! `kinesis://STREAM`: Amazon Kinesis Data Streams.

mod sink;

pub use sink::{KinesisSink, check_sink};
