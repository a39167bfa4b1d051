//! `bootstrap`: a pipeline on AWS Lambda. Everything is opened at init and kept; an invocation is decoded, run and answered.
//!
//! The same binary serves one invocation at a time, and many at the same time where `AWS_LAMBDA_MAX_CONCURRENCY` says so.

mod deadline;
mod init;
mod invocation;
mod source;
mod threads;
mod trigger;

use std::{process::ExitCode, sync::Arc, time::Instant};

use lambda_runtime::{LambdaEvent, run_concurrent, service_fn};
use tracing::error;

/// Decisions are many small pieces, made on one thread and let go on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let started = Instant::now();
    match threads::runtime() {
        Ok(runtime) => runtime.block_on(serve(started)),
        Err(error) => {
            eprintln!("no runtime can be made: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(started: Instant) -> ExitCode {
    let telemetry = fourstroke_runtime::logs::start();
    let ready = match init::init(started, telemetry).await {
        Ok(ready) => Arc::new(ready),
        Err(why) => {
            error!("{why}");
            return ExitCode::from(init::USAGE);
        }
    };
    let serve = service_fn(move |event: LambdaEvent<_>| {
        let ready = ready.clone();
        async move { ready.invoke(event).await }
    });
    match run_concurrent(serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("the runtime ended: {error}");
            ExitCode::FAILURE
        }
    }
}
