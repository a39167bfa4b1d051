//! `fourstroke`: runs, validates, tests, describes and packages a pipeline on a laptop, without a cloud.

mod deployed;
mod env_file;
mod explain;
mod json_diff;
mod open;
mod output;
mod overlap;
mod package;
mod progress;
mod run;
mod schema;
mod state;
mod test;
mod test_report;
mod validate;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Decisions are many small pieces, made on one thread and let go on another: this takes a tenth off what they cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Makes AI decisions on events: Transform, Enrich, Infer, Act, as one pipeline.yaml says.
#[derive(Parser)]
#[command(name = "fourstroke", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 events or tests failed; 2 usage or configuration.

Examples:
  fourstroke run examples/flights/pipeline.yaml
  fourstroke validate pipeline.yaml
  fourstroke test pipeline.yaml
  fourstroke package pipeline.yaml --for lambda
  fourstroke explain examples/flights/pipeline.yaml --event examples/flights/data/one.json";

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Validate(validate::Args),
    Package(package::Args),
    Test(test::Args),
    Explain(explain::Args),
    Why(why::Args),
    State(state::Args),
    Schema(schema::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Run(args) => run::run(args).await,
        Command::Validate(args) => validate::validate(args).await,
        Command::Package(args) => package::package(args).await,
        Command::Test(args) => test::test(args).await,
        Command::Explain(args) => explain::explain(args).await,
        Command::Why(args) => why::why(args).await,
        Command::State(args) => state::state(args).await,
        Command::Schema(_) => schema::schema(),
    };
    ended.unwrap_or_else(|error| output::wrong(&error))
}
