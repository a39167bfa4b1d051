//! The process that is killed: a pipeline that acts once, over a store and a receiver it is told.

use std::{collections::BTreeMap, env, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use fourstroke::{
    Value,
    clock::{Clock, Deadline},
    code::{Rule, Strokes, object, with},
    config::Resource,
    pipeline::Pipeline,
    ports::{Objects, Open, Sink, Source, Store},
};
use fourstroke_adapters::{
    dynamodb::DynamoDbStore,
    open::{self, Adapters},
    redb::RedbStore,
};
use serde_json::json;

use crate::{
    plan::{Delivery, Plan},
    points::{Point, Stop, StopSink, StopStore},
};

/// How the process is told what to do.
pub const ORDERS: &str = "FOURSTROKE_TEST_KILLED";
/// The name of the one rule.
pub const RULE: &str = "tell";

/// What the process is to do.
#[derive(Clone, Debug)]
pub struct Orders {
    /// The pipeline's name.
    pub name: String,
    /// The URL of the store that remembers.
    pub store: String,
    /// What the environment must say for it.
    pub environment: Vec<(&'static str, String)>,
    /// The URL of the receiver; a pass posts to the path of its number.
    pub receiver: String,
    pub point: Point,
    pub seed: u64,
    /// Whether it stops at the point.
    pub stops: bool,
    /// The version of the pipeline: 2 leaves some events out that 1 acts on, and says more about the others.
    pub version: i64,
    /// How many seconds its clock is ahead.
    pub ahead: i64,
    /// How often it goes over all events, and the number of the first time.
    pub passes: (u64, u64),
}

impl Orders {
    /// Writes them for the environment.
    pub fn to_json(&self) -> String {
        let (first, count) = self.passes;
        let point = self.point.name();
        json!([
            self.name,
            self.store,
            self.receiver,
            point,
            self.seed,
            self.stops,
            self.version,
            self.ahead,
            first,
            count
        ])
        .to_string()
    }

    fn from_json(text: &str) -> Option<Orders> {
        let all: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
        let [name, store, receiver, point, seed, stops, version, ahead, first, count] = &all[..] else { return None };
        Some(Orders {
            name: name.as_str()?.to_owned(),
            store: store.as_str()?.to_owned(),
            environment: Vec::new(),
            receiver: receiver.as_str()?.to_owned(),
            point: Point::named(point.as_str()?)?,
            seed: seed.as_u64()?,
            stops: stops.as_bool()?,
            version: version.as_i64()?,
            ahead: ahead.as_i64()?,
            passes: (first.as_u64()?, count.as_u64()?),
        })
    }
}

/// Goes over all events, batch by batch, and says how they ended.
#[ignore = "run by the other tests, as a process of its own"]
#[tokio::test]
async fn run() {
    let Ok(orders) = env::var(ORDERS) else { return };
    let orders = Orders::from_json(&orders).expect("orders");
    let plan = Plan::draw(orders.point, orders.seed);
    let (first, count) = orders.passes;
    for pass in first..first + count {
        let pipeline = pipeline(&orders, pass, &plan).await;
        let mut ended: BTreeMap<&str, u64> = BTreeMap::new();
        for batch in plan.batches() {
            let report = pipeline.run(batch, Deadline::after(Duration::from_secs(30))).await;
            for decision in &report.decisions {
                *ended.entry(decision.disposition.as_str()).or_default() += 1;
            }
            for error in report.decisions.iter().filter_map(|decision| decision.error.as_ref()) {
                eprintln!("{}, seed {}: {error}", orders.point.name(), orders.seed);
            }
            *ended.entry("unkept").or_default() += report.unkept.0 as u64;
        }
        println!("\nended {}", json!(ended));
    }
}

async fn pipeline(orders: &Orders, pass: u64, plan: &Plan) -> Pipeline {
    let ahead = TimeDelta::seconds(orders.ahead);
    let clock = Clock::from_fn(move || Utc::now() + ahead);
    let stop = orders.stops.then_some(Stop { point: orders.point, call: plan.call, through: plan.through });
    let version = orders.version;
    let data = with(move |event| {
        let (id, n) = (Value::from(event.text("id")?), Value::from(event.integer("n")?));
        Ok(match version {
            1 => object([("id", id), ("n", n)]),
            version => object([("id", id), ("n", n), ("version", version.into())]),
        })
    });
    let when = with(move |event| {
        let kept = version == 1 || Delivery::kept(event.integer("n")?.unsigned_abs());
        Ok(event.boolean("acts")? && kept)
    });
    let rule = Rule::new(RULE, "receiver").when(when).data(data).once("ledger");
    let strokes = Strokes::named(&orders.name, &format!("revision {version}"))
        .clock(clock.clone())
        .fields("id: string, n: integer, acts: boolean, customer: string")
        .identity(".id", ".customer")
        .store("ledger", &orders.store, &[], "")
        .sink("receiver", &format!("{}/{pass}", orders.receiver))
        .sink("dead", "memory:")
        .rule(rule)
        .dead_letters("dead");
    let opened = strokes.open(&Stopping { clock, stop }).await;
    opened.unwrap_or_else(|mistakes| panic!("{mistakes}")).1
}

/// Opens what it is told, and has it stop at the point.
struct Stopping {
    clock: Clock,
    stop: Option<Stop>,
}

#[async_trait]
impl Open for Stopping {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        open::source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        let store: Arc<dyn Store> = match resource.scheme() {
            // They look at the clock themselves, to tell what has expired.
            "dynamodb" => Arc::new(DynamoDbStore::open(resource, self.clock.clone()).await?),
            "redb" => Arc::new(RedbStore::open(resource, self.clock.clone()).await?),
            _ => open::store(resource).await?,
        };
        Ok(Arc::new(StopStore::new(store, self.stop)))
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        Ok(Arc::new(StopSink::new(open::sink(resource).await?, self.stop)))
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(Adapters::new(|_, _| Err("there are no models here".to_owned())))
    }
}
