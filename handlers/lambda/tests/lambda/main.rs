//! The handler's binary under Amazon's Runtime Interface Emulator, or the test's own Runtime API, with payloads as AWS sends them.

mod aggregated;
mod batches;
mod function;
mod function_url;
mod http;
mod payloads;
mod receiver;
mod refusals;
mod replies;
mod retries;
mod services;
