//! HTTP requests to an AWS Lambda function, by its own URL or through an HTTP API of Amazon API Gateway.

mod cors;
mod trigger;

pub use cors::Cors;
pub use trigger::{FunctionUrlTrigger, Response};
