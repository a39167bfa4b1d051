//! The loop, the summary and the metrics, on small pipelines in memory.

mod metrics;
mod summary;
mod worker;
mod world;
