//! Every adapter runs the compliance suite of every port it claims, and what only it promises is tested beside it.

mod aws;
mod faults;
mod file_rows;
mod file_sink;
mod file_source;
mod file_table;
mod files;
mod http;
mod kinesis_sink;
mod memory;
mod open;
mod redb_crash;
mod redb_store;
mod stdout;
