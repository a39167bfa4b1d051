//! Models replaced while the pipeline runs: no event fails for it, no batch is decided by two, what does not fit is refused.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use common::{PIPELINE, World, acting, bodies, event, run, signature};
use fourstroke::{
    code::{Infer, Rule, Strokes},
    config::{Environment, Mistakes, PipelineFile, Resource},
    identity::sha256,
    pipeline::{Builder, Pipeline, Reload},
    ports::{Model, ModelError, Objects, Open, Signature, Sink, Source, Store, Tensor, Tensors},
    report::{BreakerChange, Disposition, Report},
    testkit::faults::{Faults, Op},
};
use serde_json::json;
use tokio::sync::mpsc;

const MODEL: &str = "file:m.onnx";

/// Objects that change, and how often they were asked for.
#[derive(Default)]
struct Shelf {
    objects: Mutex<HashMap<String, (usize, String)>>,
    asked: AtomicUsize,
    read: AtomicUsize,
}

impl Shelf {
    fn put(&self, url: &str, content: &str) {
        let mut objects = self.objects.lock().unwrap();
        let writes = objects.get(url).map_or(0, |(writes, _)| writes + 1);
        objects.insert(url.to_owned(), (writes, content.to_owned()));
    }

    fn get(&self, resource: &Resource) -> Result<(usize, String), String> {
        let found = self.objects.lock().unwrap().get(&resource.url).cloned();
        found.ok_or_else(|| format!("there is no {}", resource.url))
    }
}

/// A world whose objects are on a shelf.
struct Shelved(World, Arc<Shelf>);

#[async_trait]
impl Open for Shelved {
    async fn source(&self, resource: &Resource) -> Result<Box<dyn Source>, String> {
        self.0.source(resource).await
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        self.0.store(resource).await
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        self.0.sink(resource).await
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(Reader(self.1.clone()))
    }
}

struct Reader(Arc<Shelf>);

#[async_trait]
impl Objects for Reader {
    async fn read(&self, resource: &Resource) -> Result<Bytes, String> {
        self.0.read.fetch_add(1, SeqCst);
        self.0.get(resource).map(|(_, content)| Bytes::from(content))
    }

    async fn etag(&self, resource: &Resource) -> Result<String, String> {
        self.0.asked.fetch_add(1, SeqCst);
        self.0.get(resource).map(|(writes, _)| writes.to_string())
    }

    async fn model(&self, bytes: Bytes, external: Vec<(String, Bytes)>) -> Result<Arc<dyn Model>, String> {
        let text = [&*bytes].into_iter().chain(external.iter().map(|(_, data)| &**data)).collect::<Vec<_>>().concat();
        let text = String::from_utf8(text).unwrap();
        let Some((features, says)) = text.split_once(" says ") else { return Err("this is not a model".to_owned()) };
        Ok(Arc::new(Constant(signature(features.parse().unwrap()), says.trim().parse().unwrap())))
    }
}

/// Says the same of every row.
struct Constant(Signature, f32);

impl Model for Constant {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        let scores = [1.0 - self.1, self.1].repeat(inputs.rows);
        Ok(Tensors { rows: inputs.rows, data: vec![Tensor::I64(vec![1; inputs.rows]), Tensor::F32(scores)] })
    }
}

fn yaml(more: &str) -> String {
    PIPELINE.replace("model: \"memory:m\",", &format!("model: \"{MODEL}\", {more},"))
}

/// A pipeline whose model says 0.6 at first.
async fn open(more: &str) -> (Pipeline, World, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    shelf.put(MODEL, "1 says 0.6");
    opened(more, &shelf).await.map(|(pipeline, world)| (pipeline, world, shelf)).unwrap_or_else(|why| panic!("{why}"))
}

async fn opened(more: &str, shelf: &Arc<Shelf>) -> Result<(Pipeline, World), Mistakes> {
    let world = World::default();
    let file = PipelineFile::parse(Path::new("pipeline.yaml"), &yaml(more), &Environment::default())?;
    Ok((Builder::new(file).open(&Shelved(world.clone(), shelf.clone())).await?, world))
}

/// What the model said of a batch's events, if it said the same of all.
fn said(report: &Report) -> Option<f64> {
    let mut said = report.decisions.iter().map(|decision| decision.predictions[0].probability().unwrap());
    let first = said.next()?;
    said.all(|other| other == first).then(|| (first * 100.0).round() / 100.0)
}

