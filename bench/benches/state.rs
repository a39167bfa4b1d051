//! What keeping state costs: acting once, limits and windows, beside the same pipeline without them, on a store in memory and
//! on one in a file; and how often a batch asks the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use fourstroke::{
    clock::{Clock, Deadline},
    code::{Counting, Lookup, Rule, Strokes},
    config::{Give, Resource},
    event::{Decoded, Event},
    pipeline::Pipeline,
    ports::{Delete, Item, Key, Objects, Open, Put, PutOutcome, Sink, Source, Store, StoreError},
};
use fourstroke_adapters::{memory::MemoryStore, redb::RedbStore};
use fourstroke_bench::{NullSink, Opener, cpu_time};

/// Events of one measurement, and different keys among them.
const EVENTS: usize = 100_000;
const KEYS: usize = 1_000;

/// What is kept.
const FEATURES: [&str; 4] = ["nothing", "once", "limit", "window"];

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let files = tempfile::tempdir()?;
    println!(
        "| store | batches of | kept | CPU µs an event | beyond nothing | events a CPU-second | events a second | calls a batch |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for store in ["memory", "redb"] {
        for size in [100, 1_000] {
            let mut nothing = None;
            for feature in FEATURES {
                let resource = Resource::new("state", format!("redb:{}/{feature}-{size}.redb", files.path().display()));
                let kept: Arc<dyn Store> = match store {
                    "memory" => Arc::new(MemoryStore::new(Clock::system())),
                    _ => Arc::new(
                        runtime.block_on(RedbStore::open(&resource, Clock::system())).map_err(anyhow::Error::msg)?,
                    ),
                };
                // A commit waits for the disk: fewer tell as much.
                let events = if store == "redb" { EVENTS / 5 } else { EVENTS };
                let counted = Arc::new(Counted { store: kept, calls: AtomicU64::new(0) });
                let (_, pipeline) = runtime.block_on(strokes(feature).open(&Place(counted.clone())))?;
                let (cpu, wall) = measure(&runtime, &pipeline, events, size);
                let batches = (events / size) as f64;
                let micros = cpu.as_secs_f64() * 1e6 / events as f64;
                let base = *nothing.get_or_insert(micros);
                println!(
                    "| {store} | {size} | {feature} | {micros:.2} | {:.2} | {:.0} | {:.0} | {:.2} |",
                    micros - base,
                    1e6 / micros,
                    events as f64 / wall.as_secs_f64(),
                    counted.calls.load(Relaxed) as f64 / batches,
                );
            }
        }
    }
    println!(
        "\nPowertools for Lambda (Python) with idempotency on DynamoDB Local: 216 to 225 records a CPU-second, whole handler."
    );
    Ok(())
}

/// Every event acts, so that each costs all there is.
fn strokes(feature: &str) -> Strokes {
    let strokes = Strokes::named("state", "1")
        .fields("id: string, key: string, at: timestamp, x: float")
        .identity(".id", ".key")
        .time(".at")
        .store("state", "memory:", &[], "")
        .sink("out", "stdout:")
        .sink("dead", "stdout:")
        .dead_letters("dead");
    let rule = Rule::new("go", "out").data("{ \"x\": .x }");
    match feature {
        "once" => strokes.rule(rule.once("state")),
        "limit" => strokes.rule(rule.limit("state", [".key"], "1000", Duration::from_secs(3_600))),
        "window" => {
            let counting = Counting::over("10m 1h", &[Give::Count, Give::Mean, Give::Max]).value(".x");
            strokes.enrich(Lookup::window("lately", "state", [".key"], counting)).rule(rule)
        }
        _ => strokes.rule(rule),
    }
}

fn measure(runtime: &tokio::runtime::Runtime, pipeline: &Pipeline, events: usize, size: usize) -> (Duration, Duration) {
    let start = Utc::now() - TimeDelta::hours(2);
    let event = |number: usize| {
        let at = (start + TimeDelta::milliseconds(number as i64 * 50)).to_rfc3339();
        let key = number * 7_919 % KEYS;
        let body = format!(r#"{{"id":"e{number}","key":"customer:{key}","at":"{at}","x":{}.5}}"#, number % 100);
        Decoded::from(Event::new(format!("stream:{number}"), body).in_group("stream"))
    };
    let (mut cpu, mut wall) = (Duration::ZERO, Duration::ZERO);
    for first in (0..events).step_by(size) {
        let batch: Vec<Decoded> = (first..first + size).map(event).collect();
        let (before, started) = (cpu_time(), Instant::now());
        let report = runtime.block_on(pipeline.run(batch, Deadline::after(Duration::from_secs(600))));
        cpu += cpu_time().saturating_sub(before);
        wall += started.elapsed();
        assert!(report.fatal.is_none() && report.retries().is_empty(), "every event must be decided");
    }
    (cpu, wall)
}

/// A store that counts its calls.
struct Counted {
    store: Arc<dyn Store>,
    calls: AtomicU64,
}

#[async_trait]
impl Store for Counted {
    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.calls.fetch_add(1, Relaxed);
        self.store.get(keys).await
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        self.calls.fetch_add(1, Relaxed);
        self.store.put(puts).await
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        self.calls.fetch_add(1, Relaxed);
        self.store.delete(deletes).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Item)>, StoreError> {
        self.store.list(partition).await
    }
}

/// Opens every store as that one, and every sink as one that goes nowhere.
struct Place(Arc<Counted>);

#[async_trait]
impl Open for Place {
    async fn source(&self, _: &Resource) -> Result<Box<dyn Source>, String> {
        Err("there are no sources".to_owned())
    }

    async fn store(&self, _: &Resource) -> Result<Arc<dyn Store>, String> {
        Ok(self.0.clone())
    }

    async fn sink(&self, _: &Resource) -> Result<Arc<dyn Sink>, String> {
        Ok(Arc::new(NullSink::default()))
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Opener::default().objects()
    }
}
