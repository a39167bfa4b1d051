//! `fourstroke state get`

use std::process::ExitCode;

use fourstroke::{
    ports::{Item, Key, Store, StoreError},
    state::shown,
};
use fourstroke_runtime::printable;
use serde_json::json;

use super::{VERSION, failed, rfc3339, store::Which};
use crate::output;

/// Prints one item that a store keeps about a subject, whole.
#[derive(clap::Args)]
#[command(after_help = "\
`fourstroke state list` tells the kinds. Behind a window's name stands a digest of what it counts, behind a limit's its
time: the name is enough where one item has it. Control characters may be given as the list writes them, such as \\u{1f}.

Examples:
  fourstroke state get JFK 'window#airport' --store redb:.fourstroke/state.redb
  fourstroke state get JFK 'limit#rebook' --pipeline pipeline.yaml --store state --json | jq '.value | length'")]
pub struct Args {
    /// What events are about, such as customer:42; or a decision's id.
    subject: String,
    /// What of it: `once#…`, `limit#…`, `window#…` or `decision`; left out for a table whose key is one column.
    #[arg(default_value = "")]
    kind: String,
    #[command(flatten)]
    which: Which,
    /// Print one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

pub async fn get(args: Args) -> anyhow::Result<ExitCode> {
    let Some(opened) = args.which.open().await? else { return Ok(ExitCode::from(output::FAILED)) };
    let (sort, item) = match find(&*opened.store, &args.subject, &args.kind).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let (kind, subject) = (printable(&args.kind), printable(&args.subject));
            output::tell(&format!("no `{kind}` is kept under `{subject}` in `{}`\n", opened.shown));
            return Ok(ExitCode::from(output::FAILED));
        }
        Err(error) => return Ok(failed(&opened.shown, &error.reason)),
    };
    let (value, expires) = (shown(&sort, &item.value), item.expires.map(rfc3339));
    if args.json {
        output::print_json(&json!({
            "v": VERSION,
            "subject": args.subject,
            "sort": sort,
            "version": item.version,
            "expires": expires,
            "value": value,
        }))?;
    } else {
        let expires = expires.unwrap_or_else(|| "never".to_owned());
        let head =
            [("subject", args.subject), ("kind", sort), ("version", item.version.to_string()), ("expires", expires)];
        let head = head.map(|(name, said)| format!("{name:8} {}\n", printable(&said))).concat();
        let value = serde_json::to_string_pretty(&value)?;
        let value: String = value.lines().map(|line| format!("{}\n", printable(line))).collect();
        output::print(&format!("{head}{value}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds an item by its kind, by how the list writes that, or by its name where one item alone has it.
async fn find(store: &dyn Store, subject: &str, kind: &str) -> Result<Option<(String, Item)>, StoreError> {
    let found = store.get(&[Key::new(subject, kind)]).await.into_iter().next().transpose()?.flatten();
    if let Some(item) = found {
        return Ok(Some((kind.to_owned(), item)));
    }
    if kind.is_empty() || store.is_table() {
        return Ok(None);
    }
    let mut items = store.list(subject).await?;
    if let Some(place) = items.iter().position(|(sort, _)| printable(sort) == kind) {
        return Ok(Some(items.swap_remove(place)));
    }
    let name = format!("{kind}#");
    items.retain(|(sort, _)| sort.starts_with(&name));
    Ok(if items.len() == 1 { items.pop() } else { None })
}
