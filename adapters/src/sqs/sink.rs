//! Items sent as messages, ten a call.

use std::fmt;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client, operation::send_message_batch::SendMessageBatchOutput, types::SendMessageBatchRequestEntry as Message,
};
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use super::message;
use crate::{
    aws::{self, Fault},
    rounds::{self, Bounds},
    target::sqs::{self as target, Target},
};

/// What a call may hold, by
/// [SendMessageBatch](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html).
const BOUNDS: Bounds = Bounds { items: 10, bytes: 1 << 20 };

type Answer = Result<(), SendError>;

/// Sends each body as a message, with the item's id as the attribute `idempotency-key`, its media type as `content-type`, and its
/// own attributes.
///
/// A queue whose name ends in `.fifo` keeps the order per key: the key is the message's group, and the item's id its
/// deduplication id, so that what is sent again within five minutes arrives once. Any other queue has no order to keep.
///
/// A body that is empty or has characters SQS does not take, and what SQS refuses for its content or size, is poison. A missing
/// queue and denied access are fatal; what else is answered is retryable, and so are a lost connection and a timeout.
pub struct SqsSink {
    client: Client,
    target: Target,
    shown: String,
    ordered: bool,
    /// The queue's URL, once it is known.
    url: OnceCell<String>,
}

impl SqsSink {
    /// Opens a sink in the process's own account ([`aws::account`]); nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: the URL names no queue, or no region is named.
    pub async fn open(resource: &Resource) -> Result<SqsSink, String> {
        target::of_sink(resource)?;
        SqsSink::at(resource, &aws::account().await?)
    }

    /// Opens a sink in an account.
    ///
    /// # Errors
    /// One sentence: the URL names no queue.
    pub fn at(resource: &Resource, account: &SdkConfig) -> Result<SqsSink, String> {
        let target = target::of_sink(resource)?;
        Ok(SqsSink {
            client: Client::new(&aws::within(account, resource)),
            ordered: resource.ordered && target.is_fifo(),
            target,
            shown: resource.shown(),
            url: OnceCell::new(),
        })
    }

    /// Asks for the queue's URL, once.
    async fn url(&self) -> Result<&str, Fault> {
        let ask = async || {
            let asked = self.client.get_queue_url().queue_name(&self.target.queue);
            let asked = asked.set_queue_owner_aws_account_id(self.target.owner.clone());
            let answer = asked.customize().mutate_request(aws::repeatable).send().await;
            let answer = answer.map_err(|error| Fault::of(&self.shown, &error))?;
            let missing = || Fault::new(&self.shown, Kind::Retryable, Sent::No, "the queue's URL did not come");
            answer.queue_url.ok_or_else(missing)
        };
        Ok(self.url.get_or_try_init(ask).await?)
    }

    async fn send_all(&self, items: &[Outgoing], until: Option<Instant>) -> Vec<Option<Answer>> {
        if items.is_empty() {
            return Vec::new();
        }
        // Before the calls, or each of them would ask.
        let url = match until {
            None => self.url().await,
            Some(until) => match timeout_at(until, self.url()).await {
                Ok(url) => url,
                Err(_) => return items.iter().map(|_| None).collect(),
            },
        };
        match url {
            Ok(url) => {
                let call = |items| self.call(url, items);
                rounds::send(items, self.ordered, BOUNDS, message::weight, until, call).await
            }
            Err(fault) => items.iter().map(|_| Some(Err(fault.clone().into()))).collect(),
        }
    }

    /// Sends what fits in a call. One that is refused as a whole is parted, to find what it is refused for.
    async fn call(&self, url: &str, items: Vec<&Outgoing>) -> Vec<Answer> {
        let (mut answers, mut messages) = (Vec::with_capacity(items.len()), Vec::new());
        for (place, item) in items.into_iter().enumerate() {
            let message = message::of(place, item, self.target.is_fifo());
            answers.push(message.map(|message| messages.push((place, message))));
        }
        let mut calls = if messages.is_empty() { Vec::new() } else { vec![messages] };
        while let Some(mut messages) = calls.pop() {
            match self.batch(url, &messages).await {
                Ok(answer) => self.read(&answer, &messages, &mut answers),
                Err(fault) if fault.kind == Kind::Poison && messages.len() > 1 => {
                    let rest = messages.split_off(messages.len() / 2);
                    calls.extend([rest, messages]);
                }
                Err(fault) => messages.iter().for_each(|(place, _)| answers[*place] = Err(fault.clone().into())),
            }
        }
        answers
    }

    async fn batch(&self, url: &str, messages: &[(usize, Message)]) -> Result<SendMessageBatchOutput, Fault> {
        let entries = messages.iter().map(|(_, message)| message.clone()).collect();
        let call = self.client.send_message_batch().queue_url(url).set_entries(Some(entries)).customize();
        // Any other queue would take all of them twice.
        let call = if self.target.is_fifo() { call.mutate_request(aws::repeatable) } else { call };
        call.send().await.map_err(|error| Fault::of(&self.shown, &error))
    }

    /// Reads what became of each message of a call.
    fn read(&self, answer: &SendMessageBatchOutput, messages: &[(usize, Message)], answers: &mut [Answer]) {
        for (place, message) in messages {
            let id = message.id();
            answers[*place] = match answer.failed.iter().find(|entry| entry.id == id) {
                Some(entry) => {
                    let why = entry.message.as_deref().unwrap_or_default();
                    Err(Fault::of_item(&self.shown, &entry.code, why).into())
                }
                None if answer.successful.iter().any(|entry| entry.id == id) => Ok(()),
                None => Err(Fault::new(&self.shown, Kind::Retryable, Sent::Unknown, "the answer leaves it out").into()),
            };
        }
    }
}

#[async_trait]
impl Sink for SqsSink {
    async fn connect(&self) {
        // The call that is needed anyway makes the connection.
        drop(self.url().await);
    }

    async fn send(&self, items: &[Outgoing]) -> Vec<Answer> {
        self.send_all(items, None).await.into_iter().flatten().collect()
    }

    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Answer>> {
        self.send_all(items, Some(until)).await
    }
}

impl fmt::Debug for SqsSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqsSink {}", self.shown)
    }
}
