//! What every [`Sink`] must do. The suite reads back what the sink took through a closure.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;

use super::unique;
use crate::{
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};

/// Says how far a service goes.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// One body per line. Such a sink refuses, as poison, a body that would break its framing: one with a newline. Else
    /// bodies may hold any bytes.
    pub lines: bool,
    /// The longest body it must take, in bytes.
    pub largest_body: usize,
    /// How many items one call must take, whatever the service's own batch limit is.
    pub items_per_call: usize,
    /// The order per key can be read back.
    pub ordered: bool,
}

impl Default for Capabilities {
    fn default() -> Capabilities {
        Capabilities { lines: false, largest_body: 128 * 1024, items_per_call: 1_000, ordered: true }
    }
}

/// Runs everything. `taken` returns the bodies the sink has taken so far, in its order per key; others than the suite's
/// may be among them.
pub async fn suite<R: AsyncFn() -> Vec<Bytes>>(sink: Arc<dyn Sink>, taken: R, can: Capabilities) {
    empty_call(&*sink, &taken).await;
    order(&*sink, &taken, can).await;
    many_items(&*sink, &taken, can).await;
    bodies(&*sink, &taken, can).await;
    newlines(&*sink, &taken, can).await;
    concurrent_calls(sink, &taken, can).await;
}

/// Checks that a call of nothing is answered with nothing and sends nothing.
pub async fn empty_call<R: AsyncFn() -> Vec<Bytes>>(sink: &dyn Sink, taken: &R) {
    let before = taken().await.len();
    assert!(sink.send(&[]).await.is_empty(), "a call of no items must be answered with nothing");
    assert_eq!(taken().await.len(), before, "a call of no items must send nothing");
}

/// Checks that every item is taken once, that items of one key keep their order within and over calls, and that an item
/// without a key is taken too.
pub async fn order<R: AsyncFn() -> Vec<Bytes>>(sink: &dyn Sink, taken: &R, can: Capabilities) {
    let run = unique("order");
    let items: Vec<Outgoing> = (0..60).map(|n| item(&run, ["a", "b", "ключ", ""][n % 4], n, "")).collect();
    for call in items.chunks(25) {
        all_taken(sink.send(call).await, call.len());
    }
    compare(&items, &taken().await, &run, can);
}

/// Checks a call of many items.
pub async fn many_items<R: AsyncFn() -> Vec<Bytes>>(sink: &dyn Sink, taken: &R, can: Capabilities) {
    let run = unique("many");
    let items: Vec<Outgoing> = (0..can.items_per_call).map(|n| item(&run, &format!("k{}", n % 13), n, "")).collect();
    all_taken(sink.send(&items).await, items.len());
    compare(&items, &taken().await, &run, can);
}

/// Checks that bodies arrive as they are: any text, and as long as the service must take.
pub async fn bodies<R: AsyncFn() -> Vec<Bytes>>(sink: &dyn Sink, taken: &R, can: Capabilities) {
    let run = unique("bodies");
    let mut items: Vec<Outgoing> = ["größer 🦀", " spaces ", "\\n \\u0000", "a\tb", "'\"`${x}"]
        .iter()
        .enumerate()
        .map(|(n, text)| item(&run, "a", n, text))
        .collect();
    let room = can.largest_body - item(&run, "a", items.len(), "").body.len();
    items.push(item(&run, "a", items.len(), &"x".repeat(room)));
    all_taken(sink.send(&items).await, items.len());
    compare(&items, &taken().await, &run, can);
}

