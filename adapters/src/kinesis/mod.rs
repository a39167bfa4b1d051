//! `kinesis://STREAM`: Amazon Kinesis Data Streams.

mod aggregated;
mod sink;
mod trigger;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use sink::KinesisSink;
pub use trigger::KinesisTrigger;
