//! Amazon DynamoDB.
//!
//! - `dynamodb://TABLE` keeps state, in a table that is fourstroke's own; see [`DynamoDbStore`] for its layout.
//! - `dynamodb://TABLE` with `key: [customer_id]`, or `dynamodb://TABLE?key=customer_id`, looks rows up in a table of yours.
//! - [`DynamoDbTrigger`] takes what Lambda hands over of a table's stream.

mod item;
mod number;
mod rows;
mod service;
mod state;
mod store;
mod trigger;
mod value;

pub use crate::batch_response::{BatchItemFailure, BatchResponse};
pub use store::DynamoDbStore;
pub use trigger::DynamoDbTrigger;
