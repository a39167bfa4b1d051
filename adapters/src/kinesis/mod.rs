//! Amazon Kinesis Data Streams.

mod aggregated;
mod trigger;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use trigger::KinesisTrigger;
