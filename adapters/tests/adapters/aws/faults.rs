//! What errors of a service mean, told by a service that answers as it is told.

use std::{collections::VecDeque, sync::Mutex};

use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use fourstroke_adapters::kinesis::KinesisSink;

use crate::http::server::{Reply, Server};

/// A service on this machine that answers each request with the next of these, and with the last from then on.
pub async fn service(answers: impl IntoIterator<Item = Reply>) -> Server {
    let answers = Mutex::new(VecDeque::from_iter(answers));
    Server::start(move |_| {
        let mut answers = answers.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.expect("an answer")
    })
    .await
}

/// An answer as services that speak JSON give it.
pub fn with(status: u16, body: &str) -> Reply {
    Reply::new(status, "content-type: application/x-amz-json-1.1\r\n", body)
}

fn error(status: u16, code: &str) -> Reply {
    with(status, &format!(r#"{{"__type":"{code}","message":"so it is"}}"#))
}

async fn sent(answer: Reply) -> (SendError, usize) {
    let patience = answer.patience();
    let service = service([answer]).await;
    let mut resource = Resource::new("sinks.out", "kinesis://out");
    resource.timeout = Some(patience);
    let sink = KinesisSink::at(&resource, &super::account(&service.endpoint()).await).unwrap();
    let ends = sink.send(&[item("1", "k")]).await;
    (ends.into_iter().next().unwrap().unwrap_err(), service.seen().len())
}

pub fn item(id: &str, key: &str) -> Outgoing {
    Outgoing {
        id: id.into(),
        key: Some(key.into()),
        content_type: "application/json",
        attributes: Vec::new(),
        body: Bytes::from(format!("{{\"id\": \"{id}\"}}")),
    }
}

#[tokio::test]
async fn errors_are_told_apart_and_asked_once() {
    let told = [
        (error(400, "ProvisionedThroughputExceededException"), Kind::Retryable, Sent::No),
        (error(400, "com.amazonaws.kinesis#KMSThrottlingException"), Kind::Retryable, Sent::No),
        (error(400, "ResourceNotFoundException"), Kind::Fatal, Sent::No),
        (error(400, "AccessDeniedException"), Kind::Fatal, Sent::No),
        (error(403, "SomethingNew"), Kind::Fatal, Sent::No),
        (error(400, "ValidationException"), Kind::Poison, Sent::No),
        (error(400, "SomethingNew"), Kind::Retryable, Sent::Unknown),
        (error(500, "InternalFailure"), Kind::Retryable, Sent::Unknown),
        (with(503, ""), Kind::Retryable, Sent::No),
        (with(200, "no JSON"), Kind::Retryable, Sent::Unknown),
        (with(200, r#"{"Records":[],"FailedRecordCount":0}"#), Kind::Retryable, Sent::Unknown),
        (Reply::cut(""), Kind::Retryable, Sent::Unknown),
        (Reply::hang(""), Kind::Retryable, Sent::Unknown),
    ];
    for (answer, kind, known) in told {
        let (failed, asked) = sent(answer.clone()).await;
        assert_eq!((failed.kind, failed.sent, asked), (kind, known, 1), "{answer:?}: {}", failed.reason);
        assert!(failed.reason.starts_with("`kinesis://out`: "), "{}", failed.reason);
    }
}

#[tokio::test]
async fn nobody_there_is_known_as_not_sent() {
    let account = super::account("http://127.0.0.1:1").await;
    let sink = KinesisSink::at(&Resource::new("sinks.out", "kinesis://out"), &account).unwrap();
    let failed = sink.send(&[item("1", "k")]).await.remove(0).unwrap_err();
    assert_eq!((failed.kind, failed.sent), (Kind::Retryable, Sent::No), "{}", failed.reason);
}
