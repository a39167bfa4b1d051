//! A small world to run pipelines in: tables, sinks and a model in memory, each of which can be made to fail.
#![allow(dead_code, missing_docs)]

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    Value,
    clock::{Clock, Deadline},
    config::{Environment, Mistakes, PipelineFile, Resource},
    event::{Decoded, Event},
    pipeline::{Builder, Pipeline},
    ports::{
        Condition, Dim, Dtype, Key, Model, ModelError, Objects, Open, Outgoing, Port, Put, Signature, Sink, Source,
        Store, Tensor, Tensors,
    },
    report::Report,
    testkit::faults::{Faults, FaultyModel, FaultySink, FaultyStore},
};
use fourstroke_adapters::memory::{MemorySink, MemoryStore};

/// One table `table` keyed by id, the sinks `out`, `dead` and `log`, and a model that says what it is given.
#[derive(Clone)]
pub struct World {
    pub table: Arc<MemoryStore>,
    pub out: Arc<MemorySink>,
    pub dead: Arc<MemorySink>,
    pub log: Arc<MemorySink>,
    pub faults: HashMap<&'static str, Faults>,
    pub signature: Signature,
    /// What is read, by URL; anything else is its own URL.
    pub files: HashMap<&'static str, String>,
}

/// Looks one row up, scores `.x`, acts from 0.5 on.
pub const PIPELINE: &str = r#"
fourstroke: v1
name: small
stores:
  table: { url: "memory:", key: [id], fields: { weight: "float?" } }
sinks: { out: "memory:", dead: "memory:", log: "memory:" }
event:
  id: .id
  key: .k
  time: .at
  fields: { id: string, k: "string?", x: "float?", at: "timestamp?" }
enrich:
  row: { from: table, key: [.id], missing: "null", timeout: 100ms }
infer:
  m: { model: "memory:m", positive: 1, features: { x: .x }, when: .x != null }
act:
  rules:
    - { name: go, when: .m.probability >= 0.5, to: out, data: '{ "id": .id }' }
log: { to: log, keep: [.id] }
on_error: { to: dead }
"#;

impl Default for World {
    fn default() -> Self {
        World {
            table: Arc::new(MemoryStore::new(Clock::system())),
            out: Arc::default(),
            dead: Arc::default(),
            log: Arc::default(),
            faults: HashMap::new(),
            signature: signature(1),
            files: HashMap::from([("file:corpus.avsc", include_str!("../corpus/corpus.avsc").to_owned())]),
        }
    }
}

/// The signature of a binary classifier of that many features.
pub fn signature(features: usize) -> Signature {
    let port =
        |name: &str, dtype, dims: &[Dim]| Port { name: name.to_owned(), dtype, dims: dims.to_vec(), labels: None };
    Signature {
        inputs: vec![port("features", Dtype::F32, &[Dim::Batch, Dim::Fixed(features)])],
        outputs: vec![
            port("label", Dtype::I64, &[Dim::Batch]),
            port("probabilities", Dtype::F32, &[Dim::Batch, Dim::Fixed(2)]),
        ],
        ..Signature::default()
    }
}

/// Says as probability what its first feature is; refuses 13, answers NaN for 14.
struct Echo(Signature);

impl Model for Echo {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        let Tensor::F32(data) = &inputs.data[0] else { panic!("the matrix is F32") };
        let width = data.len() / inputs.rows.max(1);
        let firsts: Vec<f32> = data.chunks(width.max(1)).map(|row| row[0]).collect();
        if firsts.contains(&13.0) {
            return Err(ModelError { kind: fourstroke::error::Kind::Poison, reason: "13 is unlucky".to_owned() });
        }
        let scores = firsts.iter().map(|x| if *x == 14.0 { f32::NAN } else { *x }).flat_map(|x| [1.0 - x, x]).collect();
        let labels = firsts.iter().map(|x| i64::from(*x >= 0.5)).collect();
        Ok(Tensors { rows: inputs.rows, data: vec![Tensor::I64(labels), Tensor::F32(scores)] })
    }
}

impl World {
    /// Makes what the file calls `sinks.NAME`, `stores.NAME` or `model` fail by a plan.
    pub fn with(mut self, at: &'static str, faults: Faults) -> World {
        self.faults.insert(at, faults);
        self
    }

    fn plan(&self, at: &str) -> Faults {
        self.faults.get(at).cloned().unwrap_or_else(Faults::none)
    }

    pub async fn row(&self, id: &str, weight: f64) {
        let value = serde_json::from_value(serde_json::json!({ "id": id, "weight": weight })).unwrap();
        let put = Put { key: Key::new(id, ""), value, condition: Condition::Absent, expires: None };
        self.table.put(&[put]).await[0].as_ref().unwrap();
    }

    pub async fn open(&self, yaml: &str) -> Result<Pipeline, Mistakes> {
        let file = PipelineFile::parse(Path::new("pipeline.yaml"), yaml, &Environment::default())?;
        Builder::new(file).open(self).await
    }

    pub async fn pipeline(&self) -> Pipeline {
        self.open(PIPELINE).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }
}

#[async_trait]
impl Open for World {
    async fn source(&self, _: &Resource) -> Result<Box<dyn Source>, String> {
        Err("this world has no sources".to_owned())
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        Ok(Arc::new(FaultyStore::new(self.table.clone(), self.plan(&resource.at))))
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        let sink = match resource.at.as_str() {
            "sinks.dead" => &self.dead,
            "sinks.log" => &self.log,
            _ => &self.out,
        };
        Ok(Arc::new(FaultySink::new(sink.clone(), self.plan(&resource.at))))
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Objects for World {
    async fn read(&self, resource: &Resource) -> Result<Bytes, String> {
        let text = self.files.get(resource.url.as_str()).unwrap_or(&resource.url);
        Ok(Bytes::copy_from_slice(text.as_bytes()))
    }

    async fn etag(&self, _: &Resource) -> Result<String, String> {
        Ok(String::new())
    }

    async fn model(&self, _: Bytes, _: Vec<(String, Bytes)>) -> Result<Arc<dyn Model>, String> {
        Ok(Arc::new(FaultyModel::new(Arc::new(Echo(self.signature.clone())), self.plan("model"))))
    }
}

pub fn event(id: &str, body: serde_json::Value) -> Decoded {
    Event::new(id.to_owned(), body.to_string()).into()
}

/// Events `e0`, `e1`, … that each lead to an action, all of one group.
pub fn acting(count: usize) -> Vec<Decoded> {
    (0..count)
        .map(|place| {
            let body = serde_json::json!({ "id": format!("e{place}"), "x": 0.9 });
            Event::new(format!("p{place}"), body.to_string()).in_group("shard").into()
        })
        .collect()
}

pub async fn run(pipeline: &Pipeline, events: Vec<Decoded>) -> Report {
    pipeline.run(events, Deadline::after(Duration::from_secs(10))).await
}

/// The bodies a sink took, as JSON.
pub fn bodies(sink: &MemorySink) -> Vec<serde_json::Value> {
    sink.taken().iter().map(|item: &Outgoing| serde_json::from_slice(&item.body).unwrap()).collect()
}

/// A field of a record as text.
pub fn field(value: &Value, name: &str) -> String {
    value.as_object().and_then(|object| object.get(name)).map(ToString::to_string).unwrap_or_default()
}
