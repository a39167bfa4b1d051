//! `fourstroke why`

mod entry;
mod search;

use std::{collections::BTreeSet, io, path::PathBuf, process::ExitCode};

use anyhow::{anyhow, bail};
use fourstroke::config::Resource;
use fourstroke_adapters::file::gives_rows;
use serde_json::json;

use self::search::{Found, SHORTEST, Wanted};
use crate::{
    explain::{
        picture::{Picture, VERSION},
        text::{self, Manner},
    },
    output,
};

/// Shows why an earlier event was decided as it was, from the decision log.
#[derive(clap::Args)]
#[command(after_help = "\
All entries of the decision are shown, the newest last: there are several where an event was delivered again. So is how it
turned out, as told behind it: give several logs in the order they were written. Lines of the log that are no entries
are counted on standard error. Exit codes: 0 found, 1 not found, 2 wrong usage, or the id is that of several decisions.
docs/EXPLAIN.md describes what --json prints.

Examples:
  fourstroke why 2013-12-29-B61013-JFK --log out/decisions.jsonl
  fourstroke why 7a1be009 --log out/decisions.jsonl
  fourstroke why 7a1be009 --log out/monday.jsonl.zst --log out/tuesday.jsonl --json | jq '.events[-1].infer'")]
pub struct Args {
    /// The decision's id, or its first 8 characters or more; or the event's id.
    id: String,
    /// The decision log: .jsonl, .ndjson or .json, plain, .gz or .zst; `-` is standard input. May be given several times.
    #[arg(long, value_name = "FILE|-", required = true)]
    log: Vec<PathBuf>,
    /// Print one line of JSON on standard output instead, with nothing shortened.
    #[arg(long)]
    json: bool,
}

pub async fn why(args: Args) -> anyhow::Result<ExitCode> {
    let mut wanted = Wanted::new(&args.id);
    let mut found = Found::default();
    for path in &args.log {
        let Some(name) = path.to_str() else { bail!("--log {}: the path is not UTF-8", path.display()) };
        let resource = Resource::new("--log", format!("file:{name}"));
        if gives_rows(&resource) == Some(true) {
            bail!("--log {name}: a decision log has lines of JSON, not rows");
        }
        wanted.search(&resource, &mut found).await.map_err(|why| anyhow!("--log: {why}"))?;
    }
    tell_bad(&found);
    let Found { mut entries, outcomes, bad_lines, .. } = found;
    if entries.iter().any(|entry| wanted.names_event(entry)) {
        entries.retain(|entry| wanted.names_event(entry));
    } else {
        let decisions: BTreeSet<&str> = entries.iter().map(|entry| entry.decision_id.as_str()).collect();
        if decisions.len() > 1 {
            let list: Vec<&str> = decisions.into_iter().collect();
            bail!("`{}` is how several decisions begin; give more of it:\n  {}", args.id, list.join("\n  "));
        }
    }
    if entries.is_empty() {
        let short = if args.id.len() < SHORTEST { "; of a decision's id give 8 characters or more" } else { "" };
        output::tell(&format!("no decision `{}`, and no event of that id, is in the log{short}\n", args.id));
        if args.json {
            output::print_json(&json!({ "v": VERSION, "events": [], "bad_lines": bad_lines }))?;
        }
        return Ok(ExitCode::from(output::FAILED));
    }
    // All are written in one form and in UTC: they sort as texts. The order of the log stands among equals.
    entries.sort_by(|one, other| one.decided_at.cmp(&other.decided_at));
    let pictures: Vec<Picture> = entries.into_iter().map(|entry| entry.picture(&outcomes)).collect();
    if args.json {
        output::print_json(&json!({ "v": VERSION, "events": pictures, "bad_lines": bad_lines }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if pictures.len() > 1 {
        output::print(&format!("The log has {} entries, the newest last.\n\n", pictures.len()))?;
    }
    let manner = Manner { colours: output::colours(&io::stdout()), would: false };
    output::print(&text::text(&pictures, manner))?;
    Ok(ExitCode::SUCCESS)
}

/// Says what of the logs could not be read.
fn tell_bad(found: &Found) {
    if found.bad_lines > 0 {
        let lines = if found.bad_lines == 1 { "1 line is no entry" } else { "lines are no entries" };
        let count = if found.bad_lines == 1 { String::new() } else { format!("{} ", found.bad_lines) };
        output::tell(&format!("the log: {count}{lines} and passed over\n"));
    }
    found.damaged.iter().for_each(|why| output::tell(&format!("the log: {why}\n")));
}
