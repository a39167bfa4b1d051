//! `fourstroke state list`

use std::process::ExitCode;

use fourstroke::{ports::Item, state::shown};
use fourstroke_runtime::printable;
use serde_json::json;

use super::{VERSION, failed, nothing, rfc3339, store::Which, summary::summary};
use crate::output;

/// Lists what a store keeps about a subject.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  fourstroke state list N633JB --store redb:.fourstroke/state.redb
  fourstroke state list JFK --pipeline pipeline.yaml --store state --json | jq '.items[].sort'")]
pub struct Args {
    /// What events are about, such as customer:42; or a decision's id.
    subject: String,
    #[command(flatten)]
    which: Which,
    /// Print one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

pub async fn list(args: Args) -> anyhow::Result<ExitCode> {
    let (items, ended) = match args.which.open().await? {
        None => (Vec::new(), ExitCode::from(output::FAILED)),
        Some(opened) => match opened.store.list(&args.subject).await {
            Ok(items) if items.is_empty() => (items, nothing(&args.subject, &opened.shown)),
            Ok(items) => (items, ExitCode::SUCCESS),
            Err(error) => return Ok(failed(&opened.shown, &error.reason)),
        },
    };
    if args.json {
        let items: Vec<_> = items.iter().map(|(sort, item)| as_json(sort, item)).collect();
        output::print_json(&json!({ "v": VERSION, "subject": args.subject, "items": items }))?;
    } else {
        output::print(&text(&items))?;
    }
    Ok(ended)
}

fn as_json(sort: &str, item: &Item) -> serde_json::Value {
    json!({
        "sort": sort,
        "version": item.version,
        "expires": item.expires.map(rfc3339),
        "summary": summary(sort, &shown(sort, &item.value)),
    })
}

/// Writes a line for each item, the columns beneath each other.
fn text(items: &[(String, Item)]) -> String {
    let row = |(sort, item): &(String, Item)| {
        let expires = item.expires.map_or_else(|| "stays".to_owned(), |at| format!("until {}", rfc3339(at)));
        let cells =
            [sort.clone(), format!("version {}", item.version), expires, summary(sort, &shown(sort, &item.value))];
        cells.map(|cell| printable(&cell).into_owned())
    };
    let rows: Vec<[String; 4]> = items.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2)];
    rows.iter()
        .map(|[sort, version, expires, summary]| {
            format!("{sort:0$}  {version:1$}  {expires:2$}  {summary}\n", widths[0], widths[1], widths[2])
        })
        .collect()
}
