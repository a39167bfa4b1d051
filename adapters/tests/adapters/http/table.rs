use std::{sync::Arc, time::Duration};

use fourstroke::{
    Value,
    clock::Clock,
    error::Kind,
    ports::{Key, Store},
    testkit::{
        Retrying,
        faults::{Fault, Faults, FaultyStore},
        table,
    },
};
use fourstroke_adapters::{http::HttpTable, open};
use tokio::time::Instant;

use super::{
    at, flaky,
    server::{Reply, Seen, Server},
    table_at,
};

fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Has two customers by id, and two airports by name and hour.
async fn customers() -> Server {
    Server::start(customer).await
}

fn customer(seen: &Seen) -> Reply {
    match &*seen.path {
        "/c/42" => Reply::json("{\"level\":3}"),
        "/c/a%2Fb" => Reply::json("{\"level\":4}"),
        "/w/EWR?hour=9" => Reply::json("{\"visib\":1.5}"),
        "/w/JFK?hour=9%1F0" => Reply::json("{\"visib\":2}"),
        path if path.contains("gone") => Reply::status(410),
        path if path.contains("empty") => Reply::status(204),
        _ => Reply::new(404, "", "no such thing"),
    }
}

#[tokio::test]
async fn keeps_the_contract_of_a_table() {
    let server = customers().await;
    let http = open::store(&table_at(&server, "/c/{id}")).await.unwrap();
    let known = [(Key::new("42", ""), object("{\"level\":3}")), (Key::new("a/b", ""), object("{\"level\":4}"))];
    let unknown = ["43", "", "gone", "empty", "?", "42?"].map(|id| Key::new(id, ""));
    table::suite(&*http, &known, &unknown).await;
    table::read_only(&*http, &known[0].0).await;
    assert_eq!(http.list("42").await.unwrap_err().kind, Kind::Fatal);

    let mut resource = at(&server, "/w/{origin}?hour={hour}");
    resource.key = vec!["origin".to_owned(), "hour".to_owned()];
    let http = open::store(&resource).await.unwrap();
    let known = [
        (Key::of_parts(&["EWR", "9"]), object("{\"visib\":1.5}")),
        (Key::of_parts(&["JFK", "9\u{1f}0"]), object("{\"visib\":2}")),
    ];
    table::suite(&*http, &known, &[Key::of_parts(&["EWR", "10"]), Key::of_parts(&["EWR", ""])]).await;
    assert!(server.connections() <= 64, "{} connections", server.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_it_over_a_network_and_a_service_that_fail_now_and_then() {
    let (service, _) = flaky(4, customer);
    let server = Server::start(service).await;
    let mut resource = table_at(&server, "/c/{id}");
    resource.timeout = Some(Duration::from_millis(100));
    let http = Arc::new(HttpTable::open(&resource, Clock::system()).unwrap());
    let known = [(Key::new("42", ""), object("{\"level\":3}")), (Key::new("a/b", ""), object("{\"level\":4}"))];
    table::suite(&Retrying::new(http), &known, &[Key::new("43", "")]).await;
    let asked = |path: &str| server.seen().iter().filter(|seen| seen.path == path).count();
    assert_eq!(
        asked("/c/42") + asked("/c/a%2Fb"),
        asked("/c/43") * 2,
        "each is asked for as often, and once more at first"
    );
}

#[tokio::test]
async fn what_has_come_by_then_is_answered_and_what_hangs_holds_up_nothing_else() {
    let server = Server::start(|seen| match &*seen.path {
        "/c/5" | "/c/40" => Reply::hang(""),
        _ => Reply::json("{\"level\":3}"),
    })
    .await;
    let http = HttpTable::open(&table_at(&server, "/c/{id}"), Clock::system()).unwrap();
    let keys: Vec<Key> = (0..100).map(|n| Key::new(n.to_string(), "")).collect();
    let items = http.get_by(&keys, Instant::now() + Duration::from_secs(1)).await;
    let late: Vec<usize> = (0..100).filter(|place| items[*place].is_none()).collect();
    assert_eq!(late, [5, 40]);
    assert!(items.iter().flatten().all(Result::is_ok));
}

#[tokio::test]
async fn one_bad_key_never_fails_the_others() {
    let server = Server::start(|seen| match &*seen.path {
        "/1" => Reply::json("{\"x\":1}"),
        "/2" => Reply::status(500),
        "/3" => Reply::new(400, "", "what?"),
        "/4" => Reply::json("[1]"),
        "/5" => Reply::json("{\"x\":"),
        "/6" => Reply::json("<html>"),
        "/7" => Reply::status(202),
        "/8" => Reply::status(429),
        "/9" => Reply::status(403),
        "/10" => Reply::new(302, "location: /1\r\n", ""),
        path => panic!("nobody asked for {path}"),
    })
    .await;
    let http = open::store(&table_at(&server, "/{id}")).await.unwrap();
    let long = "x".repeat(70_000);
    let ids = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "..", "../1", &long];
    let answers = http.get(&ids.map(|id| Key::new(id, ""))).await;
    assert_eq!(answers[0].as_ref().unwrap().as_ref().unwrap().value, object("{\"x\":1}"));
    for (place, (kind, why)) in [
        (Kind::Retryable, "it answered 500"),
        (Kind::Poison, "it answered 400 Bad Request: what?"),
        (Kind::Poison, "no object"),
        (Kind::Poison, "no JSON"),
        (Kind::Poison, "no JSON"),
        (Kind::Poison, "it answered 202"),
        (Kind::Retryable, "it answered 429"),
        (Kind::Fatal, "it answered 403"),
        (Kind::Fatal, "redirects are not followed"),
        (Kind::Poison, "would lead to another path"),
        (Kind::Poison, "would lead to another path"),
        (Kind::Poison, "too long for a URL"),
    ]
    .into_iter()
    .enumerate()
    {
        let error = answers[place + 1].as_ref().unwrap_err();
        assert_eq!(error.kind, kind, "{}", error.reason);
        assert!(error.reason.contains(why) && error.reason.contains("/{id}`: "), "{}", error.reason);
    }
}

#[tokio::test]
async fn a_read_that_fails_once_is_read_again_by_whoever_asks_again() {
    let server = customers().await;
    let http = Arc::new(HttpTable::open(&table_at(&server, "/c/{id}"), Clock::system()).unwrap());
    let faulty = FaultyStore::new(http, Faults::first(1, Fault::Before));
    let key = [Key::new("42", "")];
    assert_eq!(faulty.get(&key).await.remove(0).unwrap_err().kind, Kind::Retryable);
    assert_eq!(faulty.get(&key).await.remove(0).unwrap().unwrap().value, object("{\"level\":3}"));
}

#[tokio::test]
async fn a_table_asks_for_json_uncompressed_with_its_headers() {
    let server = customers().await;
    let mut resource = table_at(&server, "/c/{id}");
    resource.headers.insert("x-api-key".to_owned(), "s3cret".to_owned());
    let http = HttpTable::open(&resource, Clock::system()).unwrap();
    assert!(http.get(&[Key::new("42", "")]).await[0].is_ok());
    let seen = &server.seen()[0];
    assert_eq!(
        (&*seen.method, &*seen.headers["accept"], &*seen.headers["x-api-key"]),
        ("GET", "application/json", "s3cret")
    );
    assert!(!seen.headers.contains_key("accept-encoding") && !seen.headers.contains_key("content-length"));
    assert!(!format!("{http:?}").contains("s3cret"));
}
