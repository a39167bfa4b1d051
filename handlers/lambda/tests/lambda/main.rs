//! The handler's binary under Amazon's Runtime Interface Emulator, or the test's own Runtime API, with payloads as AWS sends them.

mod batches;
mod function;
mod http;
mod payloads;
mod receiver;
mod refusals;
mod retries;
mod services;
