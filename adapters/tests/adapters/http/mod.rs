//! `https:` and `http:`: the suites of its ports, and what a service or a network may do to it.

mod cache;
mod certificates;
mod lost;
mod object;
pub mod server;
mod sink;
mod table;
mod tls;

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use fourstroke::{config::Resource, ports::Outgoing};
use server::{Reply, Seen, Server};

/// A service of which four in so many requests, the same ones each time, fail when they are first asked: cut off, not answered, answered
/// with 500 or 429. With it comes what it took: the bodies of those it answered well.
fn flaky(
    of: u64,
    service: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> (impl Fn(&Seen) -> Reply + Send + Sync + 'static, Arc<Mutex<Vec<Bytes>>>) {
    let taken: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let (asked, took) = (Mutex::new(HashSet::new()), taken.clone());
    let answer = move |seen: &Seen| {
        let what = (seen.path.clone(), seen.body.clone());
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let first = asked.lock().unwrap().insert(what);
        match hasher.finish() % of {
            0 if first => Reply::cut(""),
            1 if first => Reply::hang(""),
            2 if first => Reply::status(500),
            3 if first => Reply::status(429),
            _ => {
                took.lock().unwrap().push(seen.body.clone());
                service(seen)
            }
        }
    };
    (answer, taken)
}

/// A resource at a path of the server.
fn at(server: &Server, path: &str) -> Resource {
    Resource::new("test", format!("http://{}{path}", server.address))
}

/// A table at a path of the server, with one placeholder.
fn table_at(server: &Server, path: &str) -> Resource {
    let mut resource = at(server, path);
    resource.key = vec!["id".to_owned()];
    resource
}

fn item(key: &str, id: &str) -> Outgoing {
    Outgoing {
        id: id.into(),
        key: (!key.is_empty()).then(|| key.into()),
        content_type: "application/json",
        attributes: vec![("decision-id", "d1".into()), ("action", "größer\r\nx: y".into())],
        body: format!("{{\"id\":\"{id}\"}}").into(),
    }
}
