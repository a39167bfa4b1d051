//! `fourstroke validate`

use std::{path::PathBuf, process::ExitCode};

use fourstroke::config::{BodyFormat, Mistake, Mistakes, Name, PipelineFile, Resource};
use fourstroke_adapters::open::has_stable_ids;
use serde_json::json;

use crate::{
    open::{self, Built, Sinks},
    output,
};

/// Checks a pipeline file and everything it names, without running it.
#[derive(clap::Args)]
#[command(after_help = "\
Reads tables, loads models and compiles expressions. Nothing is sent or written. Exit codes: 0 fine, 2 not.

Examples:
  fourstroke validate pipeline.yaml
  fourstroke validate pipeline.yaml --json | jq '.mistakes[].message'")]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
    /// Print one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

pub async fn validate(args: Args) -> anyhow::Result<ExitCode> {
    match check(&args).await {
        Ok(built) if args.json => output::print_json(&described(&built))?,
        Ok(built) => {
            warnings(&built.file).iter().for_each(|warning| output::tell(&format!("warning: {warning}\n")));
            output::print(&format!("{}: fine: {}\n", args.pipeline.display(), counted(&built.file)))?;
        }
        Err(mistakes) if args.json => {
            let list: Vec<_> = mistakes.list.iter().map(|mistake| located(&mistakes, mistake)).collect();
            output::print_json(&json!({ "pipeline": args.pipeline, "fine": false, "mistakes": list }))?;
            return Ok(ExitCode::from(output::USAGE));
        }
        Err(mistakes) => return Err(mistakes.into()),
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(args: &Args) -> Result<Built, Mistakes> {
    let file = open::read(&args.pipeline)?;
    let sources: Vec<Resource> = file.sources.iter().map(|(_, resource)| resource.clone()).collect();
    open::build(file, &sources.iter().collect::<Vec<_>>(), Sinks::Checked).await
}

/// Says what is allowed and most likely not meant.
fn warnings(file: &PipelineFile) -> Vec<String> {
    let once = file.act.rules.iter().find(|rule| rule.once.is_some());
    // CloudEvents have ids of their own.
    let own_ids = file.event.id.is_some() || file.event.format == BodyFormat::CloudEvents;
    let Some(rule) = once.filter(|_| !own_ids) else { return Vec::new() };
    let unstable = file.sources.iter().filter(|(_, source)| !has_stable_ids(source));
    let warning = |(name, _): &(Name, Resource)| {
        format!(
            "the rule `{}` acts `once`, and `sources.{}` gives an event another id each time it is delivered: say \
             what its id is with `event.id`",
            rule.name.text, name.text
        )
    };
    unstable.map(warning).collect()
}

fn counted(file: &PipelineFile) -> String {
    let counts = [
        ("source", file.sources.len()),
        ("lookup", file.enrich.len()),
        ("model", file.infer.len()),
        ("rule", file.act.rules.len()),
        ("test", file.tests.len()),
    ];
    counts.map(|(what, count)| format!("{count} {what}{}", if count == 1 { "" } else { "s" })).join(", ")
}

fn described(built: &Built) -> serde_json::Value {
    let (file, pipeline) = (&built.file, &built.pipeline);
    json!({
        "pipeline": file.path,
        "fine": true,
        "name": pipeline.name(),
        "version": pipeline.version(),
        "sources": file.sources.len(),
        "lookups": file.enrich.len(),
        "models": pipeline.models().iter().map(|model| json!({ "name": *model.name, "sha256": *model.sha256 })).collect::<Vec<_>>(),
        "rules": file.act.rules.len(),
        "tests": file.tests.len(),
        "mistakes": [],
        "warnings": warnings(file),
    })
}

fn located(mistakes: &Mistakes, mistake: &Mistake) -> serde_json::Value {
    let (line, column) = output::line_and_column(&mistakes.text, mistake.span.start);
    json!({ "line": line, "column": column, "message": mistake.message, "help": mistake.help })
}
