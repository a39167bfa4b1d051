//! The second stroke: look things up. The keys of the whole batch, each once, cache first, one read per store.

mod cache;
mod row;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use rayon::prelude::*;
use vrl::value::Value;

pub(crate) use cache::Cache;
pub(crate) use row::{Row, Shape};

use crate::{
    clock::{Clock, Deadline},
    config::Missing,
    error::{Code, Error, Kind, Stage},
    expression::{Evaluator, Expression},
    pipeline::{Stubs, cpu, retry::Retry},
    ports::{Key, Store, StoreError},
    report::{Decision, Seen},
};

/// One lookup.
pub(crate) struct Lookup {
    pub name: Arc<str>,
    pub store: Arc<dyn Store>,
    pub keys: Vec<Expression>,
    pub shape: Shape,
    pub missing: Missing,
    pub timeout: Option<Duration>,
    /// Lookups of one wave are asked at the same time; a later wave's keys may read an earlier one's answers.
    pub wave: usize,
    pub cache: Option<Cache>,
}

/// What a store said about one key, and when.
#[derive(Clone)]
struct Answer {
    asked: DateTime<Utc>,
    row: Row,
}

/// The keys of a batch: which decision asks for which, each key once.
#[derive(Default)]
struct Asked {
    keys: Vec<Key>,
    /// Per decision: the place of its key; none: no key, or it has failed already.
    of: Vec<Option<usize>>,
}

impl Lookup {
    /// Computes the key for one record; none where a part is null.
    fn key(&self, decision: &mut Decision, evaluator: &mut Evaluator) -> Result<Option<Key>, Error> {
        let mut parts: Vec<bytestring::ByteString> = Vec::with_capacity(self.keys.len());
        for expression in &self.keys {
            match expression.text(&mut decision.record, evaluator) {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => return Ok(None),
                Err(reason) => {
                    let reason = format!("the key of `{}`: {reason}", self.name);
                    return Err(Error::poison(Stage::Enrich, Code::LOOKUP_KEY, reason));
                }
            }
        }
        Ok(Some(Key::of_parts(&parts)))
    }

