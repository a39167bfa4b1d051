//! Where actions, decisions and dead letters go.

use async_trait::async_trait;
use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::{Instant, timeout_at};

use crate::error::Kind;

/// Holds one thing to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Stable over redeliveries; sent as `Idempotency-Key` where the service has such a thing.
    pub id: ByteString,
    /// Order is kept among items of the same key.
    pub key: Option<ByteString>,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Sent as headers or attributes where the service has them.
    pub attributes: Vec<(&'static str, ByteString)>,
    /// The body.
    pub body: Bytes,
}

/// Tells whether a failed send may have had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The service certainly did not take it.
    No,
    /// It may have been taken: the connection broke, or no answer came.
    Unknown,
}

/// Describes why a sink did not take one item.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// What can be done about it.
    pub kind: Kind,
    /// Whether it may have had its effect.
    pub sent: Sent,
    /// What happened, in words.
    pub reason: String,
}

impl SendError {
    /// Makes the error of an item that was not tried because an earlier one of its key failed.
    pub fn held() -> SendError {
        SendError {
            kind: Kind::Retryable,
            sent: Sent::No,
            reason: "an earlier item of the same key was not taken".to_owned(),
        }
    }
}

/// Takes items. One answer per item, in the order given.
///
/// Items of one key arrive in the order given; once one fails, unless as poison, later ones of its key are not sent in that call
/// ([`SendError::held`]), unless the resource says `order: none`. `Ok` means durable, as far as the service promises.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Makes what the first call would wait for: finds the endpoint, gets credentials, connects. Where it fails, the first call
    /// tells.
    async fn connect(&self) {}

    /// Sends items once; never retries.
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>>;

    /// Sends items as [`Sink::send`] does, until that moment: `None` is what has no answer by then. A sink that sends item by
    /// item gives the answers it has.
    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Result<(), SendError>>> {
        match timeout_at(until, self.send(items)).await {
            Ok(answers) => answers.into_iter().map(Some).collect(),
            Err(_) => items.iter().map(|_| None).collect(),
        }
    }
}
