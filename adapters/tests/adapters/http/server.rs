//! An HTTP server that answers as a test says and remembers what it was asked.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which connection it came on, from 1.
    pub connection: usize,
    /// Which request of its connection it is, from 1.
    pub nth: usize,
    pub method: String,
    pub path: String,
    /// By name in lower case.
    pub headers: HashMap<String, String>,
    pub body: Bytes,
}

/// What to do about a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What is waited for before any of it is said.
    behind: Option<Arc<Notify>>,
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    Keep,
    Close,
    /// Nothing more, and the connection stays open.
    Hang,
    /// These bytes, again and again.
    Endless(Vec<u8>),
}

impl Reply {
    /// A whole answer; the connection stays open.
    pub fn new(status: u16, headers: &str, body: &str) -> Reply {
        let length = body.len();
        let bytes = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes();
        Reply { behind: None, bytes, then: Then::Keep }
    }

    pub fn json(body: &str) -> Reply {
        Reply::new(200, "content-type: application/json\r\n", body)
    }

    pub fn status(status: u16) -> Reply {
        Reply::new(status, "", "")
    }

    /// These bytes, then the end of the connection.
    pub fn cut(bytes: &str) -> Reply {
        Reply { behind: None, bytes: bytes.as_bytes().to_vec(), then: Then::Close }
    }

    /// These bytes, then nothing.
    pub fn hang(bytes: &str) -> Reply {
        Reply { behind: None, bytes: bytes.as_bytes().to_vec(), then: Then::Hang }
    }

    pub fn endless(head: &str, again: &str) -> Reply {
        const PIECE: usize = 64 << 10;
        let again = again.repeat(PIECE / again.len()).into_bytes();
        Reply { behind: None, bytes: head.as_bytes().to_vec(), then: Then::Endless(again) }
    }

    /// Closes the connection behind a whole answer, without saying so in it.
    pub fn then_close(self) -> Reply {
        Reply { then: Then::Close, ..self }
    }

    /// The same, but not before that is told.
    pub fn behind(self, told: &Arc<Notify>) -> Reply {
        Reply { behind: Some(told.clone()), ..self }
    }

    /// How long to wait for it: what never comes is given up soon, what does come may take its time.
    pub fn patience(&self) -> Duration {
        match self.then {
            Then::Hang => Duration::from_secs(1),
            _ => Duration::from_secs(30),
        }
    }
}

type Answer = dyn Fn(&Seen) -> Reply + Send + Sync;

/// Listens on a free port of this machine until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        Server::start_with(answer, None).await
    }

    pub async fn start_with(
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections): (Arc<Mutex<Vec<Seen>>>, Arc<Mutex<usize>>) = Default::default();
        let answer: Arc<Answer> = Arc::new(answer);
        let (log, count) = (seen.clone(), connections.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    *count
                };
                let (answer, log, tls) = (answer.clone(), log.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, connection, &*answer, &log).await,
                        // A handshake that fails is the other side's to tell.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, connection, &*answer, &log).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Server { address, seen, connections, accepting }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<Bytes> {
        self.seen().into_iter().map(|seen| seen.body).collect()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// Waits until it has as many connections.
    pub async fn connected(&self, connections: usize) {
        let all = async {
            while self.connections() < connections {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("nobody connects");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers the requests of one connection; ends with `None` when either side closes it.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    answer: &Answer,
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let mut input = Vec::new();
    for nth in 1.. {
        let end = loop {
            if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            more(&mut stream, &mut input).await?;
        };
        let head = String::from_utf8(input[..end].to_vec()).expect("a head of text");
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let mut first = lines.next()?.split(' ');
        let headers: HashMap<String, String> = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        while input.len() < end + length {
            more(&mut stream, &mut input).await?;
        }
        let seen = Seen {
            connection,
            nth,
            method: first.next()?.to_owned(),
            path: first.next()?.to_owned(),
            headers,
            body: Bytes::copy_from_slice(&input[end..end + length]),
        };
        input.drain(..end + length);
        let reply = answer(&seen);
        log.lock().unwrap().push(seen);
        if let Some(told) = reply.behind {
            told.notified().await;
        }
        stream.write_all(&reply.bytes).await.ok()?;
        stream.flush().await.ok()?;
        match reply.then {
            Then::Keep => {}
            Then::Close => {
                stream.shutdown().await.ok()?;
                return None;
            }
            Then::Hang => {
                std::future::pending::<()>().await;
            }
            Then::Endless(bytes) => loop {
                stream.write_all(&bytes).await.ok()?;
            },
        }
    }
    None
}

async fn more(stream: &mut (impl AsyncRead + Unpin), input: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(input).await.ok()?;
    (read > 0).then_some(())
}
