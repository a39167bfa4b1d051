//! `fourstroke schema`

use std::process::ExitCode;

use crate::output;

/// Prints the JSON Schema of pipeline.yaml, for editors.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mkdir -p .fourstroke && fourstroke schema > .fourstroke/schema.json
  then, as the first line of pipeline.yaml:
  # yaml-language-server: $schema=./.fourstroke/schema.json")]
pub struct Args;

pub fn schema() -> anyhow::Result<ExitCode> {
    output::print(fourstroke::config::schema())?;
    Ok(ExitCode::SUCCESS)
}
