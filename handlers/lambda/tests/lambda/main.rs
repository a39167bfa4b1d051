//! The handler's binary under Amazon's Runtime Interface Emulator, or the test's own Runtime API, with payloads as AWS sends them.

mod aggregated;
mod batches;
mod concurrency;
mod deadlines;
mod ends;
mod function;
mod function_url;
#[path = "../common/http.rs"]
mod http;
#[path = "../common/packed.rs"]
mod packed;
mod payloads;
#[path = "../common/process.rs"]
mod process;
mod receiver;
mod refusals;
mod reload;
mod replies;
mod retries;
#[path = "../common/runtime.rs"]
mod runtime;
mod secrets;
mod services;
mod silent_init;
mod traces;
