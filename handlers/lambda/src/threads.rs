//! How many threads wait.

use std::{env, io};

use tokio::runtime::{Builder, Runtime};

/// As much memory, in MB, comes with one processor.
const ONE_PROCESSOR: u32 = 1769;

/// Makes the runtime: of one thread, where the function has one processor and one invocation at a time, as waking another costs more
/// than it brings. What computes has threads of its own.
///
/// # Errors
/// The system has no threads or descriptors left.
pub fn runtime() -> io::Result<Runtime> {
    let number = |name: &str| env::var(name).ok()?.parse::<u32>().ok();
    let memory = number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").is_some_and(|memory| memory <= ONE_PROCESSOR);
    let alone = number("AWS_LAMBDA_MAX_CONCURRENCY").is_none_or(|most| most <= 1);
    let mut builder = if memory && alone { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().build()
}
