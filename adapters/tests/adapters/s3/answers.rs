//! What S3 or a network may answer, by a server of the test's own.

use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Sent, Sink},
};
use fourstroke_adapters::s3::{S3Object, S3Sink};

use super::item;
use crate::{
    aws::account,
    http::server::{Reply, Server},
};

/// The kind and certainty of a failed call, and its reason.
async fn failure(answer: impl Fn() -> Reply + Send + Sync + 'static) -> (Kind, Sent, String) {
    let patience = answer().patience();
    let server = Server::start(move |_| answer()).await;
    let account = account(&server.endpoint()).await;
    let mut resource = Resource::new("sinks.log", "s3://bucket/log");
    resource.timeout = Some(patience);
    let s3 = S3Sink::at(&resource, &account, Clock::system()).unwrap();
    let items = [item("1", "a"), item("2", "b")];
    let answers = s3.send(&items).await;
    assert_eq!(answers[0], answers[1], "lines of one object share its fate");
    assert_eq!(server.seen().len(), 1, "only the core asks again");
    let error = answers[0].clone().unwrap_err();
    assert!(error.reason.starts_with("`s3://bucket/log`: "), "{}", error.reason);
    (error.kind, error.sent, error.reason)
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>because</Message></Error>");
    Reply::new(status, "content-type: application/xml\r\n", &body)
}

#[tokio::test]
async fn an_answer_says_what_can_be_done() {
    use Kind::{Fatal, Poison, Retryable};
    use Sent::{No, Unknown};
    for (status, code, kind, sent) in [
        (403, "AccessDenied", Fatal, No),
        (403, "SignatureDoesNotMatch", Fatal, No),
        (404, "NoSuchBucket", Fatal, No),
        (301, "PermanentRedirect", Fatal, No),
        (400, "AuthorizationHeaderMalformed", Fatal, No),
        (400, "EntityTooLarge", Poison, No),
        (503, "SlowDown", Retryable, No),
        (503, "ServiceUnavailable", Retryable, No),
        (500, "InternalError", Retryable, Unknown),
        (400, "RequestTimeout", Retryable, Unknown),
        (400, "SomethingNew", Retryable, Unknown),
    ] {
        let (found, certain, reason) = failure(move || refusal(status, code)).await;
        assert_eq!((found, certain), (kind, sent), "{code}");
        assert_eq!(reason, format!("`s3://bucket/log`: {code}: because"));
    }
}

#[tokio::test]
async fn a_lost_answer_is_retryable() {
    for reply in [|| Reply::cut(""), || Reply::hang("")] {
        let (kind, sent, reason) = failure(reply).await;
        assert_eq!((kind, sent), (Kind::Retryable, Sent::Unknown), "{reason}");
    }
}

#[tokio::test]
async fn nobody_there_is_retryable_and_took_nothing() {
    let account = account("http://127.0.0.1:1").await;
    let s3 = S3Sink::at(&Resource::new("x", "s3://bucket"), &account, Clock::system()).unwrap();
    let error = s3.send(&[item("1", "a")]).await.remove(0).unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Retryable, Sent::No), "{error}");
}

#[tokio::test]
async fn a_call_whose_kept_connection_has_ended_is_made_again() {
    let server = Server::start(|seen| match seen.nth {
        1 => Reply::status(200),
        _ => Reply::cut(""),
    })
    .await;
    let account = account(&server.endpoint()).await;
    let s3 = S3Sink::at(&Resource::new("x", "s3://bucket/log"), &account, Clock::system()).unwrap();
    s3.connect().await;
    assert!(server.seen().is_empty(), "only a connection is made");
    for body in ["a", "b"] {
        s3.send(&[item("1", body)]).await[0].as_ref().unwrap();
    }
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!((paths.len(), server.connections()), (3, 2));
    assert_eq!(paths[1], paths[2], "the same object again");
    assert!(paths[0].starts_with("/bucket/log/date%3D"), "{}", paths[0]);
}

#[tokio::test]
async fn an_object_that_does_not_come_whole_is_an_error() {
    let said = async |answer: fn() -> Reply| {
        let server = Server::start(move |_| answer()).await;
        let account = account(&server.endpoint()).await;
        let object = S3Object::at(&Resource::new("m", "s3://bucket/m.onnx"), &account).unwrap();
        object.read().await.unwrap_err()
    };
    let sentence = said(|| Reply::cut("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")).await;
    assert_eq!(sentence, "`s3://bucket/m.onnx`: the answer did not come to its end");
    let sentence = said(|| Reply::cut("HTTP/1.1 200 OK\r\ncontent-length: 2000000000\r\n\r\nx")).await;
    assert_eq!(sentence, "`s3://bucket/m.onnx`: the answer is longer than 1 GiB");
    let sentence = said(|| Reply::new(200, "x-amz-checksum-crc32: AAAAAA==\r\n", "not what it was")).await;
    assert!(sentence.starts_with("`s3://bucket/m.onnx` did not come whole: "), "{sentence}");
}
