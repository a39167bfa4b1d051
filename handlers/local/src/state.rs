//! `fourstroke state`

mod forget;
mod get;
mod list;
mod store;
mod summary;

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use fourstroke_runtime::printable;

use crate::output;

/// The version of what `--json` prints.
const VERSION: u32 = 1;

/// Shows or removes what a store keeps about a subject.
#[derive(clap::Args)]
#[command(after_help = "\
A subject is what events are about, such as a customer: the event's key for `once`, the first part of `by` for limits and
windows. What a decision's outcome needs is kept under the decision's id: it holds two times, and expires.

Exit codes: 0 done; 1 nothing is kept there, or something failed; 2 wrong usage, or the store cannot be opened.

Examples:
  fourstroke state list N633JB --store redb:.fourstroke/state.redb
  fourstroke state get JFK 'window#airport' --pipeline pipeline.yaml --store state
  fourstroke state forget customer:42 --pipeline pipeline.yaml --store state")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Get(get::Args),
    Forget(forget::Args),
}

pub async fn state(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list::list(args).await,
        Command::Get(args) => get::get(args).await,
        Command::Forget(args) => forget::forget(args).await,
    }
}

/// Says that a subject has nothing, and exits so.
fn nothing(subject: &str, store: &str) -> ExitCode {
    output::tell(&format!("nothing is kept under `{}` in `{store}`\n", printable(subject)));
    ExitCode::from(output::FAILED)
}

/// Says why a store gave no answer, and exits so.
fn failed(store: &str, why: &str) -> ExitCode {
    output::tell(&format!("error: `{store}`: {}\n", printable(why)));
    ExitCode::from(output::FAILED)
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
