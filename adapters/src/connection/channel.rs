//! One request and its answer, on a connection that is kept or a new one.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use fourstroke::{
    clock::Clock,
    error::Kind,
    ports::{SendError, Sent},
    warm::{self, Pool},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Body, Incoming},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{Place, connect::Connector, kept::Kept};
use crate::at_once::AT_ONCE;

/// A place, and the connections to it that are kept.
#[derive(Debug)]
pub(crate) struct Channel {
    connector: Connector,
    connect: Duration,
    pool: Arc<Pool<Kept>>,
    /// As many exchanges are under way as connections are kept: more would be made anew for each batch.
    turns: Semaphore,
}

/// What is asked.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: Uri,
    /// All of them, `host` among them.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// At most so many bytes of the answer are read, for at most so long.
    pub(crate) most: usize,
    pub(crate) patience: Option<Duration>,
    /// It may reach the service twice: it is asked a second time, on a new connection, if one that was kept turns out to have
    /// ended. One that certainly did not reach it is asked again in any case.
    pub(crate) repeatable: bool,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Its body, or why there is none.
    pub(crate) body: Result<Bytes, Cut>,
    /// An earlier try of the same request may have reached the service.
    pub(crate) again: bool,
}

/// Why an answer has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
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

impl Channel {
    /// Makes a channel; nothing is connected to yet. A connection may take so long to make.
    ///
    /// # Errors
    /// One sentence: the machine trusts no certificates, and the place needs them.
    pub(crate) fn new(place: Place, connect: Duration, clock: Clock) -> Result<Channel, String> {
        Ok(Channel {
            connector: Connector::new(place, connect)?,
            connect,
            pool: Pool::new(AT_ONCE, clock),
            turns: Semaphore::new(AT_ONCE),
        })
    }

    /// Makes a first connection, for the first request to find.
    ///
    /// # Errors
    /// As of [`Channel::ask`].
    pub(crate) async fn open(&self) -> Result<(), SendError> {
        if self.pool.is_empty() {
            let connected = tokio::time::timeout(self.connect, self.connector.connect()).await;
            let late = || Err(retryable(Sent::No, format!("no connection within {} ms", self.connect.as_millis())));
            self.pool.keep(connected.unwrap_or_else(|_| late())?);
        }
        Ok(())
    }

    /// Asks; the answer must come within that time. Redirects are not followed.
    ///
    /// # Errors
    /// No answer came. `sent` tells whether the request may have had its effect.
    pub(crate) async fn ask(&self, ask: &Ask, within: Duration) -> Result<Answer, SendError> {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        let until = Instant::now() + within;
        let mut sent = Sent::No;
        while let Some(mut kept) = self.pool.take() {
            if !kept.is_ready().await {
                warm::ended();
                continue;
            }
            warm::reused();
            let mut silent = Silent(Some(&self.pool));
            let sent_on = send(&mut kept, ask, within, until).await;
            silent.0 = None;
            match sent_on {
                Ok(response) => return Ok(self.receive(response, kept, ask, until, false).await),
                Err(lost) if lost.unsent => {}
                Err(lost) if lost.ended && ask.repeatable => sent = Sent::Unknown,
                Err(lost) => {
                    if !lost.ended {
                        // Who does not answer may be gone: the others that wait lead the same way.
                        self.pool.clear();
                    }
                    return Err(retryable(lost.sent(), lost.reason));
                }
            }
            break;
        }
        let connected = match timeout_at(until, self.connector.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(retryable(Sent::No, format!("no connection within {} ms", within.as_millis()))),
        };
        let mut fresh = connected.map_err(|error| SendError { sent, ..error })?;
        match send(&mut fresh, ask, within, until).await {
            Ok(response) => Ok(self.receive(response, fresh, ask, until, sent == Sent::Unknown).await),
            Err(lost) => {
                // What the first try left unknown stays unknown.
                let sent = if sent == Sent::Unknown { sent } else { lost.sent() };
                Err(retryable(sent, lost.reason))
            }
        }
    }

    /// Reads the body, and keeps the connection if it can be used again.
    async fn receive(
        &self,
        response: Response<Incoming>,
        connection: Kept,
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
    async fn keep(&self, mut connection: Kept) {
        const SETTLE: Duration = Duration::from_millis(50);
        if let Ok(Ok(())) = tokio::time::timeout(SETTLE, connection.sender.ready()).await {
            self.pool.keep(connection);
        }
    }
}

/// A kept connection that was asked and has not answered. Whoever no longer waits leaves the others behind, which lead the same way,
/// as its own do.
struct Silent<'a>(Option<&'a Pool<Kept>>);

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        self.0.into_iter().for_each(Pool::clear);
    }
}

async fn send(connection: &mut Kept, ask: &Ask, within: Duration, until: Instant) -> Result<Response<Incoming>, Lost> {
    warm::requested();
    let mut request = Request::new(Full::new(ask.body.clone()));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = ask.uri.clone();
    *request.headers_mut() = ask.headers.clone();
    match timeout_at(until, connection.sender.try_send_request(request)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(mut error)) => {
            let unsent = error.take_message().is_some();
            let error = error.into_error();
            Err(Lost { unsent, ended: unsent || ended(&error), reason: explained(&error) })
        }
        Err(_) => {
            let reason = format!("no answer within {} ms", within.as_millis());
            Err(Lost { unsent: false, ended: false, reason })
        }
    }
}

fn retryable(sent: Sent, reason: String) -> SendError {
    SendError { kind: Kind::Retryable, sent, reason }
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
