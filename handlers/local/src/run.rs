//! `fourstroke run`

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use fourstroke::{
    clock::Clock,
    config::{PipelineFile, Resource},
};
use fourstroke_runtime::{Settings, Tally, work};

use crate::{
    open::{self, Sinks},
    output,
    progress::Progress,
};

/// How long one try of a batch may take. Far above what a laptop needs: it ends what hangs.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a batch is tried before a run gives up.
const TRIES: u32 = 3;

/// Runs events through a pipeline and sums up what it did.
#[derive(clap::Args)]
#[command(after_help = "\
The events come from the file's source, or from --input. Progress and the summary go to standard error.

Exit codes: 0 all events are done; 1 some are dead-lettered or left, the log lost entries, or the source broke;
2 the usage or the pipeline file is wrong, and no event was run.

Examples:
  fourstroke run examples/flights/pipeline.yaml
  fourstroke run pipeline.yaml --limit 1000
  fourstroke run pipeline.yaml --input yesterday.jsonl.gz
  tail -f events.jsonl | fourstroke run pipeline.yaml --input -
  fourstroke run pipeline.yaml --json | tail -1 | jq .scores")]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
    /// Read events from this file instead: .jsonl, .ndjson, .json or .csv, plain, .gz or .zst; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    input: Option<PathBuf>,
    /// The source to read, where the file has several.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Stop after this many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print the summary as one line of JSON, the last on standard output.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = open::read(&args.pipeline)?;
    let source = match &args.input {
        Some(path) => input(path)?,
        None => named(&file, args.source.as_deref())?,
    };
    let mut built = open::build(file, &[&source], Sinks::Real).await?;
    built.open_sinks().await?;
    let source = built.sources.remove(0);

    let progress = Progress::start(&built.file, args.limit);
    let mut tally = Tally::new(&built.file, &built.pipeline, Clock::system());
    let settings = Settings { limit: LIMIT, tries: Some(TRIES), events: args.limit };
    let end = work(&built.pipeline, source, settings, interrupted(), |report| {
        tally.add(report);
        progress.add(report.decisions.len() as u64, tally.failed());
    })
    .await;
    progress.end();

    let summary = tally.finish(&end);
    if args.json {
        output::print_json(&summary)?;
    } else {
        eprint!("{summary}");
    }
    Ok(if summary.failed() { ExitCode::from(output::FAILED) } else { ExitCode::SUCCESS })
}

/// Makes a source of a path on the command line.
fn input(path: &Path) -> anyhow::Result<Resource> {
    let Some(text) = path.to_str() else { bail!("--input {}: the path is not UTF-8", path.display()) };
    if text != "-" {
        std::fs::metadata(path).with_context(|| format!("--input {text}"))?;
    }
    Ok(Resource::new("--input", format!("file:{text}")))
}

/// Finds the source to read.
fn named(file: &PipelineFile, name: Option<&str>) -> anyhow::Result<Resource> {
    let known = || file.sources.iter().map(|(name, _)| name.text.as_str()).collect::<Vec<_>>().join(", ");
    let path = file.path.display();
    match (name, file.sources.as_slice()) {
        (None, [(_, only)]) => Ok(only.clone()),
        (None, []) => bail!("{path} has no sources: say what to read with --input FILE"),
        (None, _) => bail!("{path} has several sources: choose one with --source NAME, of {}", known()),
        (Some(name), sources) => match sources.iter().find(|(known, _)| known.text == name) {
            Some((_, source)) => Ok(source.clone()),
            None => bail!("{path} has no source `{name}`; it has: {}", known()),
        },
    }
}

/// Waits for Ctrl-C. A second one does not wait for the batch to end.
async fn interrupted() {
    const KILLED: i32 = 130;
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can interrupt: the source's end is the only one.
        std::future::pending::<()>().await;
    }
    eprintln!("finishing the batch; press Ctrl-C again to leave at once");
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(KILLED);
        }
    });
}
