//! Amazon Simple Queue Service.

mod trigger;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use trigger::SqsTrigger;
