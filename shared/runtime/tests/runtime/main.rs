//! The loop and the summary, on small pipelines in memory.

mod summary;
mod worker;
mod world;
