//! What a service or a network may do, told by one that answers as it is told.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Condition, Delete, Key, Put, PutOutcome, Store},
};
use fourstroke_adapters::dynamodb::DynamoDbStore;
use serde_json::{Value as Json, json};
use tokio::{sync::Notify, time::Instant};

use super::{new, put, value};
use crate::{
    aws::{account, faults::service},
    http::server::{Reply, Seen, Server},
};

async fn at(server: &Server, patience: Duration) -> DynamoDbStore {
    let mut resource = Resource::new("stores.x", "dynamodb://state");
    resource.timeout = Some(patience);
    DynamoDbStore::at(&resource, &account(&server.endpoint()).await, Clock::system()).unwrap()
}

async fn at_server(server: &Server) -> DynamoDbStore {
    at(server, Duration::from_secs(30)).await
}

fn key() -> Key {
    Key::new("p", "s")
}

fn reply(status: u16, body: Json) -> Reply {
    Reply::new(status, "content-type: application/x-amz-json-1.0\r\n", &body.to_string())
}

fn body(seen: &Seen) -> Json {
    serde_json::from_slice(&seen.body).unwrap()
}

fn target(seen: &Seen) -> &str {
    seen.headers["x-amz-target"].rsplit('.').next().unwrap()
}

const REFUSED: &str = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";

/// An item of version 7 that holds `true`.
fn item() -> Json {
    json!({ "pk": { "S": "p" }, "sk": { "S": "s" }, "n": { "N": "7" }, "v": { "B": "Ag==" } })
}

#[tokio::test]
async fn errors_are_told_apart() {
    let error = |status, code: &str| {
        reply(status, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "so it is" }))
    };
    for (answer, kind) in [
        (error(400, "ProvisionedThroughputExceededException"), Kind::Retryable),
        (error(400, "RequestLimitExceeded"), Kind::Retryable),
        (error(400, "ThrottlingException"), Kind::Retryable),
        (error(400, "TransactionConflictException"), Kind::Retryable),
        (error(400, "AccessDeniedException"), Kind::Fatal),
        (error(400, "ResourceNotFoundException"), Kind::Fatal),
        (error(400, "UnrecognizedClientException"), Kind::Fatal),
        (error(400, "ValidationException"), Kind::Fatal),
        (error(400, "ItemCollectionSizeLimitExceededException"), Kind::Poison),
        (error(500, "InternalServerError"), Kind::Retryable),
        (Reply::status(503), Kind::Retryable),
        (Reply::new(200, "", "no JSON"), Kind::Retryable),
        (Reply::cut(""), Kind::Retryable),
        (Reply::hang(""), Kind::Retryable),
    ] {
        let service = service([answer.clone()]).await;
        let store = at(&service, answer.patience()).await;
        let errors = [
            value(&store, &key()).await.unwrap_err(),
            put(&store, new(key(), 1)).await.unwrap_err(),
            store.delete(&[Delete { key: key(), version: 1 }]).await.remove(0).unwrap_err(),
            store.list("p").await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind, kind, "{answer:?}: {error}");
            assert!(error.reason.starts_with("`dynamodb://state`: "), "{error}");
        }
        assert_eq!(service.seen().len(), 4, "{answer:?}: nothing but the core tries again");
    }
}

/// Reads what it is asked for but what is called `busy`, and has what is called `there`.
fn busy(seen: &Seen) -> Reply {
    let asked = body(seen);
    let keys = asked["RequestItems"]["state"]["Keys"].as_array().unwrap().clone();
    assert!(keys.len() <= 100 && asked["RequestItems"]["state"]["ConsistentRead"] == json!(true));
    let named = |name: &str| -> Vec<Json> {
        keys.iter().filter(|key| key["sk"]["S"].as_str().unwrap().starts_with(name)).cloned().collect()
    };
    let there: Vec<Json> = named("there")
        .into_iter()
        .map(|key| json!({ "pk": key["pk"], "sk": key["sk"], "n": { "N": "7" }, "v": { "B": "Ag==" } }))
        .rev()
        .collect();
    let unread = match named("busy") {
        unread if unread.is_empty() => json!({}),
        unread => json!({ "state": { "Keys": unread, "ConsistentRead": true } }),
    };
    reply(200, json!({ "Responses": { "state": there }, "UnprocessedKeys": unread }))
}

#[tokio::test]
async fn what_was_not_read_is_retryable_and_what_was_is_kept() {
    let server = Server::start(busy).await;
    let store = at_server(&server).await;
    let keys: Vec<Key> =
        (0..450).map(|n| Key::new("p", format!("{}{n}", ["there", "absent", "busy"][n % 3]))).collect();
    let answers = store.get(&keys).await;
    assert_eq!(answers.len(), keys.len());
    for (n, answer) in answers.into_iter().enumerate() {
        match n % 3 {
            0 => assert_eq!(answer.unwrap().unwrap().value, true.into()),
            1 => assert_eq!(answer, Ok(None)),
            _ => {
                let error = answer.unwrap_err();
                assert!(error.kind == Kind::Retryable && error.reason.contains("throttled"), "{error}");
            }
        }
    }
    assert_eq!(server.seen().len(), 5, "100 keys a call");
}