    /// Collects the keys of the batch.
    fn ask(&self, decisions: &mut [Decision]) -> Asked {
        const CHUNK: usize = 256;
        let keys: Vec<Option<Key>> = decisions
            .par_chunks_mut(CHUNK)
            .flat_map_iter(|chunk| {
                let mut evaluator = Evaluator::default();
                chunk
                    .iter_mut()
                    .map(|decision| match decision.error {
                        Some(_) => None,
                        None => self.key(decision, &mut evaluator).unwrap_or_else(|error| {
                            decision.error = Some(error);
                            None
                        }),
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let mut asked = Asked::default();
        let mut places: HashMap<Key, usize> = HashMap::new();
        for key in keys {
            asked.of.push(key.map(|key| {
                *places.entry(key).or_insert_with_key(|key| {
                    asked.keys.push(key.clone());
                    asked.keys.len() - 1
                })
            }));
        }
        asked
    }

    /// Answers every key: from the cache, else from the store in one read, repeated for what failed retryably.
    async fn answer(&self, keys: &[Key], clock: &Clock, deadline: Deadline) -> Vec<Result<Answer, Error>> {
        let asked = clock.now();
        let cached = match &self.cache {
            Some(cache) => cache.get(keys, asked),
            None => vec![None; keys.len()],
        };
        let mut answers: Vec<Option<Result<Answer, Error>>> = cached.into_iter().map(|hit| hit.map(Ok)).collect();
        let mut open: Vec<usize> = (0..keys.len()).filter(|place| answers[*place].is_none()).collect();
        let mut retry = None;
        while !open.is_empty() {
            let wanted: Vec<Key> = open.iter().map(|place| keys[*place].clone()).collect();
            let read = self.read(&wanted, deadline).await;
            let mut fresh = Vec::new();
            for (place, result) in open.iter().zip(read) {
                let result = result.map(|item| Answer { asked, row: self.shape.row(item.map(|item| item.value)) });
                if let Ok(answer) = &result {
                    fresh.push((keys[*place].clone(), answer.clone()));
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
        let unanswered =
            || Error::retryable(Stage::Enrich, Code::LOOKUP_FAILED, format!("`{}` gave no answer", self.name));
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(unanswered()))).collect()
    }

    /// Reads once, within the lookup's timeout and the deadline.
    async fn read(&self, keys: &[Key], deadline: Deadline) -> Vec<Result<Option<crate::ports::Item>, Error>> {
        let limit = self.timeout.map_or(deadline.left(), |timeout| timeout.min(deadline.left()));
        let name = &self.name;
        match tokio::time::timeout(limit, AssertUnwindSafe(self.store.get(keys)).catch_unwind()).await {
            Ok(Err(_)) => {
                let reason = format!("the store of `{name}` panicked");
                vec![Err(Error::retryable(Stage::Enrich, Code::LOOKUP_FAILED, reason)); keys.len()]
            }
            Ok(Ok(items)) => items.into_iter().map(|item| item.map_err(|error| self.failed(error))).collect(),
            Err(_) => {
                let reason = format!("`{name}` took longer than {} ms", limit.as_millis());
                vec![Err(Error::retryable(Stage::Enrich, Code::LOOKUP_TIMEOUT, reason)); keys.len()]
            }
        }
    }

    fn failed(&self, error: StoreError) -> Error {
        let code = if error.kind == Kind::Fatal { Code::STORE_FATAL } else { Code::LOOKUP_FAILED };
        Error { kind: error.kind, stage: Stage::Enrich, code, reason: format!("`{}`: {}", self.name, error.reason) }
    }

    /// Puts an answer into the record, or what stands in for a missing one.
    fn apply(&self, decision: &mut Decision, answer: Option<&Result<Answer, Error>>, now: DateTime<Utc>) {
        let (row, age) = match answer {
            Some(Ok(answer)) => (answer.row.clone(), now.signed_duration_since(answer.asked)),
            Some(Err(error)) => {
                decision.error = Some(error.clone());
                return;
            }
            None => (Row::Missing, TimeDelta::zero()),
        };
        let (value, found) = match row {
            Row::Found(value) => (Value::clone(&value), true),
            Row::Misfit(reason) => {
                let reason = format!("`{}`: {reason}", self.name);
                decision.error = Some(Error::poison(Stage::Enrich, Code::LOOKUP_SHAPE, reason));
                return;
            }
            Row::Missing => match &self.missing {
                Missing::Null => (Value::Null, false),
                Missing::Default(value) => (value.clone(), false),
                Missing::Poison => {
                    let reason = format!("`{}` found nothing, and `missing` is `poison`", self.name);
                    decision.error = Some(Error::poison(Stage::Enrich, Code::LOOKUP_MISSING, reason));
                    return;
                }
            },
        };
        decision.record.insert(&self.name, value);
        let age = age.to_std().unwrap_or_default();
        decision.lookups.push(Seen { name: self.name.clone(), found, age });
    }
}

/// Runs every lookup for a batch.
pub(crate) async fn run(
    lookups: &Arc<Vec<Lookup>>,
    mut decisions: Vec<Decision>,
    clock: &Clock,
    deadline: Deadline,
    stubs: &Stubs,
) -> Vec<Decision> {
    let waves = lookups.iter().map(|lookup| lookup.wave + 1).max().unwrap_or(0);
    for wave in 0..waves {
        let this = lookups.clone();
        let (back, asked) = cpu::run(move || {
            let asked: Vec<Asked> = of_wave(&this, wave).map(|lookup| lookup.ask(&mut decisions)).collect();
            (decisions, asked)
        })
        .await;
        let answers = of_wave(lookups, wave).zip(&asked).map(|(lookup, asked)| async move {
            match stubs.given.get(&*lookup.name) {
                Some(value) => {
                    let value = Some(value.clone()).filter(|value| !value.is_null());
                    let row = lookup.shape.row(value);
                    vec![Ok(Answer { asked: clock.now(), row }); asked.keys.len()]
                }
                None => lookup.answer(&asked.keys, clock, deadline).await,
            }
        });
        let answers = futures_util::future::join_all(answers).await;
        let (this, now) = (lookups.clone(), clock.now());
        decisions = cpu::run(move || {
            let mut decisions = back;
            for (lookup, (asked, answers)) in of_wave(&this, wave).zip(asked.iter().zip(&answers)) {
                decisions.par_iter_mut().with_min_len(256).zip(&asked.of).for_each(|(decision, place)| {
                    if decision.error.is_none() {
                        lookup.apply(decision, place.map(|place| &answers[place]), now);
                    }
                });
            }
            decisions
        })
        .await;
    }
    decisions
}

fn of_wave(lookups: &[Lookup], wave: usize) -> impl Iterator<Item = &Lookup> {
    lookups.iter().filter(move |lookup| lookup.wave == wave)
}
