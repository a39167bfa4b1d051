//! `redb:PATH`: items in one file on this machine, kept over restarts. For a laptop and for one long-running worker.
//!
//! The path is one to write: relative to the working directory, its directories are made. One process has the file open at
//! a time; within it, whoever names the file shares it. Writes that come at the same time share one transaction, and so
//! one flush to the disk; reads wait for none of them.

mod committer;
mod database;
mod failure;
mod file;
mod shared;
mod store;
mod tables;

pub use file::check_store;
pub use store::RedbStore;
