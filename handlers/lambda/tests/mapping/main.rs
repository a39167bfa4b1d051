//! Nothing is lost between a stream and what was done, whatever fails: a model of the event source mapping (`model/`) drives the
//! handler's own process, below the test's Runtime API, through schedules of random faults.

mod account;
mod broken;
mod documented;
mod drive;
#[path = "../common/http.rs"]
mod http;
mod model;
#[path = "../common/packed.rs"]
mod packed;
#[path = "../common/process.rs"]
mod process;
mod recorded;
#[path = "../common/runtime.rs"]
mod runtime;
mod schedule;
mod schedules;
mod scripted;
mod world;
