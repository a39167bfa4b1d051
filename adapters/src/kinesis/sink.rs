//! Records put many at a time.

use std::fmt;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_kinesis::{
    Client,
    primitives::Blob,
    types::{PutRecordsRequestEntry, PutRecordsResultEntry},
};
use fourstroke::{
    config::Resource,
    error::Kind,
    identity::sha256,
    ports::{Outgoing, SendError, Sent, Sink},
};
use tokio::time::Instant;

use crate::{
    aws::{self, Fault},
    rounds::{self, Bounds},
    target::kinesis as target,
};

/// Of one PutRecords call: records, and bytes of data and keys.
const BOUNDS: Bounds = Bounds { items: 500, bytes: 10 << 20 };
/// Of one record, data and key: as far as a stream can be set.
const LARGEST: usize = 10 << 20;
/// What every stream takes. A larger record goes alone: one that the stream refuses fails the whole call.
const USUAL: usize = 1 << 20;
/// Of a partition key: characters are allowed, and bytes are what a call is measured by.
const LONGEST_KEY: usize = 256;

/// Puts each body as a record, in calls of at most 500 and 10 MiB. The item's key is the partition key, its id where it has none; a
/// key of more than 256 bytes is put as its SHA-256.
///
/// Kinesis goes on behind a record it does not take, so no call holds two records of one key, unless the resource says
/// `order: none`: as many calls follow each other as the most frequent key has records.
///
/// A record has no attributes: ids travel with `format: cloudevents`.
pub struct KinesisSink {
    client: Client,
    stream: String,
    shown: String,
    ordered: bool,
}

impl KinesisSink {
    /// Opens a sink with the account of the process's environment; nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: it names no stream, or no region is known.
    pub async fn open(resource: &Resource) -> Result<KinesisSink, String> {
        KinesisSink::at(resource, &aws::account().await?)
    }

    /// Opens a sink with this account.
    ///
    /// # Errors
    /// One sentence: it names no stream.
    pub fn at(resource: &Resource, account: &SdkConfig) -> Result<KinesisSink, String> {
        let stream = target::of_sink(resource)?;
        let client = Client::new(&aws::within(account, resource));
        Ok(KinesisSink { client, stream, shown: resource.shown(), ordered: resource.ordered })
    }

    /// Puts what fits in a call. One that is refused as a whole is parted, to find what it is refused for.
    async fn put(&self, items: Vec<&Outgoing>) -> Vec<Result<(), SendError>> {
        let mut answers = vec![Ok(()); items.len()];
        let mut calls = vec![(0, items)];
        while let Some((from, mut items)) = calls.pop() {
            match self.call(&items).await {
                Err(fault) if fault.kind == Kind::Poison && items.len() > 1 => {
                    let middle = items.len() / 2;
                    let rest = items.split_off(middle);
                    calls.extend([(from + middle, rest), (from, items)]);
                }
                Err(fault) => answers[from..from + items.len()].fill(Err(fault.into())),
                Ok(ends) => answers[from..from + items.len()].clone_from_slice(&ends),
            }
        }
        answers
    }

    async fn call(&self, items: &[&Outgoing]) -> Result<Vec<Result<(), SendError>>, Fault> {
        if let [item] = items
            && weight(item) > LARGEST
        {
            let reason = "the record is larger than 10 MiB, the most that Kinesis takes";
            return Err(Fault::new(&self.shown, Kind::Poison, Sent::No, reason));
        }
        let entry = |item: &&Outgoing| {
            let entry = PutRecordsRequestEntry::builder().data(Blob::new(item.body.as_ref()));
            entry.partition_key(partition_key(item)).build()
        };
        let entries: Result<_, _> = items.iter().map(entry).collect();
        let entries = entries.map_err(|error| Fault::of_building(&self.shown, &error))?;
        let call = self.client.put_records().stream_name(&self.stream).set_records(Some(entries));
        let answer = call.send().await.map_err(|error| Fault::of(&self.shown, &error))?;
        if answer.records().len() != items.len() {
            let reason = "the answer has another number of records";
            return Err(Fault::new(&self.shown, Kind::Retryable, Sent::Unknown, reason));
        }
        let end = |record: &PutRecordsResultEntry| match record.error_code() {
            None => Ok(()),
            Some(code) => {
                let message = record.error_message().unwrap_or_default();
                Err(Fault::of_item(&self.shown, code, message).into())
            }
        };
        Ok(answer.records().iter().map(end).collect())
    }

    async fn put_all(&self, items: &[Outgoing], until: Option<Instant>) -> Vec<Option<Result<(), SendError>>> {
        // Beyond what every stream takes, a record fills a call.
        let weight = |item: &Outgoing| match weight(item) {
            usual if usual <= USUAL => usual,
            _ => LARGEST + 1,
        };
        rounds::send(items, self.ordered, BOUNDS, weight, until, |items| self.put(items)).await
    }
}

/// What an item counts of a call: its body, and its key as it is sent.
fn weight(item: &Outgoing) -> usize {
    const DIGEST: usize = 64;
    let key = key(item).len();
    item.body.len() + if (1..=LONGEST_KEY).contains(&key) { key } else { DIGEST }
}

fn partition_key(item: &Outgoing) -> String {
    let key = key(item);
    match key.len() {
        // An empty one is refused.
        0 => sha256(&item.body),
        1..=LONGEST_KEY => key.to_string(),
        _ => sha256(key.as_bytes()),
    }
}

fn key(item: &Outgoing) -> &str {
    item.key.as_deref().filter(|key| !key.is_empty()).unwrap_or(&item.id)
}

#[async_trait]
impl Sink for KinesisSink {
    async fn connect(&self) {
        let call = self.client.describe_limits().customize().mutate_request(aws::only_connect);
        drop(call.send().await);
    }

    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        self.put_all(items, None).await.into_iter().flatten().collect()
    }

    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Result<(), SendError>>> {
        self.put_all(items, Some(until)).await
    }
}

impl fmt::Debug for KinesisSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KinesisSink {}", self.shown)
    }
}
