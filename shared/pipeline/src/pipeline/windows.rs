//! Writes windows back, now that it is known how the events ended: those that are asked for again are not counted yet. What
//! cannot be written makes its events be asked for again.

use futures_util::future::join_all;

use super::Inner;
use crate::{
    clock::{Clock, Deadline},
    enrich::Advanced,
    error::{Error, Kind},
    ports::Item,
    report::{Decision, Disposition},
    state::{self, Change},
};

/// What could not be written.
#[derive(Default)]
pub(super) struct Unwritten {
    /// Decisions that are not counted yet, and why.
    pub again: Vec<(usize, Error)>,
    /// Why a store refuses a window for good: no repetition would help.
    pub refused: Vec<String>,
}

/// Writes what windows came to, each key once, all windows at the same time.
pub(super) async fn write(
    pipeline: &Inner,
    windows: &[Advanced],
    decisions: &[Decision],
    clock: &Clock,
    deadline: Deadline,
) -> Unwritten {
    let writes = windows.iter().map(|advanced| async move {
        let mut unwritten = Unwritten::default();
        let lookup = &pipeline.lookups[advanced.lookup];
        let Some(window) = &lookup.window else { return unwritten };
        let counts = |place: usize| decisions[place].disposition != Disposition::Retry;
        let now = clock.now();
        let news = advanced.keys.iter().filter_map(|key| Some((key, key.put(window, now, counts)?)));
        let (keys, puts): (Vec<_>, Vec<_>) = news.map(|(key, put)| (key, Change::Put(put))).unzip();
        if keys.is_empty() {
            return unwritten;
        }
        let again =
            |place: usize, item: Option<Item>| keys[place].merge(window, item.as_ref(), now, counts).map(Change::Put);
        let ended = state::change(&*lookup.store, puts, deadline, again).await;
        for (key, error) in keys.iter().zip(ended).filter_map(|(key, ended)| Some((key, ended.err()?))) {
            if error.kind == Kind::Poison {
                unwritten.refused.push(format!("the window `{}`: {}", lookup.name, error.reason));
                continue;
            }
            let error = lookup.failed(error);
            unwritten.again.extend(key.counting().filter(|place| counts(*place)).map(|place| (place, error.clone())));
        }
        unwritten
    });
    let mut all = Unwritten::default();
    for unwritten in join_all(writes).await {
        all.again.extend(unwritten.again);
        all.refused.extend(unwritten.refused);
    }
    all
}
