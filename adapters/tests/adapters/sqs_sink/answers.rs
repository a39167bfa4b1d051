//! What SQS or a network may answer, by a server of the test's own.

use std::time::Duration;

use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use fourstroke_adapters::{open, sqs::SqsSink};
use serde_json::{Value, json};

use super::item;
use crate::{
    aws::account,
    http::server::{Reply, Seen, Server},
};

/// A queue that does as the test says with each call of messages.
async fn queue(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| match operation(seen) {
        "GetQueueUrl" => json_reply(&json!({ "QueueUrl": "http://127.0.0.1/123456789012/q" })),
        _ => answer(seen),
    })
    .await
}

fn operation(seen: &Seen) -> &str {
    seen.headers["x-amz-target"].strip_prefix("AmazonSQS.").unwrap()
}

/// Name and body of each message of a call.
fn messages(seen: &Seen) -> Vec<(String, String)> {
    let call: Value = serde_json::from_slice(&seen.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = call["Entries"].as_array().unwrap().iter();
    entries.map(|entry| (text(&entry["Id"]), text(&entry["MessageBody"]))).collect()
}

fn bodies(seen: &Seen) -> Vec<String> {
    messages(seen).into_iter().map(|(_, body)| body).collect()
}

fn json_reply(body: &Value) -> Reply {
    Reply::new(200, "content-type: application/x-amz-json-1.0\r\n", &body.to_string())
}

/// Takes all messages of a call but some, which fail with these codes.
fn taken_but(seen: &Seen, failing: &[(&str, &str)]) -> Reply {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, body) in messages(seen) {
        match failing.iter().find(|(bad, _)| *bad == body) {
            None => successful.push(json!({ "Id": id, "MessageId": "m", "MD5OfMessageBody": "x" })),
            Some((_, code)) => {
                failed.push(json!({ "Id": id, "SenderFault": true, "Code": code, "Message": "because" }));
            }
        }
    }
    json_reply(&json!({ "Successful": successful, "Failed": failed }))
}

fn refusal(status: u16, code: &str) -> Reply {
    let headers = format!("content-type: application/x-amz-json-1.0\r\nx-amzn-query-error: {code};Sender\r\n");
    Reply::new(status, &headers, &format!("{{\"__type\":\"com.amazonaws.sqs#{code}\",\"message\":\"because\"}}"))
}

async fn sink_at(server: &Server, url: &str) -> SqsSink {
    sink_within(server, url, Duration::from_secs(30)).await
}

async fn sink_within(server: &Server, url: &str, patience: Duration) -> SqsSink {
    let mut resource = Resource::new("sinks.x", url);
    resource.timeout = Some(patience);
    SqsSink::at(&resource, &account(&server.endpoint()).await).unwrap()
}

fn sent(server: &Server) -> Vec<Vec<String>> {
    server.seen().iter().filter(|seen| operation(seen) == "SendMessageBatch").map(bodies).collect()
}

#[tokio::test]
async fn behind_a_failed_message_its_group_is_held_and_no_other() {
    let server = queue(|seen| taken_but(seen, &[("a2", "InternalError"), ("b1", "InvalidMessageContents")])).await;
    let sqs = sink_at(&server, "sqs://q.fifo").await;
    let items = ["a1", "a2", "b1", "a3", "b2", "c1"].map(|id| item(id, &id[..1], id));
    let answers = sqs.send(&items).await;
    assert!(answers[0].is_ok() && answers[4].is_ok() && answers[5].is_ok(), "{answers:?}");
    let failed = |place: usize| answers[place].clone().unwrap_err();
    assert_eq!((failed(1).kind, failed(1).sent), (Kind::Retryable, Sent::Unknown));
    assert_eq!(failed(1).reason, "`sqs://q.fifo`: InternalError: because");
    assert_eq!((failed(2).kind, failed(2).sent), (Kind::Poison, Sent::No));
    assert_eq!(failed(3), SendError::held());
    assert_eq!(sent(&server), [vec!["a1", "b1", "c1"], vec!["a2", "b2"]]);
}

#[tokio::test]
async fn without_an_order_to_keep_all_go_at_once() {
    let items: Vec<Outgoing> = (0..25).map(|n| item(&n.to_string(), "a", n.to_string())).collect();
    let server = queue(|seen| taken_but(seen, &[])).await;
    assert!(sink_at(&server, "sqs://q").await.send(&items).await.iter().all(Result::is_ok));
    let mut sizes: Vec<usize> = sent(&server).iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);

    let server = queue(|seen| taken_but(seen, &[])).await;
    let mut resource = Resource::new("sinks.x", "sqs://q.fifo");
    resource.ordered = false;
    let sqs = SqsSink::at(&resource, &account(&server.endpoint()).await).unwrap();
    assert!(sqs.send(&items).await.iter().all(Result::is_ok));
    assert_eq!(sent(&server).len(), 3);
}

