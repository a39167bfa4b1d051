//! Decides the flights of examples/flights, run from the project's folder.

use std::{process::ExitCode, sync::Arc, time::Duration};

use fourstroke::{clock::Clock, config::Resource, ports::Open};
use fourstroke_adapters::open::Adapters;
use fourstroke_runtime::{Settings, Tally, work};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let open = Adapters::new(|bytes, external| {
        Ok(Arc::new(fourstroke_onnx::load_with(bytes, external).map_err(|error| error.to_string())?))
    });
    let (file, pipeline) = flights_rust::strokes("examples/flights", "out", "redb:out/state.redb").open(&open).await?;
    let flights = Resource::new("flights", "file:examples/flights/data/2013-q4.jsonl.zst");
    let source = open.source(&flights).await.map_err(anyhow::Error::msg)?;

    let mut tally = Tally::new(&file, &pipeline, Clock::system());
    let settings = Settings { limit: Duration::from_secs(60), tries: Some(3), events: None };
    let alarms = |line: &str| eprint!("{line}");
    let end = work(&pipeline, source, settings, std::future::pending(), |report| tally.add(report), alarms).await;
    let summary = tally.finish(&end);
    println!("{summary}");
    Ok(if summary.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