/// Checks a body with a newline: refused as poison by a line sink, without holding the items around it; taken as it is
/// by any other.
pub async fn newlines<R: AsyncFn() -> Vec<Bytes>>(sink: &dyn Sink, taken: &R, can: Capabilities) {
    let run = unique("newlines");
    let mut items: Vec<Outgoing> = ["before", "in\nside", "after", "at the end\n"]
        .iter()
        .enumerate()
        .map(|(n, text)| item(&run, "a", n, text))
        .collect();
    let answers = sink.send(&items).await;
    assert_eq!(answers.len(), items.len(), "send must give one answer per item");
    if !can.lines {
        all_taken(answers, items.len());
    } else {
        for (place, answer) in answers.into_iter().enumerate() {
            if place % 2 == 0 {
                answer.unwrap_or_else(|error| panic!("an item beside a refused one must be taken, but: {error}"));
                continue;
            }
            let error = answer.expect_err("a line sink must refuse a body with a newline: it would be read as two");
            assert_eq!((error.kind, error.sent), (Kind::Poison, Sent::No), "no repetition helps: {error}");
        }
        items.retain(|item| !item.body.contains(&b'\n'));
    }
    compare(&items, &taken().await, &run, can);
}

/// Checks that calls at the same time do not mix their bodies, and that each keeps its order.
pub async fn concurrent_calls<R: AsyncFn() -> Vec<Bytes>>(sink: Arc<dyn Sink>, taken: &R, can: Capabilities) {
    const CALLS: usize = 4;
    let run = unique("concurrent");
    let each = can.items_per_call.min(200);
    let text = "long enough not to fit any buffer in one piece ".repeat(20);
    let calls: Vec<Vec<Outgoing>> = (0..CALLS)
        .map(|call| (0..each).map(|n| item(&run, &format!("call {call}"), n, &text[..n % text.len()])).collect())
        .collect();
    let tasks: Vec<_> = calls
        .iter()
        .cloned()
        .map(|items| {
            let sink = sink.clone();
            tokio::spawn(async move { sink.send(&items).await })
        })
        .collect();
    for task in tasks {
        all_taken(task.await.expect("send must not panic"), each);
    }
    compare(&calls.concat(), &taken().await, &run, can);
}

/// Makes an item whose body names its run, key and place.
fn item(run: &str, key: &str, n: usize, text: &str) -> Outgoing {
    Outgoing {
        id: format!("{run}-{key}-{n}").into(),
        key: (!key.is_empty()).then(|| key.into()),
        content_type: "application/json",
        attributes: vec![("run", run.into())],
        body: Bytes::from(format!("{{\"run\":\"{run}\",\"key\":\"{key}\",\"n\":{n},\"text\":\"{text}\"}}")),
    }
}

fn all_taken(answers: Vec<Result<(), SendError>>, sent: usize) {
    assert_eq!(answers.len(), sent, "send must give one answer per item");
    for (place, answer) in answers.into_iter().enumerate() {
        answer.unwrap_or_else(|error| panic!("item {place} must be taken, but: {error}"));
    }
}

/// Compares what was sent in this run with what was taken of it.
fn compare(sent: &[Outgoing], taken: &[Bytes], run: &str, can: Capabilities) {
    let mine: Vec<&Bytes> =
        taken.iter().filter(|body| body.windows(run.len()).any(|part| part == run.as_bytes())).collect();
    let mut times: HashMap<&Bytes, usize> = HashMap::new();
    for body in &mine {
        *times.entry(*body).or_default() += 1;
    }
    for item in sent {
        let times = times.get(&item.body).copied().unwrap_or_default();
        assert_eq!(times, 1, "{} must be taken exactly once, byte for byte", item.id);
    }
    assert_eq!(mine.len(), sent.len(), "nothing but what was sent may be taken");
    if !can.ordered {
        return;
    }
    let keys: HashMap<&Bytes, &Outgoing> = sent.iter().map(|item| (&item.body, item)).collect();
    let mut order: HashMap<&str, Vec<&Bytes>> = HashMap::new();
    for body in mine {
        if let Some(key) = &keys[body].key {
            order.entry(key).or_default().push(body);
        }
    }
    for (key, bodies) in order {
        let expected = sent.iter().filter(|item| item.key.as_deref() == Some(key)).map(|item| &item.body);
        assert!(bodies.into_iter().eq(expected), "the items of key {key:?} must be taken in the order sent");
    }
}