/// Runs batches until a report has something to say of models.
async fn news(pipeline: &Pipeline) -> Reload {
    loop {
        let mut report = run(pipeline, acting(1)).await;
        assert_eq!(report.dispositions(), [Disposition::Acted]);
        if let Some(news) = report.reloads.pop() {
            return news;
        }
        tokio::task::yield_now().await;
    }
}

/// Has the clock stand so much later, and runs batches until there is news.
async fn later(pipeline: &Pipeline, seconds: u64) -> Reload {
    tokio::time::advance(Duration::from_secs(seconds)).await;
    news(pipeline).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_event_fails_and_no_batch_is_mixed() {
    const ROUNDS: usize = 12;
    let (pipeline, world, shelf) = open("reload: 1ms").await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let done = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (pipeline, tell, done) = (pipeline.clone(), tell.clone(), done.clone());
            tokio::spawn(async move {
                let mut batches = 0;
                while !done.load(SeqCst) {
                    let report = run(&pipeline, acting(640)).await;
                    assert_eq!(report.count(Disposition::Acted), 640);
                    assert!(said(&report).is_some(), "two models decided one batch");
                    report.reloads.into_iter().for_each(|news| tell.send(news).unwrap());
                    batches += 1;
                }
                batches
            })
        })
        .collect();

    let mut versions = vec![pipeline.version()];
    for round in 0..ROUNDS {
        let model = format!("1 says 0.{}", 61 + round);
        shelf.put(MODEL, &model);
        let expected = Reload::Serving { model: "m".to_owned(), sha256: sha256(model.as_bytes()) };
        assert_eq!(told.recv().await.unwrap(), expected);
        let report = run(&pipeline, acting(10)).await;
        assert_eq!(said(&report), Some((61 + round) as f64 / 100.0), "what was told is true");
        versions.push(pipeline.version());

        shelf.put(MODEL, ["rubbish", "2 says 0.9"][round % 2]);
        let serving = sha256(model.as_bytes());
        match told.recv().await.unwrap() {
            Reload::Refused { serving: goes_on, .. } => assert_eq!(goes_on, serving),
            other => panic!("{other:?}"),
        }
    }
    done.store(true, SeqCst);
    let mut events = 0;
    for worker in workers {
        events += 640 * worker.await.unwrap();
    }

    // The log names the model that decided, each with what that one says.
    let by_digest: BTreeMap<String, f64> = (0..ROUNDS)
        .map(|round| (sha256(format!("1 says 0.{}", 61 + round).as_bytes()), (61 + round) as f64 / 100.0))
        .chain([(sha256(b"1 says 0.6"), 0.6)])
        .collect();
    let entries = bodies(&world.log);
    assert_eq!(entries.len(), events + 10 * ROUNDS);
    let mut seen = BTreeMap::<&str, BTreeSet<&str>>::new();
    for entry in &entries {
        let digest = entry["model"][0]["sha256"].as_str().unwrap();
        let said = entry["predictions"]["m"]["probability"].as_f64().unwrap();
        assert!((said - by_digest[digest]).abs() < 1e-6, "{entry}");
        seen.entry(digest).or_default().insert(entry["version"].as_str().unwrap());
    }
    assert!(seen.len() >= ROUNDS && seen.values().all(|versions| versions.len() == 1), "{seen:?}");
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), ROUNDS + 1, "each model makes another version");
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_for_change_as_often_as_allowed_and_read_when_it_changed() {
    let (pipeline, _, shelf) = open("reload: 30s").await;
    let (asked, read) = (shelf.asked.load(SeqCst), shelf.read.load(SeqCst));
    assert_eq!((asked, read), (1, 1));
    for looks in 1..4 {
        tokio::time::advance(Duration::from_secs(29)).await;
        for _ in 0..20 {
            run(&pipeline, acting(1)).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(shelf.asked.load(SeqCst), looks, "not yet");
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..20 {
            run(&pipeline, acting(1)).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(shelf.asked.load(SeqCst), looks + 1, "once, however many batches");
    }
    assert_eq!(shelf.read.load(SeqCst), 1, "it had not changed");

    shelf.put(MODEL, "1 says 0.7");
    assert!(matches!(later(&pipeline, 30).await, Reload::Serving { .. }));
    assert_eq!(shelf.read.load(SeqCst), 2);
    // Written again with what serves already: nothing happens. What comes then is news again.
    shelf.put(MODEL, "1 says 0.7");
    tokio::time::advance(Duration::from_secs(30)).await;
    while shelf.read.load(SeqCst) < 3 {
        assert_eq!(run(&pipeline, acting(1)).await.reloads, []);
        tokio::task::yield_now().await;
    }
    shelf.put(MODEL, "1 says 0.8");
    assert!(matches!(later(&pipeline, 30).await, Reload::Serving { .. }));
    assert_eq!(said(&run(&pipeline, acting(3)).await), Some(0.8));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_and_the_one_before_serves_on() {
    let (pipeline, _, shelf) = open("reload: 30s").await;
    let first = pipeline.version();
    for (model, why) in [
        ("rubbish", "`infer.m.model`: this is not a model"),
        ("2 says 0.9", "`m` has 1 features, but the model takes 2 (the model is (features F32[N, 2])"),
    ] {
        shelf.put(MODEL, model);
        let told = later(&pipeline, 30).await;
        let shown = told.to_string();
        let start = format!("the model `m` was not replaced, {} goes on deciding: ", sha256(b"1 says 0.6"));
        assert!(shown.starts_with(&start) && shown.contains(why), "{shown}");
        assert_eq!(said(&run(&pipeline, acting(3)).await), Some(0.6));
        assert_eq!(pipeline.version(), first);
        // It was refused once, and is not read again.
        let read = shelf.read.load(SeqCst);
        tokio::time::advance(Duration::from_secs(30)).await;
        let asked = shelf.asked.load(SeqCst);
        while shelf.asked.load(SeqCst) == asked {
            assert_eq!(run(&pipeline, acting(1)).await.reloads, []);
            tokio::task::yield_now().await;
        }
        assert_eq!(shelf.read.load(SeqCst), read);
    }

    shelf.objects.lock().unwrap().remove(MODEL);
    for _ in 0..2 {
        let shown = later(&pipeline, 30).await.to_string();
        assert!(shown.ends_with("`infer.m.model`: there is no file:m.onnx"), "{shown}");
    }
    shelf.put(MODEL, "1 says 0.55");
    assert!(matches!(later(&pipeline, 30).await, Reload::Serving { .. }), "mended");
    assert_eq!(said(&run(&pipeline, acting(3)).await), Some(0.55));
}

#[tokio::test(start_paused = true)]
async fn the_digest_beside_it_decides_when_it_is_whole() {
    let shelf = Arc::new(Shelf::default());
    let put = |name: &str, content: &str| shelf.put(&format!("file:models/{name}"), content);
    let digest = |model: &str| format!("{}  m.onnx\n", sha256(model.as_bytes()));
    put("m.onnx", "1 sa");
    put("w.bin", "ys 0.6");
    put("m.onnx.sha256", &digest("1 says 0.6"));
    put("xs.json", r#"["a","b"]"#);
    let more = "sha256: beside, external_data: [w.bin], reload: 1m";
    let file = yaml(more)
        .replace(MODEL, "file:models/m.onnx")
        .replace("when: .x != null", "when: .x != null, categories: { x: \"file:models/xs.json\" }");
    let file = file.replace("features: { x: .x }", "features: { x: to_string(.x) }");
    let file = PipelineFile::parse(Path::new("pipeline.yaml"), &file, &Environment::default())
        .unwrap_or_else(|why| panic!("{why}"));
    let world = World::default();
    let pipeline = Builder::new(file).open(&Shelved(world, shelf.clone())).await.unwrap_or_else(|why| panic!("{why}"));

    // The parts of another one arrive one by one; nobody looks before the last two.
    put("xs.json", r#"["a","b"]"#);
    put("w.bin", "ys 0.7");
    put("m.onnx", "1 sa");
    let refused = later(&pipeline, 60).await.to_string();
    assert!(refused.contains("the model `m` is not the pinned one: its sha256 is "), "{refused}");
    put("m.onnx.sha256", &digest("1 says 0.7"));
    let expected = Reload::Serving { model: "m".to_owned(), sha256: sha256(b"1 says 0.7") };
    assert_eq!(later(&pipeline, 60).await, expected);
    // Its tables belong to it.
    let before = pipeline.version();
    put("xs.json", r#"["a","b","c"]"#);
    put("m.onnx.sha256", &digest("1 says 0.7"));
    assert_eq!(later(&pipeline, 60).await, expected);
    assert_ne!(pipeline.version(), before);
    put("xs.json", "[1]");
    put("m.onnx", "1 sa");
    let refused = later(&pipeline, 60).await.to_string();
    assert!(refused.contains("it must be a JSON array of strings"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_lookups_remember_and_the_breaker_counts_outlives_the_model() {
    let shelf = Arc::new(Shelf::default());
    shelf.put(MODEL, "1 says 0.6");
    let counted = Faults::none();
    let world = World::default().with("stores.table", counted.clone());
    let text = yaml("reload: 30s").replace("timeout: 100ms", "cache: 1h");
    let text = text.replace("{ to: dead }", "{ to: dead, stop_above: 20%, of_last: 20 }");
    let file = PipelineFile::parse(Path::new("pipeline.yaml"), &text, &Environment::default()).unwrap();
    let pipeline = Builder::new(file).open(&Shelved(world, shelf.clone())).await.unwrap();
    let poison = || vec![event("rotten", json!({ "id": 7 })); 3];
    assert_eq!(run(&pipeline, acting(1)).await.count(Disposition::Acted), 1);
    assert_eq!(run(&pipeline, poison()).await.breaker.len(), 0);

    let before = pipeline.version();
    shelf.put(MODEL, "1 says 0.7");
    tokio::time::advance(Duration::from_secs(30)).await;
    run(&pipeline, acting(1)).await;
    while pipeline.version() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(said(&run(&pipeline, acting(1)).await), Some(0.7));
    assert_eq!(counted.counts(Op::Get).calls, 1, "it was asked for once");
    let tripped = run(&pipeline, poison()).await.breaker;
    assert!(matches!(tripped.as_slice(), [BreakerChange::Tripped { poison: 5, .. }]), "{tripped:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_in_rust_is_reloaded_too() {
    let shelf = Arc::new(Shelf::default());
    let put = |says: &str| {
        shelf.put("file:w.bin", &format!("ys {says}"));
        shelf.put(MODEL, "1 sa");
        shelf.put("file:m.onnx.sha256", &sha256(format!("1 says {says}").as_bytes()));
    };
    put("0.6");
    let model = Infer::new("m", MODEL).positive("1").feature("x", ".x").sha256_beside().external_data("w.bin");
    let strokes = Strokes::named("small", "1")
        .fields("id: string, x: float")
        .identity(".id", ".id")
        .sink("out", "memory:")
        .sink("dead", "memory:")
        .infer(model.reload(Duration::from_secs(30)))
        .rule(Rule::new("go", "out"))
        .dead_letters("dead");
    let (_, pipeline) = strokes.open(&Shelved(World::default(), shelf.clone())).await.unwrap();
    put("0.7");
    let expected = Reload::Serving { model: "m".to_owned(), sha256: sha256(b"1 says 0.7") };
    assert_eq!(later(&pipeline, 30).await, expected);
    assert_eq!(said(&run(&pipeline, acting(3)).await), Some(0.7));
}

#[tokio::test]
async fn what_lies_beside_a_model_is_found_by_its_url() {
    for (model, digest, weights) in [
        ("file:late-06:00.onnx", "file:late-06:00.onnx.sha256", "file:w.bin"),
        ("file:a/b?.onnx", "file:a/b?.onnx.sha256", "file:a/w.bin"),
        ("https://h/m/late.onnx?v=1/2", "https://h/m/late.onnx.sha256?v=1/2", "https://h/m/w.bin?v=1/2"),
    ] {
        let shelf = Arc::new(Shelf::default());
        shelf.put(model, "1 sa");
        shelf.put(weights, "ys 0.6");
        shelf.put(digest, &sha256(b"1 says 0.6"));
        let file = yaml("sha256: beside, external_data: [w.bin], reload: 1m").replace(MODEL, model);
        let file = PipelineFile::parse(Path::new("pipeline.yaml"), &file, &Environment::default()).unwrap();
        Builder::new(file).open(&Shelved(World::default(), shelf)).await.unwrap_or_else(|why| panic!("{model}: {why}"));
    }
}

#[tokio::test]
async fn a_fixed_digest_and_reload_contradict_each_other() {
    let shelf = Arc::new(Shelf::default());
    shelf.put(MODEL, "1 says 0.6");
    let pinned = format!("sha256: {}", sha256(b"1 says 0.6"));
    assert!(opened(&pinned, &shelf).await.is_ok());
    let shown = opened(&format!("{pinned}, reload: 30s"), &shelf).await.map(drop).unwrap_err().to_string();
    for part in ["`m` is reloaded, but no other model has this digest", "write `sha256: beside`"] {
        assert!(shown.contains(part), "{shown}");
    }
    let shown = opened("reload: 0s", &shelf).await.map(drop).unwrap_err().to_string();
    assert!(shown.contains("`infer.m.reload` must be longer than 0s"), "{shown}");
    for name in ["../w.bin", "", "..", "a/b", "file:w.bin"] {
        let shown = opened(&format!("external_data: [\"{name}\"]"), &shelf).await.map(drop).unwrap_err().to_string();
        assert!(shown.contains("`infer.m.external_data` must be names of files beside the model"), "{shown}");
    }
}
