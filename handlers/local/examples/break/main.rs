//! Shows on the flights example that nothing is lost: poison between the events, SIGKILL in the middle, the day again.
//!
//! `show/` does it, and is shared with the tests; here is the command line.

mod show;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

/// Shows on the flights example that nothing is lost.
///
/// Mixes poison between real events, runs them, kills the process with SIGKILL several times and starts it again, runs the
/// whole day once more, and then accounts for every event that was sent.
#[derive(Parser)]
#[command(
    name = "break",
    after_help = "\
The steps go to standard error, the tables to standard output.

Exit codes: 0 nothing was lost; 1 something was lost, is not as it should be, or the show broke off; 2 usage.

Examples:
  cargo run --release -p fourstroke-local --example break
  cargo run --release -p fourstroke-local --example break -- --events 200000 --kills 9
  cargo run --release -p fourstroke-local --example break -- --json | jq .lost"
)]
struct Args {
    /// How many flight events are sent, beside the poison: one line in 97.
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(2_000..=240_000))]
    events: u32,
    /// How often the process is killed before it may end.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=20))]
    kills: u8,
    /// The `fourstroke` to be broken; else the one built beside this program.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Keep the directory with all that was sent and written.
    #[arg(long)]
    keep: bool,
    /// Print the account as one line of JSON instead of the tables.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match shown(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the show and prints its end; tells whether all is well.
fn shown(args: &Args) -> anyhow::Result<bool> {
    let binary = binary(args)?;
    let directory = tempfile::Builder::new().prefix("fourstroke-break-").tempdir()?;
    let bar = ProgressBar::new(args.events.into());
    bar.set_style(ProgressStyle::with_template("   {bar:30} {human_pos} of {human_len} log entries  {elapsed}")?);
    let show = show::Show {
        binary: &binary,
        directory: directory.path(),
        events: args.events as usize,
        kills: args.kills.into(),
        bar: &bar,
    };
    let account = show.run(&|step| bar.suspend(|| eprintln!("{step}")));
    bar.finish_and_clear();
    if args.keep {
        eprintln!("kept: {}", directory.keep().display());
    }
    let account = account?;
    let shown = if args.json { serde_json::to_string(&account)? } else { format!("\n{account}") };
    writeln!(io::stdout(), "{}", shown.trim_end())?;
    Ok(account.is_well())
}

/// Finds the program to be broken: cargo puts it one directory above its examples.
fn binary(args: &Args) -> anyhow::Result<PathBuf> {
    let beside = || {
        let here = std::env::current_exe().ok()?;
        Some(here.parent()?.parent()?.join(format!("fourstroke{}", std::env::consts::EXE_SUFFIX)))
    };
    let binary = args.binary.clone().or_else(beside).context("this program does not know where it is")?;
    ensure!(
        binary.is_file(),
        "{} is not there; build it with `cargo build --release -p fourstroke-local`, or name it with --binary",
        binary.display()
    );
    Ok(binary.canonicalize()?)
}
