//! `Cache-Control` through the core: the smaller of it and the lookup's `cache` counts.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use fourstroke::{
    clock::Deadline,
    config::{Environment, PipelineFile, Resource},
    event::Event,
    pipeline::Builder,
    ports::{Objects, Open, Sink, Source, Store},
    report::Disposition,
    testkit::HandClock,
};
use fourstroke_adapters::{
    http::{HttpSink, HttpTable},
    memory::MemorySink,
    open::Adapters,
};

use super::server::{Reply, Server};

const PIPELINE: &str = r#"
fourstroke: v1
name: cached
stores:
  customers: { url: "http://${SERVER}/c/{id}", key: [id], fields: { level: integer } }
sinks:
  offers: { url: "http://${SERVER}/offers", format: cloudevents }
  dead: "memory:"
event: { id: .id, fields: { id: string, customer: string } }
enrich:
  who: { from: customers, key: [.customer], cache: 10m, missing: default, default: { level: 3 } }
act: { rules: [ { name: offer, when: .who.level > 2, to: offers, data: '{ "id": .id }' } ] }
on_error: { to: dead }
"#;

struct Opener(HandClock);

#[async_trait]
impl Open for Opener {
    async fn source(&self, _: &Resource) -> Result<Box<dyn Source>, String> {
        Err("there are no sources".to_owned())
    }

    async fn store(&self, resource: &Resource) -> Result<Arc<dyn Store>, String> {
        Ok(Arc::new(HttpTable::open(resource, self.0.clock())?))
    }

    async fn sink(&self, resource: &Resource) -> Result<Arc<dyn Sink>, String> {
        match resource.scheme() {
            "http" => Ok(Arc::new(HttpSink::open(resource, self.0.clock())?)),
            _ => Ok(Arc::new(MemorySink::default())),
        }
    }

    fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(Adapters::new(|_, _| Err("there are no models".to_owned())))
    }
}

/// Runs an event at each of these seconds and returns how often the service had been asked after each.
async fn asked(status: u16, headers: &'static str, seconds: &[u64]) -> Vec<usize> {
    let server = Server::start(move |seen| match &*seen.method {
        "GET" => Reply::new(status, headers, "{\"level\":3}"),
        _ => Reply::status(200),
    })
    .await;
    let hand = HandClock::default();
    let environment = Environment::of([("SERVER".to_owned(), server.address.to_string())]);
    let file = PipelineFile::parse(Path::new("pipeline.yaml"), PIPELINE, &environment).unwrap();
    let built = Builder::new(file).clock(hand.clock()).open(&Opener(hand.clone())).await;
    let pipeline = built.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let gets = || server.seen().iter().filter(|seen| seen.method == "GET").count();
    let mut counts = Vec::new();
    let mut now = 0;
    for second in seconds {
        hand.advance(Duration::from_secs(second - now));
        now = *second;
        let event = Event::new(second.to_string(), format!("{{\"id\":\"e{second}\",\"customer\":\"42\"}}"));
        let report = pipeline.run(vec![event.into()], Deadline::after(Duration::from_secs(10))).await;
        assert_eq!(report.dispositions(), [Disposition::Acted]);
        counts.push(gets());
    }
    assert_eq!(server.seen().iter().filter(|seen| seen.method == "POST").count(), seconds.len());
    counts
}

#[tokio::test]
async fn the_smaller_of_both_times_counts() {
    for (headers, seconds, counts) in [
        ("", &[0, 599, 600][..], &[1, 1, 2][..]),
        ("cache-control: max-age=60\r\n", &[0, 59, 60, 119, 120], &[1, 1, 2, 2, 3]),
        ("cache-control: max-age=60\r\nage: 50\r\n", &[0, 9, 10], &[1, 1, 2]),
        ("cache-control: max-age=3600\r\n", &[0, 599, 600], &[1, 1, 2]),
        ("cache-control: no-store\r\n", &[0, 0, 1], &[1, 2, 3]),
        ("cache-control: no-cache\r\n", &[0, 0, 1], &[1, 2, 3]),
        ("expires: 0\r\n", &[0, 0, 1], &[1, 2, 3]),
    ] {
        for status in [200, 404] {
            assert_eq!(asked(status, headers, seconds).await, counts, "{status} {headers}");
        }
    }
}
