//! `fourstroke validate`

use std::{path::PathBuf, process::ExitCode};

use fourstroke::config::{BodyFormat, Mistake, Mistakes, Name, PipelineFile, Resource, RuleConfig};
use fourstroke_adapters::open::has_stable_ids;
use serde_json::{Value, json};

use crate::{
    deployed::{self, Deployable, Platform, Refused},
    env_file::{EnvFile, Wrong},
    open::{self, Built, Sinks},
    output,
};

/// Checks a pipeline file and everything it names, without running it.
#[derive(clap::Args)]
#[command(after_help = "\
Reads tables, loads models and compiles expressions. Nothing is sent or written. Exit codes: 0 fine, 2 not.

With --for it finds what a function would refuse at its start: places that do not outlive it, variables that are not set, services
its handler does not link, files no package can have. The variables of --env-file are all there are then, none without one. No
service is asked: whether a stream or a table is there shows when it is deployed.

Examples:
  fourstroke validate pipeline.yaml
  fourstroke validate pipeline.yaml --json | jq '.mistakes[].message'
  fourstroke validate examples/flights/pipeline.yaml --for lambda --env-file examples/flights/lambda.env")]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
    /// Where it will be deployed to.
    #[arg(long = "for", value_enum, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// The variables it will have there: lines of NAME=value.
    #[arg(long, value_name = "FILE", requires = "platform")]
    env_file: Option<PathBuf>,
    /// Print one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

pub async fn validate(args: Args) -> anyhow::Result<ExitCode> {
    let found = match args.platform {
        None => check(&args).await,
        Some(platform) => check_for(&args, platform).await,
    };
    match found {
        Ok(found) if args.json => output::print_json(&found.described)?,
        Ok(found) => {
            found.warnings.iter().for_each(|warning| output::tell(&format!("warning: {warning}\n")));
            output::print(&format!("{}: {}\n", args.pipeline.display(), found.said))?;
        }
        Err(refused) if args.json => {
            let environment = refused.environment.iter().map(in_environment);
            let pipeline = refused
                .pipeline
                .iter()
                .flat_map(|mistakes| mistakes.list.iter().map(|mistake| located(mistakes, mistake)));
            let list: Vec<Value> = environment.chain(pipeline).collect();
            output::print_json(&json!({ "pipeline": args.pipeline, "fine": false, "mistakes": list }))?;
            return Ok(ExitCode::from(output::USAGE));
        }
        Err(refused) => return Err(refused.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is told of a file that is fine.
struct Found {
    said: String,
    described: Value,
    warnings: Vec<String>,
}

async fn check(args: &Args) -> Result<Found, Refused> {
    let file = open::read(&args.pipeline).map_err(Refused::pipeline)?;
    let sources: Vec<Resource> = file.sources.iter().map(|(_, resource)| resource.clone()).collect();
    let built =
        open::build(file, &sources.iter().collect::<Vec<_>>(), Sinks::Checked).await.map_err(Refused::pipeline)?;
    let warnings = warnings(&built.file);
    let said = format!("fine: {}", counted(&built.file));
    Ok(Found { said, described: described(&built, &warnings), warnings })
}

async fn check_for(args: &Args, platform: Platform) -> Result<Found, Refused> {
    let environment = args.env_file.as_deref().map(EnvFile::read).transpose().map_err(Refused::environment)?;
    let environment = environment.unwrap_or_default();
    let found = deployed::check(&args.pipeline, platform, Some(&environment)).await?;
    let said = format!("fine for {}: {}", platform.as_str(), counted(&found.file));
    let Deployable { file, version, packaged, warnings, .. } = found;
    let described = json!({
        "pipeline": file.path,
        "fine": true,
        "for": platform.as_str(),
        "name": file.name.text,
        "version": version,
        "files": packaged.keys().collect::<Vec<_>>(),
        "lookups": file.enrich.len(),
        "models": file.infer.len(),
        "rules": file.act.rules.len(),
        "tests": file.tests.len(),
        "mistakes": [],
        "warnings": warnings,
    });
    Ok(Found { said, described, warnings })
}

/// Returns a rule that acts `once` where the file does not say what an event's id is.
pub fn once_without_ids(file: &PipelineFile) -> Option<&RuleConfig> {
    // CloudEvents have ids of their own.
    let own_ids = file.event.id.is_some() || file.event.format == BodyFormat::CloudEvents;
    file.act.rules.iter().find(|rule| rule.once.is_some()).filter(|_| !own_ids)
}

/// Says what is allowed and most likely not meant.
fn warnings(file: &PipelineFile) -> Vec<String> {
    let Some(rule) = once_without_ids(file) else { return Vec::new() };
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

fn described(built: &Built, warnings: &[String]) -> Value {
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
        "warnings": warnings,
    })
}

fn located(mistakes: &Mistakes, mistake: &Mistake) -> Value {
    let (line, column) = output::line_and_column(&mistakes.text, mistake.span.start);
    let (message, help) = (&mistake.message, &mistake.help);
    json!({ "file": mistakes.path, "line": line, "column": column, "message": message, "help": help })
}

/// A mistake in a file of variables.
fn in_environment(wrong: &Wrong) -> Value {
    json!({ "file": wrong.path, "line": wrong.line, "message": wrong.message })
}
