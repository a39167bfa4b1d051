//! `large:` of a sink: where goes what the sink itself refuses, such as what is too large for it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    error::Kind,
    ports::{Outgoing, SendError, Sink},
};

/// A sink, and another for what it refuses for good.
pub(super) struct WithLarge {
    pub sink: Arc<dyn Sink>,
    pub large: Arc<dyn Sink>,
}

#[async_trait]
impl Sink for WithLarge {
    async fn connect(&self) {
        futures_util::future::join(self.sink.connect(), self.large.connect()).await;
    }

    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let mut answers = self.sink.send(items).await;
        let refused = |place: &usize| matches!(&answers[*place], Err(error) if error.kind == Kind::Poison);
        let places: Vec<usize> = (0..answers.len()).filter(refused).collect();
        if !places.is_empty() {
            let again = of(items, &places);
            let ends = self.large.send(&again).await;
            places.into_iter().zip(ends).for_each(|(place, end)| answers[place] = end);
        }
        answers
    }

    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Result<(), SendError>>> {
        let mut answers = self.sink.send_by(items, until).await;
        let refused = |place: &usize| matches!(&answers[*place], Some(Err(error)) if error.kind == Kind::Poison);
        let places: Vec<usize> = (0..answers.len()).filter(refused).collect();
        if !places.is_empty() {
            let again = of(items, &places);
            let ends = self.large.send_by(&again, until).await;
            places.into_iter().zip(ends).for_each(|(place, end)| answers[place] = end);
        }
        answers
    }
}

fn of(items: &[Outgoing], places: &[usize]) -> Vec<Outgoing> {
    places.iter().map(|place| items[*place].clone()).collect()
}
