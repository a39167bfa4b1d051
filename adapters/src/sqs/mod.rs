//! `sqs://QUEUE`, `sqs://ACCOUNT/QUEUE`: a queue of Amazon Simple Queue Service.

mod message;
mod sink;
mod trigger;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use sink::SqsSink;
pub use trigger::SqsTrigger;
