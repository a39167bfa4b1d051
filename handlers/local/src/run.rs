//! `fourstroke run`

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use fourstroke::{
    clock::Clock,
    config::{BodyFormat, PipelineFile, Resource},
    ports::Source,
    report::Report,
};
use fourstroke_runtime::{Settings, Tally, work};
use tokio::signal;

use crate::{
    open::{self, Sinks},
    output, overlap,
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
    /// Read events from this file instead: .jsonl, .ndjson, .json or .csv, plain, .gz or .zst; `-` is standard input, with
    /// a header and rows where `event.format` is csv.
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    input: Option<PathBuf>,
    /// The source to read, where the file has several.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Stop after this many inputs: lines or rows. One that holds several events counts once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print the summary as one line of JSON, the last on standard output.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = open::read(&args.pipeline)?;
    let (built, source) = match &args.input {
        Some(path) => {
            let source = input(path, &file).await?;
            (open::build(file, &[], Sinks::Real).await?, source)
        }
        None => {
            let source = named(&file, args.source.as_deref())?;
            let mut built = open::build(file, &[&source], Sinks::Real).await?;
            let source = built.sources.remove(0);
            (built, source)
        }
    };
    built.open_sinks().await?;

    let progress = Progress::start(&built.file, args.limit);
    let mut tally = Tally::new(&built.file, &built.pipeline, Clock::system());
    let settings = Settings { limit: LIMIT, tries: Some(TRIES), events: args.limit };
    let observe = |report: &Report| {
        tally.add(report);
        progress.add(report.decisions.len() as u64, tally.failed());
    };
    let tell = |line: &str| progress.tell(line);
    let end = work(&built.pipeline, source, settings, stopped(), observe, tell).await;
    progress.end();

    let summary = tally.finish(&end);
    if args.json {
        output::print_json(&summary)?;
    } else {
        output::tell(&summary.to_string());
    }
    Ok(if summary.failed() { ExitCode::from(output::FAILED) } else { ExitCode::SUCCESS })
}

/// Opens what the command line names.
async fn input(path: &Path, file: &PipelineFile) -> anyhow::Result<Box<dyn Source>> {
    let Some(text) = path.to_str() else { bail!("--input {}: the path is not UTF-8", path.display()) };
    if text != "-" {
        std::fs::metadata(path).with_context(|| format!("--input {text}"))?;
    }
    let rows = file.event.format == BodyFormat::Csv;
    let url = match text {
        "-" if rows => "file:-.csv".to_owned(),
        "-" => "file:-".to_owned(),
        // Not a file of that name: standard input is `-` alone here.
        "-.csv" => "file:./-.csv".to_owned(),
        _ => format!("file:{text}"),
    };
    let resource = Resource::new("--input", url);
    if let Some(sink) = overlap::sinks_of(file, &resource).next() {
        bail!("--input {text}: `{}` appends to the same file", sink.at);
    }
    open::source(&resource, file).await.map_err(|why| anyhow!("--input: {why}"))
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

/// Waits until somebody wants an end. A second time does not wait for the batch to end.
async fn stopped() {
    const KILLED: i32 = 130;
    if asked_to_stop().await.is_err() {
        // Nobody can ask: the source's end is the only one.
        std::future::pending::<()>().await;
    }
    output::tell("finishing the batch; press Ctrl-C again to leave at once\n");
    tokio::spawn(async {
        if asked_to_stop().await.is_ok() {
            std::process::exit(KILLED);
        }
    });
}

/// Waits for Ctrl-C, or for what service managers and containers send.
#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn asked_to_stop() -> io::Result<()> {
    signal::ctrl_c().await
}
