//! The sink: the suite of its port, and which objects it makes of which lines.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use fourstroke::{
    clock::Clock,
    error::Kind,
    ports::{Sent, Sink},
    testkit::sink,
};
use fourstroke_adapters::{open, s3::S3Sink};

use super::{Bucket, item};
use crate::aws::account_at_moto;

fn at(moment: &str) -> Clock {
    Clock::fixed(moment.parse::<DateTime<Utc>>().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_of_a_sink() {
    let Some(account) = account_at_moto().await else { return };
    let bucket = Bucket::new(&account).await;
    let s3 = S3Sink::at(&bucket.resource("/log"), &account, Clock::system()).unwrap();
    let taken = async || {
        let mut all = Vec::new();
        for key in bucket.keys().await {
            all.extend(bucket.lines(&key).await);
        }
        all
    };
    // Objects have no order among each other.
    let can = sink::Capabilities { lines: true, ordered: false, ..sink::Capabilities::default() };
    sink::suite(Arc::new(s3), taken, can).await;
}

#[tokio::test]
async fn a_call_is_one_object_of_lines_in_its_order_and_a_repeated_one_the_same() {
    let Some(account) = account_at_moto().await else { return };
    let bucket = Bucket::new(&account).await;
    let s3 = S3Sink::at(&bucket.resource("/log/"), &account, at("2026-01-02T23:59:59Z")).unwrap();
    let items = [item("1", "{\"a\":1}"), item("2", "no\nline"), item("3", "größer"), item("4", "{\"a\":1}")];
    for _ in 0..2 {
        let answers = s3.send(&items).await;
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true]);
        let error = answers[1].as_ref().unwrap_err();
        assert_eq!((error.kind, error.sent), (Kind::Poison, Sent::No));
    }
    let keys = bucket.keys().await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let digest = keys[0].strip_prefix("log/date=2026-01-02/").unwrap().strip_suffix(".jsonl.gz").unwrap();
    assert!(digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    assert_eq!(bucket.lines(&keys[0]).await, ["{\"a\":1}", "größer", "{\"a\":1}"].map(Bytes::from));
    // The same line of another event is another object, and so is one of the next day.
    s3.send(&[item("5", "x")]).await[0].as_ref().unwrap();
    s3.send(&[item("6", "x")]).await[0].as_ref().unwrap();
    let next = S3Sink::at(&bucket.resource("/log"), &account, at("2026-01-03T00:00:00Z")).unwrap();
    next.send(&[item("6", "x")]).await[0].as_ref().unwrap();
    assert_eq!(bucket.keys().await.len(), 4);
    let refused = s3.send(&[item("7", "")]).await;
    assert!(refused[0].is_err() && bucket.keys().await.len() == 4, "what has no lines is no object");
}

#[tokio::test]
async fn a_bucket_alone_is_enough() {
    let Some(account) = account_at_moto().await else { return };
    let bucket = Bucket::new(&account).await;
    let s3 = S3Sink::at(&bucket.resource(""), &account, at("2026-01-02T00:00:00Z")).unwrap();
    s3.connect().await;
    s3.send(&[item("1", "x")]).await[0].as_ref().unwrap();
    assert!(bucket.keys().await[0].starts_with("date=2026-01-02/"));
}

#[tokio::test]
async fn a_missing_bucket_is_fatal() {
    let Some(account) = account_at_moto().await else { return };
    let resource = fourstroke::config::Resource::new("sinks.log", "s3://no-such-bucket/log");
    let s3 = S3Sink::at(&resource, &account, Clock::system()).unwrap();
    let error = s3.send(&[item("1", "x")]).await.remove(0).unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Fatal, Sent::No));
    assert!(error.reason.starts_with("`s3://no-such-bucket/log`: NoSuchBucket: "), "{}", error.reason);
}

#[test]
fn a_sink_s_url_is_checked_without_connecting() {
    let check = |url: &str| open::check_sink(&fourstroke::config::Resource::new("sinks.x", url));
    assert_eq!(check("s3://bucket/log"), Ok(()));
    assert!(check("s3://bucket/log?x=y").unwrap_err().contains("query or fragment"));
    let mut slow = fourstroke::config::Resource::new("sinks.x", "s3://bucket/log");
    slow.timeout = Some(Duration::from_secs(1));
    assert_eq!(open::check_sink(&slow), Ok(()), "calls of AWS may be given a time");
    slow.insecure = true;
    assert!(open::check_sink(&slow).unwrap_err().contains("`insecure` means nothing"));
}
