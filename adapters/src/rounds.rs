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

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use bytes::Bytes;
    use fourstroke::ports::Sent;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_call_holds_at_most_so_many_items_and_bytes(
            weights in prop::collection::vec(0usize..30, 0..60),
            items in 1usize..8,
            bytes in 1usize..25,
        ) {
            let places: Vec<usize> = (0..weights.len()).collect();
            let bounds = Bounds { items, bytes };
            let chunks = chunks(&places, bounds, |place| weights[place]);
            prop_assert_eq!(chunks.concat(), places);
            let heavy = |chunk: &[usize]| chunk.iter().map(|&place| weights[place]).sum::<usize>();
            for chunk in &chunks {
                prop_assert!(!chunk.is_empty() && chunk.len() <= items);
                prop_assert!(heavy(chunk) <= bytes || chunk.len() == 1, "what is too heavy goes alone");
            }
            for pair in chunks.windows(2) {
                let full = pair[0].len() == items || heavy(&pair[0]) + weights[pair[1][0]] > bytes;
                prop_assert!(full, "no call is begun without need");
            }
        }
    }

    /// Items of these keys, named by their key and number; `-` is no key.
    fn items(keys: &[&str]) -> Vec<Outgoing> {
        let item = |(number, key): (usize, &&str)| Outgoing {
            id: format!("{key}{number}").into(),
            key: (*key != "-").then(|| (*key).into()),
            content_type: "application/json",
            attributes: Vec::new(),
            body: Bytes::new(),
        };
        keys.iter().enumerate().map(item).collect()
    }

    /// Sends by calls of three at most, each item of weight 1; gives the ids of each call and what became of the items.
    async fn sent(
        items: &[Outgoing],
        ordered: bool,
        answer: impl Fn(&str) -> Answer,
    ) -> (Vec<Vec<String>>, Vec<Option<Answer>>) {
        let calls = Mutex::new(Vec::new());
        let bounds = Bounds { items: 3, bytes: 100 };
        let call = |items: Vec<&Outgoing>| {
            calls.lock().unwrap().push(items.iter().map(|item| item.id.to_string()).collect());
            let answers = items.iter().map(|item| answer(&item.id)).collect();
            std::future::ready(answers)
        };
        let answers = send(items, ordered, bounds, |_| 1, None, call).await;
        (calls.into_inner().unwrap(), answers)
    }

    fn failed(kind: Kind) -> Answer {
        Err(SendError { kind, sent: Sent::No, reason: "because".to_owned() })
    }

    #[tokio::test]
    async fn no_call_holds_two_of_a_key_and_each_key_keeps_its_order() {
        let items = items(&["a", "a", "b", "-", "c", "-", "a", "b"]);
        let (calls, answers) = sent(&items, true, |_| Ok(())).await;
        assert_eq!(calls, [vec!["a0", "b2", "-3"], vec!["c4", "-5"], vec!["a1", "b7"], vec!["a6"]]);
        assert!(answers.iter().all(|answer| *answer == Some(Ok(()))), "{answers:?}");
    }

    #[tokio::test]
    async fn without_order_all_go_with_the_first_round() {
        let (calls, _) = sent(&items(&["a"; 7]), false, |_| failed(Kind::Retryable)).await;
        assert_eq!(calls, [vec!["a0", "a1", "a2"], vec!["a3", "a4", "a5"], vec!["a6"]]);
    }

    #[tokio::test]
    async fn what_may_be_taken_later_holds_its_key_and_poison_does_not() {
        for kind in [Kind::Retryable, Kind::Fatal, Kind::Poison] {
            let answer = |id: &str| if id == "a0" { failed(kind) } else { Ok(()) };
            let (calls, answers) = sent(&items(&["a", "a", "b", "a", "b"]), true, answer).await;
            let behind = if kind == Kind::Poison { Ok(()) } else { Err(SendError::held()) };
            let ends = [failed(kind), behind.clone(), Ok(()), behind, Ok(())];
            assert_eq!(answers, ends.map(Some), "{kind:?}");
            let went = calls.concat();
            assert_eq!(went.len(), if kind == Kind::Poison { 5 } else { 3 }, "{kind:?}: {went:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_answer_by_then_is_none() {
        let items = items(&["a", "b", "b", "a"]);
        let bounds = Bounds { items: 1, bytes: 100 };
        let until = Instant::now() + Duration::from_secs(5);
        let call = async |items: Vec<&Outgoing>| {
            if items[0].id == "b1" {
                std::future::pending::<()>().await;
            }
            vec![Ok(())]
        };
        let answers = send(&items, true, bounds, |_| 1, Some(until), call).await;
        assert_eq!(answers, [Some(Ok(())), None, None, None]);
    }
}
