//! Records put many at a time.

use std::fmt;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_kinesis::{Client, primitives::Blob, types::PutRecordsRequestEntry};
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
};

/// Of one PutRecords call: records, and bytes of data and keys.
const BOUNDS: Bounds = Bounds { items: 500, bytes: 10 << 20 };
/// Of one record, data and key: as far as a stream can be set.
const LARGEST: usize = 10 << 20;
/// What every stream takes. A larger record goes alone: one that the stream refuses fails the whole call.
const USUAL: usize = 1 << 20;
/// Of a partition key, in characters.
const LONGEST_KEY: usize = 256;

/// Puts each body as a record, in calls of at most 500 and 10 MiB. The item's key is the partition key, its id where it has none; a
/// key of more than 256 characters is put as its SHA-256.
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

/// Says what is wrong with a sink's URL, without connecting to it.
///
/// # Errors
/// One sentence: it names no stream.
pub fn check_sink(resource: &Resource) -> Result<(), String> {
    stream(resource).map(drop)
}

/// Reads the stream's name.
fn stream(resource: &Resource) -> Result<String, String> {
    let shown = resource.shown();
    let name = resource.rest().strip_prefix("//").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(fits) {
        return Err(format!(
            "`{shown}` names no stream: write `kinesis://STREAM`, in letters, digits, `_`, `.` and `-`"
        ));
    }
    if resource.fields.is_some() {
        return Err(format!("`fields` means nothing for the sink `{shown}`"));
    }
    Ok(name.to_owned())
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
        let stream = stream(resource)?;
        let client = Client::new(&aws::within(account, resource));
        Ok(KinesisSink { client, stream, shown: resource.shown(), ordered: resource.ordered })
    }

    async fn put(&self, items: Vec<&Outgoing>) -> Vec<Result<(), SendError>> {
        let too_large = |item: &Outgoing| weight(item) > LARGEST;
        if let [item] = items[..]
            && too_large(item)
        {
            let reason = "the record is larger than 10 MiB, the most that Kinesis takes";
            return vec![Err(Fault::new(&self.shown, Kind::Poison, Sent::No, reason).into())];
        }
        let mut entries = Vec::with_capacity(items.len());
        for item in &items {
            let entry = PutRecordsRequestEntry::builder()
                .data(Blob::new(item.body.as_ref()))
                .partition_key(partition_key(item))
                .build();
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => return self.all(items.len(), &Fault::of_building(&self.shown, &error)),
            }
        }
        let call = self.client.put_records().stream_name(&self.stream).set_records(Some(entries));
        match call.send().await {
            Err(error) => self.all(items.len(), &Fault::of(&self.shown, &error)),
            Ok(answer) if answer.records().len() != items.len() => {
                let reason = "the answer has another number of records";
                self.all(items.len(), &Fault::new(&self.shown, Kind::Retryable, Sent::Unknown, reason))
            }
            Ok(answer) => answer
                .records()
                .iter()
                .map(|record| match record.error_code() {
                    None => Ok(()),
                    Some(code) => {
                        let message = record.error_message().unwrap_or_default();
                        Err(Fault::of_item(&self.shown, code, message).into())
                    }
                })
                .collect(),
        }
    }

    fn all(&self, count: usize, fault: &Fault) -> Vec<Result<(), SendError>> {
        vec![Err(fault.clone().into()); count]
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

fn weight(item: &Outgoing) -> usize {
    item.body.len() + item.key.as_ref().unwrap_or(&item.id).len().min(LONGEST_KEY)
}

fn partition_key(item: &Outgoing) -> String {
    // An empty one is refused.
    let key = item.key.as_ref().filter(|key| !key.is_empty()).unwrap_or(&item.id);
    if key.chars().nth(LONGEST_KEY).is_some() { sha256(key.as_bytes()) } else { key.to_string() }
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
