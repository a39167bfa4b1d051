//! `fourstroke state forget`

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::bail;
use fourstroke::ports::{Delete, Item, Key, PutOutcome, Store};
use fourstroke_runtime::printable;
use serde_json::json;

use super::{VERSION, failed, nothing, store::Which};
use crate::output;

/// How often it is looked whether anything is left: others may write meanwhile.
const ROUNDS: usize = 10;

/// Removes everything that a store keeps about a subject.
#[derive(clap::Args)]
#[command(after_help = "\
That is all limits and windows whose first part of `by` is the subject, and what was done `once` for events whose key it is: an
event of it that is delivered again acts again. Notes for outcomes are kept under the ids of decisions, not under the
subject: they hold two times, and expire. The decision log is no store: what it holds of the subject stays.

Others may write at the same time, so it is removed until nothing is left; it is said if something is in the end.

Examples:
  fourstroke state forget customer:42 --store redb:.fourstroke/state.redb
  fourstroke state forget customer:42 --pipeline pipeline.yaml --store state --json | jq .removed")]
pub struct Args {
    /// What events are about, such as customer:42; or a decision's id.
    subject: String,
    #[command(flatten)]
    which: Which,
    /// Print one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
struct Forgotten {
    /// By what their sort keys begin with.
    removed: BTreeMap<String, usize>,
    left: usize,
    /// Why it could not go on.
    failed: Option<String>,
}

pub async fn forget(args: Args) -> anyhow::Result<ExitCode> {
    let opened = args.which.open().await?;
    let ended = match &opened {
        None => Forgotten::default(),
        Some(opened) if opened.store.is_table() => {
            bail!("`{}` is a table, which is only looked up in: change the table where it is made", opened.shown)
        }
        Some(opened) => everything(&*opened.store, &args.subject).await,
    };
    let store = opened.as_ref().map_or("", |opened| &opened.shown);
    let subject = printable(&args.subject);
    if args.json {
        let (removed, left) = (&ended.removed, ended.left);
        output::print_json(&json!({ "v": VERSION, "subject": args.subject, "removed": removed, "left": left }))?;
    } else if !ended.removed.is_empty() {
        let count: usize = ended.removed.values().sum();
        let items = if count == 1 { "item" } else { "items" };
        let kinds: Vec<String> = ended.removed.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        output::print(&format!("removed {count} {items} under `{subject}` in `{store}`: {}\n", kinds.join(", ")))?;
    }
    Ok(match ended {
        _ if opened.is_none() => ExitCode::from(output::FAILED),
        Forgotten { failed: Some(why), .. } => failed(store, &why),
        Forgotten { left: 1.., .. } => {
            let why =
                format!("{} items are still there: others go on writing them; stop those, and try again", ended.left);
            failed(store, &why)
        }
        Forgotten { removed, .. } if removed.is_empty() => nothing(&args.subject, store),
        Forgotten { .. } => ExitCode::SUCCESS,
    })
}

/// Removes what is listed, until nothing is.
async fn everything(store: &dyn Store, subject: &str) -> Forgotten {
    let mut ended = Forgotten::default();
    for _ in 0..ROUNDS {
        let items = match store.list(subject).await {
            Ok(items) => items,
            Err(error) => return Forgotten { failed: Some(error.reason), ..ended },
        };
        ended.left = items.len();
        if items.is_empty() {
            break;
        }
        let delete = |(sort, item): &(String, Item)| Delete { key: Key::new(subject, sort), version: item.version };
        let deletes: Vec<Delete> = items.iter().map(delete).collect();
        for ((sort, _), answer) in items.iter().zip(store.delete(&deletes).await) {
            match answer {
                Ok(PutOutcome::Done(_)) => {
                    ended.left -= 1;
                    *ended.removed.entry(kind(sort)).or_default() += 1;
                }
                // It expired, or somebody else removed it.
                Ok(PutOutcome::Refused(None)) => ended.left -= 1,
                Ok(PutOutcome::Refused(Some(_))) => {}
                Err(error) => ended.failed = ended.failed.or(Some(error.reason)),
            }
        }
        if ended.failed.is_some() {
            break;
        }
    }
    ended
}

fn kind(sort: &str) -> String {
    printable(sort.split_once('#').map_or(sort, |(kind, _)| kind)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use fourstroke::{
        clock::Clock,
        ports::{Condition, Put, StoreError},
    };
    use fourstroke_adapters::memory::MemoryStore;

    use super::*;

    /// Somebody writes an item anew after each of so many lists.
    struct Busy {
        store: MemoryStore,
        writes: AtomicUsize,
    }

    impl Busy {
        async fn new(writes: usize) -> Busy {
            let busy = Busy { store: MemoryStore::new(Clock::system()), writes: AtomicUsize::new(writes) };
            busy.write("limit#offer", Condition::Absent).await;
            busy.write("window#orders", Condition::Absent).await;
            busy
        }

        async fn write(&self, sort: &str, condition: Condition) {
            let put = Put { key: Key::new("ada", sort), value: 1.into(), condition, expires: None };
            let answers = self.store.put(&[put]).await;
            assert!(matches!(answers[..], [Ok(PutOutcome::Done(_))]), "{answers:?}");
        }
    }

    #[async_trait]
    impl Store for Busy {
        async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
            self.store.get(keys).await
        }

        async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
            self.store.put(puts).await
        }

        async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
            self.store.delete(deletes).await
        }

        async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
            let listed = self.store.list(partition).await?;
            let left = self.writes.load(Ordering::SeqCst);
            if let Some((sort, item)) = listed.first().filter(|_| left > 0) {
                self.writes.store(left - 1, Ordering::SeqCst);
                self.write(sort, Condition::Version(item.version)).await;
            }
            Ok(listed)
        }
    }

    #[tokio::test]
    async fn what_others_write_meanwhile_is_removed_too() {
        let ended = everything(&Busy::new(3).await, "ada").await;
        let removed = [("limit".to_owned(), 1), ("window".to_owned(), 1)].into();
        assert_eq!(ended, Forgotten { removed, left: 0, failed: None });
    }

    #[tokio::test]
    async fn it_ends_though_others_never_stop() {
        let ended = everything(&Busy::new(usize::MAX).await, "ada").await;
        assert_eq!((ended.left, ended.removed.get("window"), ended.failed), (1, Some(&1), None));
    }
}
