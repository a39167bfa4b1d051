//! The points a process is killed at, and a store and a sink that stop there: they say so, and wait for the end.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use fourstroke::ports::{Condition, Delete, Item, Key, Outgoing, Put, PutOutcome, SendError, Sink, Store, StoreError};
use tokio::time::Instant;

/// Where a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Decided, and nothing put.
    BeforeIntent,
    /// Put, and nothing sent.
    AfterIntent,
    /// The receiver has it, and has not answered. The receiver stops the process, not the wrappers below.
    Sent,
    /// The receiver has answered for all of a batch.
    Answered,
    /// The receiver has answered for some of a batch; the others are not sent.
    MidBatch,
    /// Put that it is done.
    Marked,
}

impl Point {
    pub const ALL: [Point; 6] =
        [Point::BeforeIntent, Point::AfterIntent, Point::Sent, Point::Answered, Point::MidBatch, Point::Marked];

    pub fn name(self) -> &'static str {
        match self {
            Point::BeforeIntent => "before-intent",
            Point::AfterIntent => "after-intent",
            Point::Sent => "sent-not-answered",
            Point::Answered => "after-answer",
            Point::MidBatch => "mid-batch",
            Point::Marked => "after-done",
        }
    }

    pub fn named(name: &str) -> Option<Point> {
        Point::ALL.into_iter().find(|point| point.name() == name)
    }
}

/// At which call of its kind a process stops.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub point: Point,
    pub call: usize,
    /// Of [`Point::MidBatch`], how many items get through.
    pub through: usize,
}

impl Stop {
    /// Tells the parent, and never returns. The core stops waiting at its deadline, so no process stays for ever.
    async fn here(&self) {
        // On a line of its own, whatever the test harness has written before.
        println!("\nat {}", self.point.name());
        let _ = std::io::stdout().flush();
        std::future::pending().await
    }
}

/// Stops around the puts of `once`: what has to be absent is an intent, all else marks what is done. In a process that starts
/// with an empty store, that is: nothing is taken over.
pub struct StopStore {
    inner: Arc<dyn Store>,
    stop: Option<Stop>,
    intents: AtomicUsize,
    marks: AtomicUsize,
}

impl StopStore {
    pub fn new(inner: Arc<dyn Store>, stop: Option<Stop>) -> StopStore {
        StopStore { inner, stop, intents: AtomicUsize::new(0), marks: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Store for StopStore {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.inner.get(keys).await
    }

    async fn get_by(&self, keys: &[Key], until: Instant) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        self.inner.get_by(keys, until).await
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        let begins = puts.iter().any(|put| put.condition == Condition::Absent);
        let (calls, after) = if begins { (&self.intents, Point::AfterIntent) } else { (&self.marks, Point::Marked) };
        let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
        let hit = |point: Point| self.stop.filter(|stop| stop.point == point && stop.call == call);
        if let Some(stop) = hit(Point::BeforeIntent).filter(|_| begins) {
            stop.here().await;
        }
        let answers = self.inner.put(puts).await;
        if let Some(stop) = hit(after) {
            stop.here().await;
        }
        answers
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        self.inner.delete(deletes).await
    }

    fn is_table(&self) -> bool {
        self.inner.is_table()
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        self.inner.list(partition).await
    }
}

/// Stops once a batch, or a part of it, is answered.
pub struct StopSink {
    inner: Arc<dyn Sink>,
    stop: Option<Stop>,
    calls: AtomicUsize,
}

impl StopSink {
    pub fn new(inner: Arc<dyn Sink>, stop: Option<Stop>) -> StopSink {
        StopSink { inner, stop, calls: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Sink for StopSink {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        self.inner.send(items).await
    }

    /// The core sends by this.
    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Result<(), SendError>>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let stop = self.stop.filter(|stop| stop.call == call);
        let stop = stop.filter(|stop| matches!(stop.point, Point::Answered | Point::MidBatch));
        let through = match stop {
            Some(stop) if stop.point == Point::MidBatch => stop.through,
            _ => items.len(),
        };
        let answers = self.inner.send_by(&items[..through], until).await;
        if let Some(stop) = stop {
            assert!(answers.iter().all(|answer| matches!(answer, Some(Ok(())))), "{answers:?}");
            stop.here().await;
        }
        answers
    }
}