#[tokio::test]
async fn a_call_refused_as_a_whole_is_parted_to_find_the_bad_one() {
    let server = queue(|seen| match bodies(seen) {
        bodies if bodies.iter().any(|body| body == "bad") => refusal(400, "InvalidMessageContents"),
        bodies if bodies.len() > 4 => refusal(400, "AWS.SimpleQueueService.BatchRequestTooLong"),
        _ => taken_but(seen, &[]),
    })
    .await;
    let mut items: Vec<Outgoing> = (0..9).map(|n| item(&n.to_string(), "", n.to_string())).collect();
    items.insert(6, item("bad", "", "bad"));
    let answers = sink_at(&server, "sqs://q").await.send(&items).await;
    for (place, answer) in answers.into_iter().enumerate() {
        match place {
            6 => assert_eq!(answer.unwrap_err().kind, Kind::Poison),
            _ => answer.unwrap(),
        }
    }
}

#[tokio::test]
async fn an_answer_says_what_can_be_done() {
    use Kind::{Fatal, Poison, Retryable};
    use Sent::{No, Unknown};
    for (status, code, kind, certain) in [
        (403, "AccessDeniedException", Fatal, No),
        (400, "AWS.SimpleQueueService.NonExistentQueue", Fatal, No),
        (400, "KMS.DisabledException", Fatal, No),
        (400, "KMS.ThrottlingException", Retryable, No),
        (403, "RequestThrottled", Retryable, No),
        (400, "InvalidMessageContents", Poison, No),
        (503, "ServiceUnavailable", Retryable, No),
        (500, "InternalFailure", Retryable, Unknown),
    ] {
        let server = queue(move |_| refusal(status, code)).await;
        let sqs = sink_at(&server, "sqs://q").await;
        let error = sqs.send(&[item("1", "a", "x")]).await.remove(0).unwrap_err();
        assert_eq!((error.kind, error.sent), (kind, certain), "{code}: {error}");
        assert_eq!(sent(&server).len(), 1, "only the core asks again");
    }
    for reply in [|| Reply::cut(""), || Reply::hang(""), || json_reply(&json!({}))] {
        let server = queue(move |_| reply()).await;
        let sqs = sink_within(&server, "sqs://q.fifo", reply().patience()).await;
        sqs.connect().await;
        let error = sqs.send(&[item("1", "a", "x")]).await.remove(0).unwrap_err();
        assert_eq!((error.kind, error.sent), (Retryable, Unknown), "{error}");
    }
}

#[tokio::test]
async fn only_a_queue_that_takes_an_id_once_is_asked_again_where_a_connection_ended() {
    for (url, calls) in [("sqs://q.fifo", 3), ("sqs://q", 2)] {
        let server = Server::start(|seen| match operation(seen) {
            "GetQueueUrl" => json_reply(&json!({ "QueueUrl": "http://127.0.0.1/123456789012/q" })),
            // The first connection has asked for the URL already.
            _ if seen.nth == 3 => Reply::cut(""),
            _ => taken_but(seen, &[]),
        })
        .await;
        let sqs = sink_at(&server, url).await;
        sqs.connect().await;
        sqs.send(&[item("1", "a", "x")]).await[0].as_ref().unwrap();
        let answer = sqs.send(&[item("2", "a", "y")]).await.remove(0);
        assert_eq!(answer.is_ok(), calls == 3, "{answer:?}");
        assert_eq!(sent(&server).len(), calls);
        let urls = server.seen().iter().filter(|seen| operation(seen) == "GetQueueUrl").count();
        assert_eq!(urls, 1, "the URL is asked for once");
    }
}

#[tokio::test]
async fn what_is_answered_in_time_is_kept() {
    let server = queue(|seen| match bodies(seen).iter().any(|body| body == "slow") {
        true => Reply::hang(""),
        false => taken_but(seen, &[]),
    })
    .await;
    let sqs = sink_at(&server, "sqs://q").await;
    sqs.send(&[item("0", "", "first")]).await.remove(0).expect("it is warm");
    let mut items: Vec<Outgoing> = (0..10).map(|n| item(&n.to_string(), "", "quick")).collect();
    items.push(item("10", "", "slow"));
    let answers = sqs.send_by(&items, tokio::time::Instant::now() + Duration::from_secs(3)).await;
    assert!(answers[..10].iter().all(|answer| *answer == Some(Ok(()))) && answers[10].is_none(), "{answers:?}");
}

#[test]
fn a_sink_s_url_is_checked_without_connecting() {
    assert_eq!(open::check_sink(&Resource::new("sinks.x", "sqs://123456789012/q.fifo")), Ok(()));
    let sentence = open::check_sink(&Resource::new("sinks.x", "sqs://q.com")).unwrap_err();
    assert!(sentence.starts_with("`sqs://q.com` names no queue"), "{sentence}");
}
