//! The Kinesis sink, against kinesis-local.

use std::{sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_kinesis::{Client, client::Waiters, types::ShardIteratorType};
use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{SendError, Sink},
    testkit::sink::{Capabilities, suite},
};
use fourstroke_adapters::{kinesis::KinesisSink, open::check_sink};
use serde_json::{Value, json};

use crate::{
    aws::{
        account,
        faults::{item, service, with},
    },
    http::server::{Reply, Seen, Server},
};

/// A new stream of so many shards.
async fn stream(account: &SdkConfig, name: &str, shards: i32) -> Resource {
    let client = Client::new(account);
    client.create_stream().stream_name(name).shard_count(shards).send().await.unwrap();
    client.wait_until_stream_exists().stream_name(name).wait(Duration::from_secs(10)).await.unwrap();
    Resource::new("sinks.out", format!("kinesis://{name}"))
}

/// Reads everything the stream has, shard by shard.
async fn taken(account: &SdkConfig, resource: &Resource) -> Vec<Bytes> {
    let (client, name) = (Client::new(account), resource.rest().trim_start_matches('/'));
    let shards = client.list_shards().stream_name(name).send().await.unwrap();
    let mut bodies = Vec::new();
    for shard in shards.shards() {
        let iterator = client.get_shard_iterator().stream_name(name).shard_id(shard.shard_id());
        let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
        let mut next = iterator.shard_iterator;
        while let Some(from) = next {
            let page = client.get_records().shard_iterator(from).send().await.unwrap();
            bodies.extend(page.records().iter().map(|record| Bytes::copy_from_slice(record.data().as_ref())));
            next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
        }
    }
    bodies
}

#[tokio::test]
async fn kinesis_is_a_sink() {
    let Some(kinesis) = fourstroke_localstack::kinesis::shared() else { return };
    let account = account(&kinesis.endpoint()).await;
    let resource = stream(&account, "suite", 3).await;
    let sink = KinesisSink::at(&resource, &account).unwrap();
    sink.connect().await;
    let can = Capabilities { largest_body: 1 << 19, ..Capabilities::default() };
    suite(Arc::new(sink), async || taken(&account, &resource).await, can).await;
}

#[tokio::test]
async fn a_record_the_stream_refuses_spoils_no_other() {
    let Some(kinesis) = fourstroke_localstack::kinesis::shared() else { return };
    let account = account(&kinesis.endpoint()).await;
    let resource = stream(&account, "large", 1).await;
    let sink = KinesisSink::at(&resource, &account).unwrap();
    let mut items = [item("1", "a"), item("2", "b"), item("3", "c"), item("4", "d")];
    items[1].body = vec![b'x'; 2 << 20].into();
    items[2].body = vec![b'x'; 11 << 20].into();
    let ends: Vec<Option<Kind>> = sink.send(&items).await.into_iter().map(|end| Some(end.err()?.kind)).collect();
    assert_eq!(ends, [None, Some(Kind::Poison), Some(Kind::Poison), None]);
    assert_eq!(taken(&account, &resource).await.len(), 2);
}

#[tokio::test]
async fn a_record_behind_a_failed_one_of_its_key_waits() {
    let done = r#"{"SequenceNumber":"1","ShardId":"shardId-000000000000"}"#;
    let failed = r#"{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slower"}"#;
    let answer = |records: &[&str]| with(200, &format!(r#"{{"Records":[{}]}}"#, records.join(",")));
    let ends = |ends: Vec<Result<(), SendError>>| -> Vec<bool> { ends.iter().map(Result::is_ok).collect() };
    // Two keys, three records each.
    let items: Vec<_> = (0..6).map(|n| item(&n.to_string(), ["a", "b"][n % 2])).collect();

    let server = service([answer(&[failed, done]), answer(&[done])]).await;
    let account_there = account(&server.endpoint()).await;
    let mut resource = Resource::new("sinks.out", "kinesis://out");
    let sink = KinesisSink::at(&resource, &account_there).unwrap();
    assert_eq!(ends(sink.send(&items).await), [false, true, false, true, false, true]);
    assert_eq!(server.seen().len(), 3, "one call per round, the others of `a` in none");

    let server = service([answer(&[failed, done, done, done, done, done])]).await;
    resource.ordered = false;
    let sink = KinesisSink::at(&resource, &account(&server.endpoint()).await).unwrap();
    assert_eq!(ends(sink.send(&items).await), [false, true, true, true, true, true], "`order: none` lifts it");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_is_sent_by_a_moment_is_answered_then() {
    let done = r#"{"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000000"}]}"#;
    let server = service([with(200, done), with(200, done), Reply::hang("")]).await;
    let account = account(&server.endpoint()).await;
    let sink = KinesisSink::at(&Resource::new("sinks.out", "kinesis://out"), &account).unwrap();
    sink.send(&[item("0", "a")]).await.remove(0).expect("it is warm");
    let until = tokio::time::Instant::now() + Duration::from_secs(3);
    let ends = sink.send_by(&[item("1", "a"), item("2", "a")], until).await;
    assert!(matches!(ends[..], [Some(Ok(())), None]), "{ends:?}");
}

#[tokio::test]
async fn what_has_no_order_goes_in_calls_of_five_hundred() {
    let items: Vec<_> = (0..1_100).map(|n| item(&n.to_string(), &format!("key {n}"))).collect();
    let records = |seen: &Seen| {
        let call: Value = serde_json::from_slice(&seen.body).unwrap();
        call["Records"].as_array().unwrap().len()
    };
    let server = Server::start(move |seen| {
        let done = json!({ "SequenceNumber": "1", "ShardId": "shardId-000000000000" });
        with(200, &json!({ "FailedRecordCount": 0, "Records": vec![done; records(seen)] }).to_string())
    })
    .await;
    let mut resource = Resource::new("sinks.out", "kinesis://out");
    resource.ordered = false;
    let sink = KinesisSink::at(&resource, &account(&server.endpoint()).await).unwrap();
    assert!(sink.send(&items).await.iter().all(Result::is_ok));
    let mut sizes: Vec<usize> = server.seen().iter().map(records).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [100, 500, 500]);

    // Which a service that refuses larger calls takes.
    let Some(kinesis) = fourstroke_localstack::kinesis::shared() else { return };
    let account = account(&kinesis.endpoint()).await;
    let mut resource = stream(&account, "many", 3).await;
    resource.ordered = false;
    let ends = KinesisSink::at(&resource, &account).unwrap().send(&items).await;
    assert!(ends.iter().all(Result::is_ok), "{:?}", ends.iter().find(|end| end.is_err()));
    assert_eq!(taken(&account, &resource).await.len(), items.len());
}

#[test]
fn a_sink_names_a_stream() {
    for url in ["kinesis:", "kinesis://", "kinesis:out", "kinesis://a/b", "kinesis://größe"] {
        assert!(check_sink(&Resource::new("sinks.out", url)).unwrap_err().contains("names no stream"), "{url}");
    }
}