#[tokio::test]
async fn what_has_come_by_then_is_given() {
    let slow = |seen: &Seen| match String::from_utf8_lossy(&seen.body).contains("slow") {
        true => Reply::hang(""),
        false => busy(seen),
    };
    let server = Server::start(slow).await;
    let store = at_server(&server).await;
    assert_eq!(value(&store, &Key::new("p", "there")).await, Ok(Some(true.into())), "it is warm");
    let mut keys: Vec<Key> = (0..150).map(|n| Key::new("p", format!("there{n}"))).collect();
    keys[149] = Key::new("p", "slow");
    keys[10] = Key::new("p".repeat(3000), "");
    let answers = store.get_by(&keys, Instant::now() + Duration::from_secs(3)).await;
    let come = |answer: &Option<_>| Option::is_some(answer);
    // The key that is too long is not asked for.
    assert!(answers[..101].iter().all(come) && !answers[101..].iter().any(come));
    assert_eq!(answers[10].as_ref().unwrap().as_ref().unwrap_err().kind, Kind::Poison);
}

#[tokio::test]
async fn a_refused_put_returns_what_is_there() {
    // With the item, without it, and without it where nothing is there either.
    for (in_refusal, stored) in [(true, true), (false, true), (false, false)] {
        let server = Server::start(move |seen| match target(seen) {
            "GetItem" => {
                assert_eq!(body(seen)["ConsistentRead"], json!(true));
                reply(200, if stored { json!({ "Item": item() }) } else { json!({}) })
            }
            _ => {
                assert_eq!(body(seen)["ReturnValuesOnConditionCheckFailure"], json!("ALL_OLD"));
                let refusal = json!({ "__type": REFUSED, "message": "The conditional request failed" });
                match in_refusal {
                    true => reply(400, json!({ "__type": REFUSED, "message": "refused", "Item": item() })),
                    false => reply(400, refusal),
                }
            }
        })
        .await;
        let store = at_server(&server).await;
        let expected = stored.then(|| (true.into(), 7));
        let over = Put { condition: Condition::Version(3), ..new(key(), 1) };
        let refusals = [
            put(&store, new(key(), 1)).await,
            put(&store, over).await,
            store.delete(&[Delete { key: key(), version: 3 }]).await.remove(0),
        ];
        for refusal in refusals {
            let Ok(PutOutcome::Refused(current)) = refusal else { panic!("{refusal:?}") };
            assert_eq!(current.map(|item| (item.value, item.version)), expected);
        }
        assert_eq!(server.seen().len(), if in_refusal { 3 } else { 6 });
    }
}

/// Has one item, hears puts and deletes, and cuts the connection before its answer the first time.
async fn forgetful(returns_item: bool) -> Server {
    let (stored, cut) = (Mutex::new(None::<Json>), Mutex::new(HashSet::new()));
    Server::start(move |seen| {
        let (asked, mut stored) = (body(seen), stored.lock().unwrap());
        let refused = |stored: &Option<Json>| match stored {
            Some(item) if returns_item => reply(400, json!({ "__type": REFUSED, "message": "", "Item": item })),
            _ => reply(400, json!({ "__type": REFUSED, "message": "" })),
        };
        let done = match target(seen) {
            "PutItem" if stored.is_some() => return refused(&stored),
            "PutItem" => Some(asked["Item"].clone()),
            "DeleteItem" if stored.is_none() => return refused(&stored),
            "DeleteItem" => None,
            "GetItem" => return reply(200, stored.as_ref().map_or(json!({}), |item| json!({ "Item": item }))),
            _ => return reply(200, json!({ "Responses": {}, "UnprocessedKeys": {} })),
        };
        *stored = done;
        match cut.lock().unwrap().insert(target(seen).to_owned()) {
            true => Reply::cut(""),
            false => reply(200, json!({})),
        }
    })
    .await
}

#[tokio::test]
async fn a_call_whose_answer_got_lost_is_made_again_and_knows_itself() {
    for returns_item in [true, false] {
        let server = forgetful(returns_item).await;
        let store = at_server(&server).await;
        assert_eq!(value(&store, &key()).await, Ok(None), "there is a connection that is kept");
        let mine = put(&store, new(key(), "mine")).await;
        let Ok(PutOutcome::Done(version)) = mine else { panic!("{mine:?}") };
        let puts = server.seen().iter().filter(|seen| target(seen) == "PutItem").count();
        assert_eq!(puts, 2, "once more, on a fresh connection");

        let theirs = put(&store, new(key(), "theirs")).await;
        let Ok(PutOutcome::Refused(Some(current))) = theirs else { panic!("{theirs:?}") };
        assert_eq!((current.value, current.version), ("mine".into(), version));
        // What is gone is gone, whoever removed it.
        let removed = store.delete(&[Delete { key: key(), version }]).await;
        assert_eq!(removed, [Ok(PutOutcome::Refused(None))]);
    }
}

#[tokio::test]
async fn many_puts_are_under_way_at_once_and_none_waits_for_a_slow_one() {
    const PUTS: usize = 200;
    // The first is answered once all have been asked.
    let (asked, all) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) + 1 {
        1 => reply(200, json!({})).behind(&all),
        nth => {
            if nth == PUTS {
                all.notify_one();
            }
            reply(200, json!({}))
        }
    })
    .await;
    let store = at_server(&server).await;
    let puts: Vec<Put> = (0..PUTS).map(|n| new(Key::new("p", n.to_string()), n as i64)).collect();
    let outcomes = store.put(&puts).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(PutOutcome::Done(_)))), "{outcomes:?}");
    assert_eq!(server.seen().len(), PUTS);
    assert!((2..=64).contains(&server.connections()), "{} connections", server.connections());
}

#[tokio::test]
async fn connecting_makes_one_connection_and_no_request() {
    let server = Server::start(busy).await;
    let store = at_server(&server).await;
    store.connect().await;
    server.connected(1).await;
    assert_eq!((server.connections(), server.seen().len()), (1, 0));
    assert_eq!(value(&store, &Key::new("p", "there")).await, Ok(Some(true.into())));
    assert_eq!((server.connections(), server.seen().len()), (1, 1));
}
