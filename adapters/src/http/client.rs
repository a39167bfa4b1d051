//! A service at one origin: what is asked of it gets the resource's headers, and as long as the resource allows.

use std::{fmt, time::Duration};

use bytes::Bytes;
use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{SendError, Sent},
};
use hyper::{
    Method, Uri,
    header::{self, HeaderMap, HeaderValue},
};

use super::{answer::Redaction, headers, target::Target};
use crate::connection::{self, Answer, Channel};

/// As long as a call may take where the resource says nothing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A service at one origin, shared by all batches.
pub(super) struct Client {
    pub(super) redaction: Redaction,
    pub(super) clock: Clock,
    shown: String,
    headers: HeaderMap,
    timeout: Duration,
    channel: Channel,
}

/// What is asked.
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query.
    pub(super) uri: Uri,
    /// Beside the resource's own.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// At most so many bytes of the answer are read, for at most so long.
    pub(super) most: usize,
    pub(super) patience: Option<Duration>,
}

impl Client {
    /// Makes a client; nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: a header may not be sent, or the machine trusts no certificates.
    pub(super) fn new(resource: &Resource, target: Target, clock: Clock) -> Result<Client, String> {
        let timeout = resource.timeout.unwrap_or(TIMEOUT);
        let mut all = HeaderMap::new();
        let host = HeaderValue::try_from(&target.authority);
        all.insert(header::HOST, host.map_err(|_| format!("`{}` names no host", resource.shown()))?);
        all.insert(header::USER_AGENT, HeaderValue::from_static(concat!("fourstroke/", env!("CARGO_PKG_VERSION"))));
        all.extend(headers::read(resource)?);
        Ok(Client {
            redaction: Redaction::new(resource),
            shown: resource.shown(),
            headers: all,
            timeout,
            channel: Channel::new(target.place, timeout, clock.clone())?,
            clock,
        })
    }

    /// Asks once; a second time, on a new connection, only if one that was kept turns out to have ended: what is posted has an
    /// idempotency key. Redirects are not followed.
    ///
    /// # Errors
    /// No answer came. `sent` tells whether the request may have had its effect.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, SendError> {
        let mut headers = ask.headers;
        headers.extend(self.headers.clone());
        let ask = connection::Ask {
            method: ask.method,
            uri: ask.uri,
            headers,
            body: ask.body,
            most: ask.most,
            patience: ask.patience,
            repeatable: true,
        };
        let answer = self.channel.ask(&ask, self.timeout).await;
        answer.map_err(|error| self.failed(error.kind, error.sent, &error.reason))
    }

    /// Makes a first connection. Where that fails, the first call tells.
    pub(super) async fn connect(&self) {
        drop(self.channel.open().await);
    }

    /// Makes the error of this service.
    pub(super) fn failed(&self, kind: Kind, sent: Sent, what: &str) -> SendError {
        SendError { kind, sent, reason: format!("`{}`: {what}", self.shown) }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
