//! `sqs://QUEUE`, `sqs://ACCOUNT/QUEUE`: a queue of Amazon Simple Queue Service.

mod message;
mod sink;
mod target;
mod trigger;

use fourstroke::config::Resource;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use sink::SqsSink;
pub use trigger::SqsTrigger;

/// Says what is wrong with a sink's URL or options, without connecting to it.
///
/// # Errors
/// One sentence: no queue can have that name.
pub fn check_sink(resource: &Resource) -> Result<(), String> {
    target::of_sink(resource).map(drop)
}
