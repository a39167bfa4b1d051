//! A pipeline in memory: it acts from a probability of 0.5 on, and its sink fails by a plan.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    config::{Environment, PipelineFile, Resource},
    event::{Decoded, Event},
    pipeline::{Builder, Pipeline},
    ports::{
        Dim, Dtype, Model, ModelError, Objects, Open, Outgoing, Port, Signature, Sink, Source, Store, Tensor, Tensors,
    },
    testkit::{
        HandClock,
        faults::{Faults, FaultySink, FaultyStore},
    },
};
use fourstroke_adapters::memory::{MemorySink, MemoryStore};
use serde_json::json;

pub const PIPELINE: &str = r#"
fourstroke: v1
name: small
sinks: { out: "memory:", dead: "memory:", log: "memory:" }
event:
  id: .id
  time: .at
  fields: { id: string, type: "string?", x: "float?", at: "timestamp?", of: "string?", good: "boolean?" }
infer:
  m: { model: "memory:m", positive: 1, features: { x: .x }, when: .x != null }
act:
  rules:
    - { name: go, when: .m.probability >= 0.5, to: out, data: '{ "id": .id }' }
outcome: { when: .of != null, of: .of, label: (.good || false), within: 1h }
log: { to: log }
on_error: { to: dead }
slo: { event_age: 1s }
"#;

#[derive(Clone)]
pub struct World {
    pub out: Arc<MemorySink>,
    pub faults: Faults,
    pub clock: HandClock,
    pub store: Arc<MemoryStore>,
    /// What fails in the store.
    pub forgets: Faults,
}

impl World {
    pub fn new(faults: Faults) -> World {
        let clock = HandClock::default();
        let store = Arc::new(MemoryStore::new(clock.clock()));
        World { out: Arc::default(), faults, clock, store, forgets: Faults::none() }
    }

    pub fn file() -> PipelineFile {
        World::parse(PIPELINE)
    }

    pub fn parse(text: &str) -> PipelineFile {
        PipelineFile::parse(Path::new("pipeline.yaml"), text, &Environment::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    pub async fn pipeline(&self) -> Pipeline {
        Builder::new(World::file()).open(self).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The pipeline with another `on_error`.
    pub async fn limited(&self, on_error: &str) -> Pipeline {
        let file = World::parse(&PIPELINE.replace("{ to: dead }", on_error));
        Builder::new(file).open(self).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// A pipeline that acts once, twice an hour at most, and joins outcomes, all in the world's store.
    pub fn keeping() -> PipelineFile {
        let text = PIPELINE
            .replace("sinks: {", "stores: { state: \"memory:\" }\nsinks: {")
            .replace("to: out,", "to: out, once: state, limit: { in: state, by: [.type], at_most: 2, per: 1h },");
        World::parse(&text.replace("within: 1h", "within: 1h, in: state"))
    }

    /// That pipeline, by the world's clock.
    pub async fn keeper(&self) -> Pipeline {
        let builder = Builder::new(World::keeping()).clock(self.clock.clock());
        builder.open(self).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The ids of the events whose action the sink took, in order.
    pub fn acted(&self) -> Vec<String> {
        let id = |item: &Outgoing| {
            let body: serde_json::Value = serde_json::from_slice(&item.body).expect("JSON");
            body["id"].as_str().expect("an id").to_owned()
        };
        self.out.taken().iter().map(id).collect()
    }
}

#[async_trait]
impl Open for World {
    async fn source(&self, _: &Resource) -> Result<Box<dyn Source>, String> {
        Err("this world has no sources".to_owned())
    }

    async fn store(&self, _: &Resource) -> Result<Arc<dyn Store>, String> {
        Ok(Arc::new(FaultyStore::new(self.store.clone(), self.forgets.clone())))
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        Ok(match resource.at.as_str() {
            "sinks.out" => Arc::new(FaultySink::new(self.out.clone(), self.faults.clone())),
            _ => Arc::new(MemorySink::default()),
        })
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Objects for World {
    async fn read(&self, _: &Resource) -> Result<Bytes, String> {
        Ok(Bytes::new())
    }

    async fn etag(&self, _: &Resource) -> Result<String, String> {
        Ok(String::new())
    }

    async fn model(&self, _: Bytes, _: Vec<(String, Bytes)>) -> Result<Arc<dyn Model>, String> {
        let port =
            |name: &str, dtype, dims: &[Dim]| Port { name: name.to_owned(), dtype, dims: dims.to_vec(), labels: None };
        let baseline = json!({ "rule": "Always.", "auc": 0.5, "precision_top_5_percent": 0.1, "measured": "by hand" });
        Ok(Arc::new(Echo(Signature {
            inputs: vec![port("x", Dtype::F32, &[Dim::Batch, Dim::Fixed(1)])],
            outputs: vec![
                port("label", Dtype::I64, &[Dim::Batch]),
                port("probabilities", Dtype::F32, &[Dim::Batch, Dim::Fixed(2)]),
            ],
            metadata: [("fourstroke.baseline".to_owned(), baseline.to_string())].into(),
            labels: None,
        })))
    }
}

/// Says as probability what its feature is.
struct Echo(Signature);

impl Model for Echo {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        let Tensor::F32(rows) = &inputs.data[0] else { panic!("the matrix is F32") };
        let labels = rows.iter().map(|x| i64::from(*x >= 0.5)).collect();
        let scores = rows.iter().flat_map(|x| [1.0 - x, *x]).collect();
        Ok(Tensors { rows: inputs.rows, data: vec![Tensor::I64(labels), Tensor::F32(scores)] })
    }
}

pub fn event(body: serde_json::Value) -> Decoded {
    let id = body["id"].as_str().unwrap_or("none").to_owned();
    Event::new(id, body.to_string()).in_group("shard").into()
}

/// Events `e0`, `e1`, … of one group that each lead to an action.
pub fn acting(count: usize) -> Vec<Decoded> {
    (0..count).map(|place| event(json!({ "id": format!("e{place}"), "x": 0.9 }))).collect()
}

pub fn ids(count: usize) -> Vec<String> {
    (0..count).map(|place| format!("e{place}")).collect()
}
