//! What the adapters of AWS's services share: the account, connections, what errors mean. No service of its own.
//!
//! Region, endpoints and credentials are found by the SDK's own chain, so `AWS_ENDPOINT_URL` points all services at a stand-in
//! and `AWS_ENDPOINT_URL_DYNAMODB` one of them. The SDK makes one attempt a call: the core retries.

mod account;
mod client;
mod fault;

pub(crate) use account::within;
pub use account::{account, account_at};
pub(crate) use client::{only_connect, repeatable};
pub(crate) use fault::Fault;
