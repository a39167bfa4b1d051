//! `fourstroke test`

use std::{path::PathBuf, process::ExitCode, time::Duration};

use fourstroke::{
    clock::Deadline,
    config::{BodyFormat, Expectation, Name, PipelineFile, TestConfig},
    event::{Decoded, Event},
    pipeline::{Pipeline, Stubs},
    report::Report,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    json_diff::{Difference, compare},
    open::{self, Sinks},
    output, test_report,
};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs the tests of a pipeline file.
#[derive(clap::Args)]
#[command(after_help = "\
Each test runs one event. `given` stands in for lookups and `predict` for models; what they leave out is real. Nothing
is sent or written. Exit codes: 0 all are ok, 1 one failed, 2 the pipeline file is wrong.

Examples:
  fourstroke test pipeline.yaml
  fourstroke test pipeline.yaml --json | jq '.tests[] | select(.ok | not)'")]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
    /// Print one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

/// How one test ended.
#[derive(Serialize)]
pub struct Tested {
    pub name: String,
    pub line: usize,
    pub ok: bool,
    pub differences: Vec<Difference>,
    /// Why the event failed, if it did and the test is not ok.
    pub error: Option<String>,
}

pub async fn test(args: Args) -> anyhow::Result<ExitCode> {
    let built = open::build(open::read(&args.pipeline)?, &[], Sinks::StandIns).await?;
    let mut tests = Vec::new();
    for test in &built.file.tests {
        tests.push(run(&built.file, &built.pipeline, test).await?);
    }
    let failed = tests.iter().filter(|test| !test.ok).count();
    if args.json {
        output::print_json(&json!({ "ok": tests.len() - failed, "failed": failed, "tests": tests }))?;
    } else {
        output::print(&test_report::text(&args.pipeline, &tests, output::colours(&std::io::stdout())))?;
    }
    Ok(if failed > 0 { ExitCode::from(output::FAILED) } else { ExitCode::SUCCESS })
}

async fn run(file: &PipelineFile, pipeline: &Pipeline, test: &TestConfig) -> anyhow::Result<Tested> {
    let by_name = |list: &[(Name, fourstroke::Value)]| {
        list.iter().map(|(name, value)| (name.text.clone(), value.clone())).collect()
    };
    let stubs = Stubs { given: by_name(&test.given), predict: by_name(&test.predict), now: test.now };
    let mut event = Event::new("test", test.event.clone());
    if file.event.format == BodyFormat::Avro {
        // Avro is no text that could stand in the file.
        event.attributes.push(("content-type".into(), "application/json".into()));
    }
    let event = Decoded::Event(event);
    let report = pipeline.run_with(vec![event], Deadline::after(LIMIT), stubs).await;
    let differences = differences(&test.expect, &report)?;
    let ok = differences.is_empty();
    let error = report.decisions.iter().find_map(|decision| decision.error.as_ref());
    Ok(Tested {
        name: test.name.text.clone(),
        line: output::line_and_column(&file.text, test.name.span.start).0,
        ok,
        differences,
        error: error.filter(|_| !ok).map(ToString::to_string),
    })
}

/// Compares what a test names with what came out. A body may hold several events: their actions are one list, the worst
/// disposition counts, and the record is the first one's.
fn differences(expect: &Expectation, report: &Report) -> serde_json::Result<Vec<Difference>> {
    let mut found = Vec::new();
    let mut check =
        |path: &str, expected: Value, got: Option<Value>| compare(path, &expected, got.as_ref(), &mut found);
    let actions = || report.decisions.iter().flat_map(|decision| &decision.actions).filter(|action| action.taken);
    if let Some(expected) = &expect.actions {
        check("actions", json!(expected), Some(json!(actions().map(|action| &*action.name).collect::<Vec<_>>())));
    }
    if let Some(expected) = &expect.disposition {
        let worst = report.dispositions().into_iter().max().map(|worst| json!(worst.as_str()));
        check("disposition", json!(expected.as_str()), worst);
    }
    if let Some(expected) = &expect.code {
        let code = report.decisions.iter().find_map(|decision| decision.error.as_ref()).map(|error| error.code);
        check("code", json!(expected.as_str()), code.map(|code| json!(code.as_str())));
    }
    if let Some(expected) = &expect.data {
        let data = actions().next().map(|action| serde_json::to_value(&action.data)).transpose()?;
        check("data", serde_json::to_value(expected)?, data);
    }
    if let Some(expected) = &expect.record {
        let record =
            report.decisions.first().map(|decision| serde_json::to_value(decision.record.fields())).transpose()?;
        check("record", serde_json::to_value(expected)?, record);
    }
    Ok(found)
}
