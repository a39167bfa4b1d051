//! `sqs:` as a sink: the suite against a stand-in, and what SQS or a network may answer.

mod answers;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName},
};
use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, Sent, Sink},
    testkit::sink,
};
use fourstroke_adapters::sqs::SqsSink;

use crate::aws::account_at_moto;

fn item(id: &str, key: &str, body: impl Into<Bytes>) -> Outgoing {
    Outgoing {
        id: id.into(),
        key: (!key.is_empty()).then(|| key.into()),
        content_type: "application/json",
        attributes: vec![("decision-id", "d1".into())],
        body: body.into(),
    }
}

/// A queue of the stand-in that no other test uses.
struct Queue {
    client: Client,
    name: String,
    url: String,
}

impl Queue {
    async fn new(account: &aws_config::SdkConfig, ending: &str) -> Queue {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("queue-{}{ending}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let client = Client::new(account);
        let mut create = client.create_queue().queue_name(&name);
        if ending == ".fifo" {
            create = create.attributes(QueueAttributeName::FifoQueue, "true");
        }
        let url = create.send().await.unwrap().queue_url.unwrap();
        Queue { client, name, url }
    }

    fn sink(&self, account: &aws_config::SdkConfig) -> SqsSink {
        SqsSink::at(&Resource::new("test", format!("sqs://{}", self.name)), account).unwrap()
    }

    /// Takes all messages out.
    async fn drain(&self) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
            let receive = receive.message_attribute_names("All");
            let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
            let some = receive.send().await.unwrap().messages.unwrap_or_default();
            if some.is_empty() {
                return all;
            }
            let mut delete = self.client.delete_message_batch().queue_url(&self.url);
            for (place, message) in some.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
                delete = delete.entries(entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap());
            }
            delete.send().await.unwrap();
            all.extend(some);
        }
    }
}

async fn suite(ending: &str, ordered: bool) {
    let Some(account) = account_at_moto().await else { return };
    let queue = Queue::new(&account, ending).await;
    let taken: Mutex<Vec<Bytes>> = Mutex::default();
    let bodies = async || {
        let more = queue.drain().await.into_iter().map(|message| Bytes::from(message.body.unwrap()));
        let mut taken = taken.lock().unwrap();
        taken.extend(more);
        taken.clone()
    };
    // The stand-in looks at every message there ever was at every call: a thousand take it minutes.
    let can = sink::Capabilities { ordered, items_per_call: 40, ..sink::Capabilities::default() };
    sink::suite(Arc::new(queue.sink(&account)), bodies, can).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_of_a_sink() {
    suite("", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_it_in_order_where_the_queue_does() {
    suite(".fifo", true).await;
}

#[tokio::test]
async fn a_message_carries_its_item_s_ids() {
    let Some(account) = account_at_moto().await else { return };
    let queue = Queue::new(&account, ".fifo").await;
    let sqs = queue.sink(&account);
    let items = [item("i1", "k1", "a"), item("i2", "", "b"), item("i3", "ключ", "c")];
    for _ in 0..2 {
        assert!(sqs.send(&items).await.iter().all(Result::is_ok));
    }
    let messages: HashMap<String, Message> =
        queue.drain().await.into_iter().map(|message| (message.body.clone().unwrap(), message)).collect();
    assert_eq!(messages.len(), 3, "what is sent again arrives once");
    let attribute = |body: &str, name: &str| {
        let attributes = messages[body].message_attributes.as_ref().unwrap();
        attributes[name].string_value.clone().unwrap()
    };
    assert_eq!(attribute("a", "idempotency-key"), "i1");
    assert_eq!(attribute("b", "content-type"), "application/json");
    assert_eq!(attribute("c", "decision-id"), "d1");
    let group =
        |body: &str| messages[body].attributes.as_ref().unwrap()[&MessageSystemAttributeName::MessageGroupId].clone();
    assert_eq!((group("a"), group("b")), ("k1".to_owned(), "i2".to_owned()));
    assert_eq!(group("c"), fourstroke::identity::sha256("ключ".as_bytes()));
}

#[tokio::test]
async fn what_sqs_does_not_take_is_poison_and_holds_nothing() {
    let Some(account) = account_at_moto().await else { return };
    let queue = Queue::new(&account, ".fifo").await;
    let items = [
        item("1", "a", "first"),
        item("2", "a", ""),
        item("3", "a", &b"\xff"[..]),
        item("4", "a", "\0"),
        item("5", "a", "x".repeat((1 << 20) + 1)),
        item("6", "a", "last"),
    ];
    let answers = queue.sink(&account).send(&items).await;
    assert!(answers[0].is_ok() && answers[5].is_ok(), "{answers:?}");
    for answer in &answers[1..5] {
        let error = answer.as_ref().unwrap_err();
        assert_eq!((error.kind, error.sent), (Kind::Poison, Sent::No), "{error}");
    }
    let bodies: Vec<String> = queue.drain().await.into_iter().map(|message| message.body.unwrap()).collect();
    assert_eq!(bodies, ["first", "last"]);
}

#[tokio::test]
async fn a_missing_queue_is_fatal_and_found_once_it_is_there() {
    let Some(account) = account_at_moto().await else { return };
    let sqs = SqsSink::at(&Resource::new("sinks.x", "sqs://not-there-yet"), &account).unwrap();
    sqs.connect().await;
    let error = sqs.send(&[item("1", "a", "x")]).await.remove(0).unwrap_err();
    assert_eq!((error.kind, error.sent), (Kind::Fatal, Sent::No));
    assert!(error.reason.starts_with("`sqs://not-there-yet`: "), "{}", error.reason);
    Client::new(&account).create_queue().queue_name("not-there-yet").send().await.unwrap();
    sqs.send(&[item("1", "a", "x")]).await[0].as_ref().unwrap();
}
