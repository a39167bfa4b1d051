//! `https:` and `http:`: the suites of its ports, and what a service or a network may do to it.

mod cache;
mod lost;
mod server;
mod sink;
mod table;
mod tls;

use fourstroke::{config::Resource, ports::Outgoing};
use server::Server;

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
