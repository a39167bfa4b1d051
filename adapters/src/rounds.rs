//! Items put into calls of many, for services that take what they can of a call and go on behind what failed.
//!
//! An item behind a failed one of its key may be taken all the same there, so no call holds two of a key: the second goes with the
//! next round, once the first is known to be taken.

use std::collections::HashSet;

use fourstroke::{
    error::Kind,
    ports::{Outgoing, SendError},
};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::at_once::AT_ONCE;

/// What one call may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

type Answer = Result<(), SendError>;

/// Sends items by calls within these bounds, until that moment; what has no answer by then is `None`. `weight` is what an item
/// counts in bytes; one that is heavier than a call may be is sent alone. Not `ordered`: every item goes with the first round.
pub(crate) async fn send<'a, F>(
    items: &'a [Outgoing],
    ordered: bool,
    bounds: Bounds,
    weight: impl Fn(&Outgoing) -> usize,
    until: Option<Instant>,
    call: impl Fn(Vec<&'a Outgoing>) -> F,
) -> Vec<Option<Answer>>
where
    F: Future<Output = Vec<Answer>>,
{
    let mut answers: Vec<Option<Answer>> = items.iter().map(|_| None).collect();
    let work = async {
        let mut waiting: Vec<usize> = (0..items.len()).collect();
        while !waiting.is_empty() {
            let (round, later) = if ordered { first_of_each_key(items, waiting) } else { (waiting, Vec::new()) };
            let calls = chunks(&round, bounds, |place| weight(&items[place])).into_iter().map(|places| {
                let call = call(places.iter().map(|&place| &items[place]).collect());
                async move { (places, call.await) }
            });
            let calls: Vec<_> = calls.collect();
            let mut ended = stream::iter(calls).buffer_unordered(AT_ONCE);
            while let Some((places, ends)) = ended.next().await {
                places.into_iter().zip(ends).for_each(|(place, end)| answers[place] = Some(end));
            }
            drop(ended);
            waiting = hold(items, &round, later, &mut answers);
        }
    };
    match until {
        None => work.await,
        // What came is kept either way.
        Some(until) => drop(timeout_at(until, work).await),
    }
    answers
}

/// Takes the first of each key, and all without a key, out of those that wait.
fn first_of_each_key(items: &[Outgoing], waiting: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    let mut seen: HashSet<&str> = HashSet::new();
    waiting.into_iter().partition(|&place| match items[place].key.as_deref() {
        Some(key) => seen.insert(key),
        None => true,
    })
}

/// Answers what stands behind a failed one of its key; returns what still waits.
fn hold(items: &[Outgoing], round: &[usize], later: Vec<usize>, answers: &mut [Option<Answer>]) -> Vec<usize> {
    let failed = |answer: &Option<Answer>| matches!(answer, Some(Err(error)) if error.kind != Kind::Poison);
    let held: HashSet<&str> = round
        .iter()
        .filter(|&&place| failed(&answers[place]))
        .filter_map(|&place| items[place].key.as_deref())
        .collect();
    let (behind, waiting): (Vec<usize>, Vec<usize>) =
        later.into_iter().partition(|&place| items[place].key.as_deref().is_some_and(|key| held.contains(key)));
    behind.into_iter().for_each(|place| answers[place] = Some(Err(SendError::held())));
    waiting
}

fn chunks(places: &[usize], bounds: Bounds, weight: impl Fn(usize) -> usize) -> Vec<Vec<usize>> {
    let mut chunks: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for &place in places {
        let heavy = weight(place);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < bounds.items && bytes + heavy <= bounds.bytes => {
                chunk.push(place);
                bytes += heavy;
            }
            _ => {
                chunks.push(vec![place]);
                bytes = heavy;
            }
        }
    }
    chunks
}
