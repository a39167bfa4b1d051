use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{SendError, Sent, Sink},
    testkit::{
        Retrying,
        faults::{Fault, Faults, FaultySink},
        sink,
    },
    types::Fields,
};
use fourstroke_adapters::{http::HttpSink, open};

use super::{
    at, flaky, item,
    server::{Reply, Server},
};

fn open_at(server: &Server, path: &str) -> HttpSink {
    HttpSink::open(&at(server, path), Clock::system()).unwrap()
}

/// The kind and certainty of one item's failure, and its reason.
async fn failure(answer: impl Fn() -> Reply + Send + Sync + 'static) -> (Kind, Sent, String) {
    let server = Server::start(move |_| answer()).await;
    let error = open_at(&server, "/x").send(&[item("a", "1")]).await.remove(0).unwrap_err();
    assert!(error.reason.starts_with(&format!("`http://{}/x`: ", server.address)), "{}", error.reason);
    (error.kind, error.sent, error.reason)
}

#[tokio::test]
async fn keeps_the_contract_of_a_sink() {
    let server = Server::start(|_| Reply::status(202)).await;
    let http = Arc::new(open_at(&server, "/in"));
    sink::suite(http.clone(), async || server.bodies(), sink::Capabilities::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_it_over_a_network_and_a_service_that_fail_now_and_then() {
    let (service, taken) = flaky(40, |_| Reply::status(200));
    let server = Server::start(service).await;
    let mut resource = at(&server, "/in");
    resource.timeout = Some(Duration::from_millis(100));
    let http = Arc::new(HttpSink::open(&resource, Clock::system()).unwrap());
    let bodies = async || taken.lock().unwrap().clone();
    sink::suite(Arc::new(Retrying::new(http)), bodies, sink::Capabilities::default()).await;
    let (asked, taken) = (server.seen().len(), taken.lock().unwrap().len());
    assert!(asked > taken + taken / 20, "{asked} requests, {taken} taken");
}

#[tokio::test]
async fn keeps_it_where_what_fails_once_is_sent_again() {
    let server = Server::start(|_| Reply::status(200)).await;
    let faults = Faults::plan(|attempt| (attempt.name == "a1" && attempt.nth == 1).then_some(Fault::Before));
    let faulty = FaultySink::new(Arc::new(open_at(&server, "/in")), faults);
    let items = ["a1", "a2", "b1"].map(|id| item(&id[..1], id));
    let answers = faulty.send(&items).await;
    assert!(answers[0].is_err() && answers[1] == Err(SendError::held()) && answers[2].is_ok());
    assert!(faulty.send(&items[..2]).await.iter().all(Result::is_ok));
    let ids: Vec<String> = server.seen().iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert_eq!(ids, ["b1", "a1", "a2"]);
}

#[tokio::test]
async fn an_item_arrives_with_its_headers_and_the_resource_s() {
    let server = Server::start(|_| Reply::status(204)).await;
    let mut resource = at(&server, "/a%20b?c=d");
    resource.headers.insert("Authorization".to_owned(), "Bearer s3cret".to_owned());
    let http = open::sink(&resource).await.unwrap();
    http.send(&[item("k", "id-ü%")]).await[0].as_ref().unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/a%20b?c=d"));
    assert_eq!(seen.body, "{\"id\":\"id-ü%\"}");
    let expected = HashMap::from([
        ("host", server.address.to_string()),
        ("user-agent", concat!("fourstroke/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("authorization", "Bearer s3cret".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("content-length", seen.body.len().to_string()),
        ("idempotency-key", "id-%C3%BC%25".to_owned()),
        ("fourstroke-decision-id", "d1".to_owned()),
        ("fourstroke-action", "gr%C3%B6%C3%9Fer%0D%0Ax:%20y".to_owned()),
    ]);
    let found: HashMap<&str, String> = seen.headers.iter().map(|(name, value)| (&**name, value.clone())).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_status_says_what_can_be_done() {
    use Kind::{Fatal, Poison, Retryable};
    use Sent::{No, Unknown};
    for (status, kind, sent) in [
        (400, Poison, No),
        (404, Poison, No),
        (409, Poison, Unknown),
        (413, Poison, No),
        (422, Poison, No),
        (401, Fatal, No),
        (403, Fatal, No),
        (407, Fatal, No),
        (301, Fatal, No),
        (304, Fatal, No),
        (429, Retryable, No),
        (503, Retryable, No),
        (408, Retryable, Unknown),
        (425, Retryable, Unknown),
        (500, Retryable, Unknown),
        (502, Retryable, Unknown),
        (504, Retryable, Unknown),
        (599, Retryable, Unknown),
    ] {
        let (found, certain, reason) = failure(move || Reply::status(status)).await;
        assert_eq!((found, certain), (kind, sent), "{status}");
        assert!(reason.contains(&status.to_string()), "{reason}");
    }
    let (kind, sent, _) = failure(|| Reply::new(409, "retry-after: 1\r\n", "")).await;
    assert_eq!((kind, sent), (Retryable, Unknown), "it asks to be asked again");
    let (_, _, reason) = failure(|| Reply::new(422, "", "{\"error\":\r\n\"no \x1b[31msuch plane\"}")).await;
    assert!(reason.ends_with("it answered 422 Unprocessable Entity: {\"error\": \"no [31msuch plane\"}"), "{reason}");
    let (_, _, reason) = failure(|| Reply::new(400, "", &"x".repeat(50_000))).await;
    assert!(reason.len() < 400, "{reason}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::start(|_| Reply::status(200)).await;
    let location = format!("location: http://{}/there?s3cret\r\n", other.address);
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let (kind, _, reason) = failure(move || Reply::new(status, &location, "")).await;
        assert_eq!(kind, Kind::Fatal);
        assert!(reason.contains("redirects are not followed: name the address"), "{reason}");
        assert!(!reason.contains("s3cret"), "{reason}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn what_fails_holds_its_key_and_poison_does_not() {
    let server = Server::start(|seen| match &*seen.headers["idempotency-key"] {
        "a1" => Reply::status(500),
        "b1" => Reply::status(400),
        "c1" => Reply::status(403),
        _ => Reply::status(200),
    })
    .await;
    let items = ["a1", "b1", "c1", "a2", "b2", "c2", "a3", "d1"].map(|id| item(&id[..1], id));
    let answers = open_at(&server, "/").send(&items).await;
    let held = Err(SendError::held());
    assert!(answers[..3].iter().all(Result::is_err));
    assert_eq!(answers[3..], [held.clone(), Ok(()), held.clone(), held, Ok(())]);
    assert_eq!(server.seen().len(), 5);

    let mut resource = at(&server, "/");
    resource.ordered = false;
    let answers = open::sink(&resource).await.unwrap().send(&items).await;
    assert!(answers[3..].iter().all(Result::is_ok), "without order nothing is held: {answers:?}");
}

#[tokio::test]
async fn the_items_of_a_key_use_one_connection_and_others_go_at_once() {
    let server = Server::start(|_| Reply::new(200, "", "taken")).await;
    let http = open_at(&server, "/");
    for call in 0..3 {
        let items: Vec<_> = (0..20).map(|n| item("k", &format!("{call}-{n}"))).collect();
        assert!(http.send(&items).await.iter().all(Result::is_ok));
    }
    assert_eq!((server.seen().len(), server.connections()), (60, 1));

    // Nobody is answered before so many wait: less concurrency would never end, more would show in the count.
    let waiting = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (waiting.clone(), most.clone());
    let server = Server::start(move |_| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        now.fetch_sub(1, Ordering::SeqCst);
        Reply::status(200)
    })
    .await;
    let items: Vec<_> = (0..500).map(|n| item(&format!("k{n}"), &n.to_string())).collect();
    assert!(open_at(&server, "/").send(&items).await.iter().all(Result::is_ok));
    assert!((2..=32).contains(&server.connections()), "{} connections", server.connections());
}

#[tokio::test]
async fn secrets_of_headers_and_variables_never_come_back() {
    const SECRETS: [&str; 3] = ["s3cret-token", "t0p-secret", "hidden-name"];
    let server = Server::start(|seen| {
        let echo = format!("{:?} {}", seen.headers, seen.path);
        Reply::new(if seen.body.is_empty() { 200 } else { 400 }, "", &echo)
    })
    .await;
    let mut resource = at(&server, "/hidden-name?key=t0p-secret");
    resource.variable = Some("SERVICE".to_owned());
    resource.headers.insert("authorization".to_owned(), "Bearer s3cret-token".to_owned());
    let http = HttpSink::open(&resource, Clock::system()).unwrap();
    let reason = http.send(&[item("a", "1")]).await.remove(0).unwrap_err().reason;
    let shown = format!("{http:?} {reason} {resource:?}");
    assert!(reason.contains("(from SERVICE)`: it answered 400 Bad Request: "), "{reason}");
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");

    // Nor from what is refused when it is opened.
    for url in ["http://hidden-name.org/t0p-secret", "https://hidden-name@x.org/", "https://10.0.0.1/hidden-name"] {
        let resource = Resource { url: url.to_owned(), ..resource.clone() };
        let sentence = open::check_sink(&resource).unwrap_err();
        assert!(
            sentence.contains("SERVICE") && !sentence.contains("hidden") && !sentence.contains("10.0"),
            "{sentence}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_found_without_connecting() {
    let server = Server::start(|_| Reply::status(200)).await;
    let check = |path: &str, change: &dyn Fn(&mut Resource)| {
        let mut resource = at(&server, path);
        change(&mut resource);
        open::check_sink(&resource)
    };
    assert_eq!(check("/", &|_| {}), Ok(()));
    assert_eq!(check("/", &|resource| resource.hosts = vec!["127.0.0.1".to_owned()]), Ok(()));
    for (path, change, why) in [
        ("/{id}", &(|_: &mut Resource| {}) as &dyn Fn(&mut Resource), "only a store has placeholders"),
        ("/", &|resource| resource.fields = Some(Fields(Vec::new())), "`fields` means nothing"),
        ("/", &|resource| resource.hosts = vec!["example.com".to_owned()], "is none of `hosts`: example.com"),
        ("/", &|resource| drop(resource.headers.insert("Host".to_owned(), "x".to_owned())), "`Host` may not be set"),
    ] {
        let sentence = check(path, change).unwrap_err();
        assert!(sentence.contains(why), "{sentence}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_option_that_means_nothing_for_a_scheme_is_refused() {
    type Change = fn(&mut Resource);
    let changes: [(&str, Change); 5] = [
        ("headers", |resource| drop(resource.headers.insert("a".to_owned(), "b".to_owned()))),
        ("timeout", |resource| resource.timeout = Some(std::time::Duration::from_secs(1))),
        ("insecure", |resource| resource.insecure = true),
        ("hosts", |resource| resource.hosts = vec!["x".to_owned()]),
        ("private", |resource| resource.private = true),
    ];
    for (key, change) in changes {
        for url in ["memory:", "stdout:", "file:x.jsonl"] {
            let mut resource = Resource::new("sinks.x", url);
            change(&mut resource);
            let sentence = open::check_sink(&resource).unwrap_err();
            assert_eq!(sentence, format!("`{key}` means nothing for `{}:`; it is for `https:`", resource.scheme()));
            assert_eq!(open::sink(&resource).await.err(), Some(sentence.clone()));
            assert_eq!(open::store(&resource).await.err(), Some(sentence));
        }
    }
}
