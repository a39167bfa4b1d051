//! The second stroke: look things up. The keys of the whole batch, each once, cache first, one read per store.

mod asked;
mod cache;
mod keys;
mod row;
mod wave;
mod window;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use tokio::time::Instant;

use keys::Keys;

pub(crate) use cache::Cache;
pub(crate) use row::{Row, Shape};
pub(crate) use wave::{Batch, Wave};
pub(crate) use window::{Advanced, Counts, Window, shown};

use crate::{
    clock::{Clock, Deadline},
    error::{Code, Error, Kind, Stage},
    expression::Expression,
    pipeline::{Stubs, retry::Retry},
    ports::{Item, Key, Store, StoreError},
    record::Shared,
    report::{Decision, Seen},
    state,
};

/// One lookup.
pub(crate) struct Lookup {
    pub name: Arc<str>,
    /// Its place in the record.
    pub place: usize,
    pub store: Arc<dyn Store>,
    pub keys: Vec<Expression>,
    pub shape: Shape,
    /// What stands in for something that is not found; none: the event is poison.
    pub missing: Option<Arc<Shared>>,
    pub timeout: Option<Duration>,
    /// Lookups of one wave are asked at the same time; a later wave's keys may read an earlier one's answers.
    pub wave: usize,
    pub cache: Option<Cache>,
    /// Not a row that is found, but what happened lately.
    pub window: Option<Window>,
}

/// What a store said about one key, when, and until when it may be used again.
#[derive(Clone)]
struct Answer {
    asked: DateTime<Utc>,
    expires: Option<DateTime<Utc>>,
    row: Row,
}

/// What is known about the keys of a batch, by key; none: a store has to be asked, or gave no answer.
type Answers = Vec<Option<Result<Answer, Error>>>;

impl Lookup {
    /// Begins the sort part of its keys.
    fn kind(&self) -> &str {
        self.window.as_ref().map_or("", |window| &window.kind)
    }

    /// Answers what a stub or the cache knows.
    fn known(&self, keys: &Keys, stubs: &Stubs, now: DateTime<Utc>) -> Answers {
        if let Some(value) = stubs.given.get(&*self.name) {
            let row = self.shape.row(Some(value.clone()).filter(|value| !value.is_null()));
            return vec![Some(Ok(Answer { asked: now, expires: None, row })); keys.len()];
        }
        match &self.cache {
            Some(cache) => cache.get(keys, now).into_iter().map(|hit| hit.map(Ok)).collect(),
            None => vec![None; keys.len()],
        }
    }

    /// Answers the keys that are open from the store in one read, repeated for what failed retryably.
    async fn ask(&self, keys: &Keys, answers: &mut Answers, clock: &Clock, deadline: Deadline) {
        let asked = clock.now();
        let mut open: Vec<usize> = (0..keys.len()).filter(|place| answers[*place].is_none()).collect();
        let mut retry = None;
        while !open.is_empty() {
            let wanted: Vec<Key> = open.iter().map(|place| keys.parts(*place).to_key()).collect();
            let read = self.read(&wanted, deadline).await;
            let mut fresh = Vec::new();
            for (place, result) in open.iter().zip(read) {
                let result = result.map(|item| Answer {
                    asked,
                    expires: item.as_ref().and_then(|item| item.expires),
                    row: self.shape.row(item.map(|item| item.value).filter(|value| !value.is_null())),
                });
                if let Ok(answer) = &result {
                    fresh.push((keys.parts(*place).to_key(), answer.clone()));
                }
                answers[*place] = Some(result);
            }
            if let Some(cache) = &self.cache {
                cache.put(fresh);
            }
            open.retain(|place| matches!(&answers[*place], Some(Err(error)) if error.kind == Kind::Retryable));
            if open.is_empty() || !retry.get_or_insert_with(|| Retry::new(deadline)).wait().await {
                break;
            }
        }
    }

    /// Reads once, within the lookup's timeout and the deadline.
    async fn read(&self, keys: &[Key], deadline: Deadline) -> Vec<Result<Option<Item>, Error>> {
        let limit = self.timeout.map_or(deadline.left(), |timeout| timeout.min(deadline.left()));
        let name = &self.name;
        let late = || {
            let reason = format!("`{name}` took longer than {} ms", limit.as_millis());
            Err(Error::retryable(Stage::Enrich, Code::LOOKUP_TIMEOUT, reason))
        };
        let answer = |item: Option<Result<_, _>>| match item {
            Some(item) => item.map_err(|error| self.failed(error)),
            None => late(),
        };
        match AssertUnwindSafe(self.store.get_by(keys, Instant::now() + limit)).catch_unwind().await {
            Ok(items) => items.into_iter().map(answer).collect(),
            Err(_) => {
                let reason = format!("the store of `{name}` panicked");
                vec![Err(Error::retryable(Stage::Enrich, Code::LOOKUP_FAILED, reason)); keys.len()]
            }
        }
    }

    pub(crate) fn failed(&self, error: StoreError) -> Error {
        let code = if self.window.is_some() { Code::WINDOW_FAILED } else { Code::LOOKUP_FAILED };
        state::failed(Stage::Enrich, code, &format!("`{}`", self.name), error)
    }

    /// Puts an answer into the record, or what stands in for a missing one. `None`: there was no key to ask for.
    fn apply(&self, decision: &mut Decision, answer: Option<&Option<Result<Answer, Error>>>, now: DateTime<Utc>) {
        let (row, age) = match answer {
            None => (&Row::Missing, TimeDelta::zero()),
            Some(Some(Ok(answer))) => (&answer.row, now.signed_duration_since(answer.asked)),
            Some(Some(Err(error))) => {
                decision.error = Some(error.clone());
                return;
            }
            // The store answered for fewer keys than it was asked for.
            Some(None) => {
                let reason = format!("`{}` gave no answer", self.name);
                decision.error = Some(Error::retryable(Stage::Enrich, Code::LOOKUP_FAILED, reason));
                return;
            }
        };
        let refuse = |code, reason| Some(Error::poison(Stage::Enrich, code, reason));
        let (value, found) = match (row, &self.missing) {
            (Row::Found(value), _) => (value, true),
            (Row::Missing, Some(value)) => (value, false),
            (Row::Misfit(reason), _) => {
                decision.error = refuse(Code::LOOKUP_SHAPE, format!("`{}`: {reason}", self.name));
                return;
            }
            (Row::Missing, None) => {
                let reason = format!("`{}` found nothing, and `missing` is `poison`", self.name);
                decision.error = refuse(Code::LOOKUP_MISSING, reason);
                return;
            }
        };
        decision.record.share(self.place, value.clone());
        let age = age.to_std().unwrap_or_default();
        decision.lookups.push(Seen { name: self.name.clone(), found, age });
    }
}
