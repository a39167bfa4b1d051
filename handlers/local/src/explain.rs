//! `fourstroke explain`

mod event;
mod input;
mod page;
pub mod picture;
pub mod text;

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

use chrono::{DateTime, Utc};
use fourstroke::{clock::Deadline, pipeline::Stubs, report::Disposition};
use serde_json::json;

use self::{
    event::Seen,
    picture::{Picture, VERSION},
    text::Manner,
};
use crate::{
    open::{self, Sinks},
    output,
};

/// A store that is down is tried again for half of this.
const LIMIT: Duration = Duration::from_secs(20);

/// Shows what a pipeline makes of one event, stroke by stroke, and sends nothing.
#[derive(clap::Args)]
#[command(after_help = "\
Lookups and models are the real ones; sinks, decision log and dead letters are stand-ins. What stores keep for windows
and limits is read from a copy; what was done `once` is left aside, so that an event is decided anew. A body that holds
several events explains each. Exit codes: 0 done, 1 an event would be dead-lettered or asked for again, 2 the usage or the
pipeline file is wrong. docs/EXPLAIN.md describes what --json prints.

Examples:
  fourstroke explain examples/flights/pipeline.yaml --event examples/flights/data/one.json
  zstdcat examples/flights/data/2013-q4.jsonl.zst | head -1 | fourstroke explain examples/flights/pipeline.yaml --event -
  tail -1 out/dead.jsonl | fourstroke explain pipeline.yaml --dead-letter -
  fourstroke explain pipeline.yaml --event order.json --attribute ce-type=order --attribute ce-id=7 …
  fourstroke explain pipeline.yaml --event order.json --json | jq '.events[0].act.rules[] | {name, state}'")]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
    #[command(flatten)]
    from: input::From,
    #[command(flatten)]
    beside: input::Beside,
    /// Where the clock stands, such as 2026-01-31T12:00:00Z; else it is now.
    #[arg(long, value_name = "TIME")]
    now: Option<DateTime<Utc>>,
    /// Print one line of JSON on standard output instead, with nothing shortened.
    #[arg(long)]
    json: bool,
}

pub async fn explain(args: Args) -> anyhow::Result<ExitCode> {
    let built = open::build(open::read(&args.pipeline)?, &[], Sinks::Copied).await?;
    let event = input::event(&args.from, &args.beside)?;
    let stubs = Stubs { now: args.now, ..Stubs::default() };
    let decided_at = args.now.unwrap_or_else(Utc::now);
    let explained = built.pipeline.explain(&built.file, event, Deadline::after(LIMIT), stubs).await;

    let seen = Seen { file: &built.file, pipeline: &built.pipeline, decided_at, times: explained.times };
    let failed = |end: Disposition| matches!(end, Disposition::DeadLettered | Disposition::Retry);
    let fails = explained.events.iter().any(|event| failed(event.decision.disposition));
    let size = explained.events.len();
    let pictures: Vec<Picture> = explained.events.into_iter().map(|event| seen.picture(event, size)).collect();
    if args.json {
        output::print_json(&json!({ "v": VERSION, "events": pictures }))?;
    } else {
        let manner = Manner { colours: output::colours(&io::stdout()), would: true };
        output::print(&text::text(&pictures, manner))?;
    }
    Ok(if fails { ExitCode::from(output::FAILED) } else { ExitCode::SUCCESS })
}
