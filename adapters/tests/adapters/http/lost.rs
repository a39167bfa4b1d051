//! What a network does: connections that end, answers that do not come or do not end.

use std::time::Duration;

use fourstroke::{
    clock::Clock,
    error::Kind,
    ports::{Key, Sent, Sink, Store},
    testkit::HandClock,
};
use fourstroke_adapters::http::{HttpSink, HttpTable};
use tokio::net::TcpListener;

use super::{
    at, item,
    server::{Reply, Server},
    table_at,
};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// Makes the reply of a case, anew for each request.
type Replies = fn() -> Reply;

fn open_at(server: &Server) -> HttpSink {
    let mut resource = at(server, "/");
    resource.timeout = Some(Duration::from_millis(300));
    HttpSink::open(&resource, Clock::system()).unwrap()
}

async fn send(sink: &HttpSink) -> Result<(), (Kind, Sent, String)> {
    let answer = sink.send(&[item("a", "1")]).await.remove(0);
    answer.map_err(|error| (error.kind, error.sent, error.reason))
}

#[tokio::test]
async fn a_service_that_is_not_there_took_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for url in [format!("http://{free}/"), "https://name.invalid/".to_owned()] {
        let resource = fourstroke::config::Resource::new("test", url);
        let sink = HttpSink::open(&resource, Clock::system()).unwrap();
        let (kind, sent, reason) = send(&sink).await.unwrap_err();
        assert_eq!((kind, sent), (Kind::Retryable, Sent::No), "{reason}");
        assert!(reason.contains("no connection: "), "{reason}");
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_effect_unknown_and_is_not_asked_for_again() {
    let cases: [(Replies, &str); 5] = [
        (|| Reply::cut(""), "the connection ended before an answer"),
        (|| Reply::cut("HTTP/1.1 200 OK\r\nconte"), "the connection ended before an answer"),
        (|| Reply::cut("What is it?\r\n\r\n"), "the answer is no HTTP"),
        (|| Reply::hang(""), "no answer within 300 ms"),
        (|| Reply::hang("HTTP/1.1 200 OK\r\nconte"), "no answer within 300 ms"),
    ];
    for (reply, why) in cases {
        let server = Server::start(move |_| reply()).await;
        let (kind, sent, reason) = send(&open_at(&server)).await.unwrap_err();
        assert_eq!((kind, sent), (Kind::Retryable, Sent::Unknown), "{reason}");
        assert!(reason.ends_with(why), "{reason}");
        assert_eq!(server.seen().len(), 1, "{why}: the core alone tries again");
    }
}

#[tokio::test]
async fn a_head_without_end_is_given_up() {
    let server = Server::start(|_| Reply::endless(OK, "x-again: and again\r\n")).await;
    let (kind, sent, reason) = send(&open_at(&server)).await.unwrap_err();
    assert_eq!((kind, sent), (Kind::Retryable, Sent::Unknown), "{reason}");
}

#[tokio::test]
async fn what_a_sink_says_behind_its_status_does_not_matter() {
    let replies: [Replies; 3] = [
        || Reply::cut("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
        || Reply::hang("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
        || Reply::endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nmore\r\n"),
    ];
    for reply in replies {
        let server = Server::start(move |_| reply()).await;
        let sink = open_at(&server);
        assert_eq!((send(&sink).await, send(&sink).await), (Ok(()), Ok(())));
        assert_eq!(server.connections(), 2, "a connection in the middle of an answer is not used again");
    }
}

#[tokio::test]
async fn a_kept_connection_that_ended_is_replaced_once() {
    // The second request of a connection is read, then the connection ends.
    let server = Server::start(|seen| if seen.nth == 1 { Reply::status(200) } else { Reply::cut("") }).await;
    let sink = open_at(&server);
    assert_eq!((send(&sink).await, send(&sink).await), (Ok(()), Ok(())));
    let seen: Vec<_> = server.seen().iter().map(|seen| (seen.connection, seen.nth)).collect();
    assert_eq!(seen, [(1, 1), (1, 2), (2, 1)]);

    // The new one ends too: no third try.
    let server = Server::start(|seen| match (seen.connection, seen.nth) {
        (1, 1) => Reply::status(200),
        _ => Reply::cut(""),
    })
    .await;
    let sink = open_at(&server);
    assert_eq!(send(&sink).await, Ok(()));
    let (kind, sent, _) = send(&sink).await.unwrap_err();
    assert_eq!((kind, sent, server.seen().len()), (Kind::Retryable, Sent::Unknown, 3));

    // A kept connection on which no answer came in time is not one that ended.
    let server = Server::start(|seen| if seen.nth == 1 { Reply::status(200) } else { Reply::hang("") }).await;
    let sink = open_at(&server);
    assert_eq!(send(&sink).await, Ok(()));
    assert!(send(&sink).await.is_err());
    assert_eq!((server.seen().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_server_that_closes_behind_each_answer_loses_nothing() {
    let server = Server::start(|_| Reply::status(200).then_close()).await;
    let sink = open_at(&server);
    for _ in 0..50 {
        assert_eq!(send(&sink).await, Ok(()));
    }
    assert_eq!(server.seen().len(), 50);
}

#[tokio::test]
async fn a_connection_that_was_idle_for_long_is_not_used_again() {
    let server = Server::start(|_| Reply::status(200)).await;
    let hand = HandClock::default();
    let sink = HttpSink::open(&at(&server, "/"), hand.clock()).unwrap();
    for (seconds, connections) in [(0, 1), (49, 1), (50, 2)] {
        hand.advance(Duration::from_secs(seconds));
        assert_eq!(send(&sink).await, Ok(()));
        assert_eq!(server.connections(), connections, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_table_needs_its_whole_answer() {
    let row = |reply: Replies| async move {
        let server = Server::start(move |_| reply()).await;
        let mut resource = table_at(&server, "/{id}");
        resource.timeout = Some(Duration::from_secs(1));
        let table = HttpTable::open(&resource, Clock::system()).unwrap();
        let error = table.get(&[Key::new("1", "")]).await.remove(0).unwrap_err();
        assert_eq!(server.seen().len(), 1);
        (error.kind, error.reason)
    };
    let cases: [(Replies, Kind, &str); 8] = [
        (|| Reply::cut(""), Kind::Retryable, "ended before an answer"),
        (|| Reply::hang(""), Kind::Retryable, "no answer within 1000 ms"),
        (|| Reply::cut("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), Kind::Retryable, "did not come to its end"),
        (|| Reply::hang("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), Kind::Retryable, "did not come to its end"),
        (
            || Reply::cut("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"),
            Kind::Retryable,
            "did not come to its end",
        ),
        (
            || {
                let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
                Reply::endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &chunk)
            },
            Kind::Poison,
            "longer than 1 MiB",
        ),
        (|| Reply::endless("HTTP/1.1 200 OK\r\n\r\n", "more and more and more"), Kind::Poison, "longer than 1 MiB"),
        (|| Reply::hang("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"), Kind::Poison, "longer than 1 MiB"),
    ];
    for (reply, kind, why) in cases {
        let (found, reason) = row(reply).await;
        assert_eq!(found, kind, "{why}: {reason}");
        assert!(reason.contains(why), "{reason}");
    }
}
