//! Every adapter runs the compliance suite of every port it claims, and what only it promises is tested beside it.

mod aws;
mod dynamodb;
mod dynamodb_streams;
mod event_bridge;
mod faults;
mod file_rows;
mod file_sink;
mod file_source;
mod file_table;
mod files;
mod function_url;
mod http;
mod iot;
mod kinesis;
mod kinesis_sink;
mod lambda;
mod lambda_any_payload;
mod memory;
mod open;
mod redb_crash;
mod redb_store;
mod s3;
mod sns;
mod sqs;
mod sqs_sink;
mod stdout;
