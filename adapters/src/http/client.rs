//! One request and its answer, within the resource's timeout.

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{SendError, Sent},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Body, Incoming},
    header::{self, HeaderMap, HeaderValue},
};
use tokio::time::{Instant, timeout_at};

use super::{
    answer::Redaction,
    connect::{Connection, Connector},
    headers,
    pool::Pool,
    target::Target,
};

/// As long as a call may take where the resource says nothing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A service at one origin, shared by all batches.
pub(super) struct Client {
    pub(super) redaction: Redaction,
    pub(super) clock: Clock,
    shown: String,
    headers: HeaderMap,
    timeout: Duration,
    connector: Connector,
    pool: Pool,
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

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Its body, or why there is none.
    pub(super) body: Result<Bytes, Cut>,
    /// An earlier try of the same request may have reached the service.
    pub(super) again: bool,
}

/// Why an answer has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// It is longer than may be read.
    TooLong,
    /// It did not end in time, or its connection did.
    Broken,
}

/// A try that gave no answer.
struct Lost {
    /// None of the request reached the connection.
    unsent: bool,
    /// The connection ended before an answer began.
    ended: bool,
    reason: String,
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
            clock,
            shown: resource.shown(),
            headers: all,
            timeout,
            connector: Connector::new(target, timeout)?,
            pool: Pool::default(),
        })
    }

    /// Asks once; a second time, on a new connection, only if one that was kept turns out to have ended. Redirects are
    /// not followed.
    ///
    /// # Errors
    /// No answer came. `sent` tells whether the request may have had its effect.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, SendError> {
        let until = Instant::now() + self.timeout;
        let mut sent = Sent::No;
        if let Some(mut kept) = self.pool.take(self.clock.now()) {
            match self.send(&mut kept, ask, until).await {
                Ok(response) => return Ok(self.receive(response, kept, ask, until, false).await),
                Err(lost) if lost.ended => sent = lost.sent(),
                Err(lost) => return Err(self.failed(Kind::Retryable, lost.sent(), &lost.reason)),
            }
        }
        let connected = match timeout_at(until, self.connector.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(SendError {
                kind: Kind::Retryable,
                sent: Sent::No,
                reason: format!("no connection within {} ms", self.timeout.as_millis()),
            }),
        };
        let mut fresh = connected.map_err(|error| self.failed(error.kind, sent, &error.reason))?;
        match self.send(&mut fresh, ask, until).await {
            Ok(response) => Ok(self.receive(response, fresh, ask, until, sent == Sent::Unknown).await),
            Err(lost) => {
                // What the first try left unknown stays unknown.
                let sent = if sent == Sent::Unknown { sent } else { lost.sent() };
                Err(self.failed(Kind::Retryable, sent, &lost.reason))
            }
        }
    }

    /// Makes the error of this service.
    pub(super) fn failed(&self, kind: Kind, sent: Sent, what: &str) -> SendError {
        SendError { kind, sent, reason: format!("`{}`: {what}", self.shown) }
    }

    async fn send(&self, connection: &mut Connection, ask: &Ask, until: Instant) -> Result<Response<Incoming>, Lost> {
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.uri.clone();
        *request.headers_mut() = ask.headers.clone();
        request.headers_mut().extend(self.headers.clone());
        match timeout_at(until, connection.try_send_request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(mut error)) => {
                let unsent = error.take_message().is_some();
                let error = error.into_error();
                Err(Lost { unsent, ended: unsent || ended(&error), reason: explained(&error) })
            }
            Err(_) => {
                let reason = format!("no answer within {} ms", self.timeout.as_millis());
                Err(Lost { unsent: false, ended: false, reason })
            }
        }
    }

    /// Reads the body, and keeps the connection if it can be used again.
    async fn receive(
        &self,
        response: Response<Incoming>,
        connection: Connection,
        ask: &Ask,
        until: Instant,
        again: bool,
    ) -> Answer {
        let (head, body) = response.into_parts();
        let until = ask.patience.map_or(until, |patience| until.min(Instant::now() + patience));
        let body = timeout_at(until, whole(body, ask.most)).await.unwrap_or(Err(Cut::Broken));
        if body.is_ok() {
            self.keep(connection).await;
        }
        Answer { status: head.status, headers: head.headers, body, again }
    }

    /// Waits until the connection knows that its exchange is over. One that still sends the request, which was answered
    /// before it was read, is dropped.
    async fn keep(&self, mut connection: Connection) {
        const SETTLE: Duration = Duration::from_millis(50);
        if let Ok(Ok(())) = tokio::time::timeout(SETTLE, connection.ready()).await {
            self.pool.keep(connection, self.clock.now());
        }
    }
}

/// Reads a body of at most so many bytes.
async fn whole(mut body: Incoming, most: usize) -> Result<Bytes, Cut> {
    // Nobody waits for one that is known to be too long.
    if body.size_hint().lower() > most as u64 {
        return Err(Cut::TooLong);
    }
    // Copied, as each of many small pieces would hold on to a buffer of its own.
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Cut::Broken)?.into_data() else { continue };
        if read.len() + data.len() > most {
            return Err(Cut::TooLong);
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

impl Lost {
    fn sent(&self) -> Sent {
        if self.unsent { Sent::No } else { Sent::Unknown }
    }
}

/// Tells whether the other side closed the connection before it answered.
fn ended(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    let broken = || {
        let io = std::error::Error::source(error)?.downcast_ref::<std::io::Error>()?;
        Some(matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof))
    };
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || broken() == Some(true)
}

fn explained(error: &hyper::Error) -> String {
    if ended(error) {
        return "the connection ended before an answer".to_owned();
    }
    match error.is_parse() {
        true => "the answer is no HTTP".to_owned(),
        false => format!("no answer: {error}"),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
