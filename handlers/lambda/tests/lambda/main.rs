//! The handler's binary under Amazon's Runtime Interface Emulator, with payloads as AWS sends them.

mod batches;
mod function;
mod payloads;
mod receiver;
mod refusals;
mod retries;
mod services;
