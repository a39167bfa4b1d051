//! Amazon DynamoDB.

mod trigger;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use trigger::DynamoDbTrigger;
