//! The wrappers: a port that works, behind a plan of faults.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;

use super::{Fault, Faults, Op};
use crate::{
    error::Kind,
    ports::{
        Delete, Item, Key, Model, ModelError, Outgoing, Put, PutOutcome, SendError, Sent, Signature, Sink, Store,
        StoreError, Tensor, Tensors,
    },
};

/// Returns the items that reach the port behind: those that do not fail before their effect.
fn reaching<T: Clone>(items: &[T], fates: &[Option<Fault>]) -> Vec<T> {
    let through = items.iter().zip(fates).filter(|(_, fate)| matches!(fate, None | Some(Fault::After)));
    through.map(|(item, _)| item.clone()).collect()
}

/// Puts the answers of those that reached the port among the failures of the others.
fn merge<T, E>(fates: &[Option<Fault>], reached: Vec<Result<T, E>>, fail: impl Fn(Fault) -> E) -> Vec<Result<T, E>> {
    let mut reached = reached.into_iter();
    fates
        .iter()
        .map(|fate| match fate {
            None => reached.next().expect("a port gives one answer per item"),
            Some(Fault::After) => {
                let answer = reached.next().expect("a port gives one answer per item");
                answer.and(Err(fail(Fault::After)))
            }
            Some(fault) => Err(fail(*fault)),
        })
        .collect()
}

/// A store that fails by plan.
pub struct FaultyStore<S: ?Sized> {
    inner: Arc<S>,
    faults: Faults,
}

impl<S: Store + ?Sized> FaultyStore<S> {
    /// Stands before a store that works.
    pub fn new(inner: Arc<S>, faults: Faults) -> FaultyStore<S> {
        FaultyStore { inner, faults }
    }

    async fn fates<'a>(&self, op: Op, keys: impl ExactSizeIterator<Item = &'a Key> + Send) -> Vec<Option<Fault>> {
        let call = self.faults.call(op, keys.len());
        let fates = keys.map(|key| self.faults.fate(op, call, &key.partition, &key.sort, b"")).collect();
        self.faults.wait().await;
        fates
    }
}

fn store_error(fault: Fault) -> StoreError {
    StoreError { kind: fault.kind(), reason: fault.reason() }
}

#[async_trait]
impl<S: Store + ?Sized> Store for FaultyStore<S> {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        let fates = self.fates(Op::Get, keys.iter()).await;
        let through = reaching(keys, &fates);
        let reached = if through.is_empty() { Vec::new() } else { self.inner.get(&through).await };
        merge(&fates, reached, store_error)
    }

    fn is_table(&self) -> bool {
        self.inner.is_table()
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        let fates = self.fates(Op::Put, puts.iter().map(|put| &put.key)).await;
        let through = reaching(puts, &fates);
        let reached = if through.is_empty() { Vec::new() } else { self.inner.put(&through).await };
        merge(&fates, reached, store_error)
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        let fates = self.fates(Op::Delete, deletes.iter().map(|delete| &delete.key)).await;
        let through = reaching(deletes, &fates);
        let reached = if through.is_empty() { Vec::new() } else { self.inner.delete(&through).await };
        merge(&fates, reached, store_error)
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        let fates = self.fates(Op::List, std::iter::once(&Key::new(partition, ""))).await;
        match fates[0] {
            None => self.inner.list(partition).await,
            Some(fault) => Err(store_error(fault)),
        }
    }
}

/// A sink that fails by plan. It keeps the port's contract: once an item fails, unless as poison, later items of its
/// key are held in that call.
pub struct FaultySink<S: ?Sized> {
    inner: Arc<S>,
    faults: Faults,
}

impl<S: Sink + ?Sized> FaultySink<S> {
    /// Stands before a sink that works.
    pub fn new(inner: Arc<S>, faults: Faults) -> FaultySink<S> {
        FaultySink { inner, faults }
    }
}

fn send_error(fault: Fault) -> SendError {
    let sent = if fault == Fault::After { Sent::Unknown } else { Sent::No };
    SendError { kind: fault.kind(), sent, reason: fault.reason() }
}

#[async_trait]
impl<S: Sink + ?Sized> Sink for FaultySink<S> {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let call = self.faults.call(Op::Send, items.len());
        let mut failed = HashSet::new();
        let mut held = vec![false; items.len()];
        let mut fates = Vec::with_capacity(items.len());
        for (item, held) in items.iter().zip(&mut held) {
            *held = item.key.as_ref().is_some_and(|key| failed.contains(key));
            if *held {
                fates.push(Some(Fault::Before));
                continue;
            }
            let key = item.key.as_deref().unwrap_or_default();
            let fate = self.faults.fate(Op::Send, call, key, &item.id, &item.body);
            if let (Some(Kind::Retryable | Kind::Fatal), Some(key)) = (fate.map(Fault::kind), &item.key) {
                failed.insert(key);
            }
            fates.push(fate);
        }
        self.faults.wait().await;
        let through = reaching(items, &fates);
        let reached = if through.is_empty() { Vec::new() } else { self.inner.send(&through).await };
        let mut answers = merge(&fates, reached, send_error);
        for (answer, held) in answers.iter_mut().zip(held) {
            if held {
                *answer = Err(SendError::held());
            }
        }
        answers
    }
}

/// A model that fails by plan: a call fails when any of its rows does, as a model's does. Rows are counted as items.
pub struct FaultyModel<M: ?Sized> {
    inner: Arc<M>,
    faults: Faults,
}

impl<M: Model + ?Sized> FaultyModel<M> {
    /// Stands before a model that works.
    pub fn new(inner: Arc<M>, faults: Faults) -> FaultyModel<M> {
        FaultyModel { inner, faults }
    }

    /// Writes each row as text, one element after the other.
    fn rows(&self, inputs: &Tensors) -> Vec<String> {
        let element = |data: &Tensor, place: usize| match data {
            Tensor::F32(data) => data.get(place).map(ToString::to_string),
            Tensor::F64(data) => data.get(place).map(ToString::to_string),
            Tensor::I64(data) => data.get(place).map(ToString::to_string),
            Tensor::Bool(data) => data.get(place).map(ToString::to_string),
            Tensor::String(data) => data.get(place).cloned(),
        };
        let ports = &self.inner.signature().inputs;
        let row = |row: usize| {
            let columns = ports.iter().zip(&inputs.data);
            let elements = columns
                .flat_map(|(port, data)| (0..port.width()).filter_map(move |n| element(data, row * port.width() + n)));
            elements.collect::<Vec<_>>().join(", ")
        };
        (0..inputs.rows).map(row).collect()
    }
}

impl<M: Model + ?Sized> Model for FaultyModel<M> {
    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        let call = self.faults.call(Op::Infer, inputs.rows);
        let rows = self.rows(inputs);
        match rows.iter().find_map(|row| self.faults.fate(Op::Infer, call, "", row, b"")) {
            None => self.inner.infer(inputs),
            Some(fault) => Err(ModelError { kind: fault.kind(), reason: fault.reason() }),
        }
    }
}
