//! A TLS server that answers as Kinesis does, and ends its connections when it is told to.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use socket2::SockRef;
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{broadcast, mpsc},
};
use tokio_rustls::server::TlsStream;

use crate::certificates;

/// How connections end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a goodbye.
    Fin,
    /// With none, and what comes behind it is refused.
    Reset,
    /// Not at all: whatever is said, nothing comes back.
    Silence,
}

/// The server.
pub struct Service {
    port: u16,
    trusted: NamedTempFile,
    seen: Arc<Mutex<Seen>>,
    end: broadcast::Sender<End>,
    ended: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
}

#[derive(Default)]
struct Seen {
    handshakes: usize,
    bodies: Vec<String>,
    /// The `authorization` of each request.
    signed: Vec<String>,
    /// Connections that can be told to end.
    open: usize,
    /// As many requests are waited for before any is answered.
    wanted: usize,
}

impl Service {
    pub async fn start() -> Service {
        let authority = certificates::authority("frozen");
        let acceptor = certificates::acceptor(&certificates::of("localhost"), &authority);
        let trusted = NamedTempFile::new().unwrap();
        std::fs::write(trusted.path(), authority.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (end, _) = broadcast::channel(16);
        let (has_ended, ended) = mpsc::unbounded_channel();
        let (shared, told) = (seen.clone(), end.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                {
                    let mut seen = shared.lock().unwrap();
                    seen.handshakes += 1;
                    seen.open += 1;
                }
                let (seen, told, has_ended) = (shared.clone(), told.subscribe(), has_ended.clone());
                tokio::spawn(serve(stream, seen, told, has_ended));
            }
        });
        Service { port, trusted, seen, end, ended: tokio::sync::Mutex::new(ended) }
    }

    pub fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate to be trusted.
    pub fn trusted(&self) -> &Path {
        self.trusted.path()
    }

    /// Ends every connection so, and waits until that is done.
    pub async fn end_all(&self, end: End) {
        let open = std::mem::take(&mut self.seen.lock().unwrap().open);
        self.end.send(end).expect("connections are open");
        let mut ended = self.ended.lock().await;
        for _ in 0..open {
            ended.recv().await.expect("a connection ends");
        }
        // A busy machine may still have the last packet on its way.
        while end != End::Silence && self.is_connected() {
            tokio::task::yield_now().await;
        }
    }

    /// Tells whether the other side of a connection has not heard of its end yet, as the system's table has it.
    fn is_connected(&self) -> bool {
        const ESTABLISHED: &str = "01";
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
        let port = format!(":{:04X}", self.port);
        table.lines().any(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            matches!(columns[..], [_, _, to, state, ..] if to.ends_with(&port) && state == ESTABLISHED)
        })
    }

    /// Answers nothing before so many requests have come.
    pub fn gather(&self, requests: usize) {
        self.seen.lock().unwrap().wanted = requests;
    }

    pub fn handshakes(&self) -> usize {
        self.seen.lock().unwrap().handshakes
    }

    /// The records it was given.
    pub fn bodies(&self) -> Vec<String> {
        self.seen.lock().unwrap().bodies.clone()
    }

    /// How each request was signed.
    pub fn signed(&self) -> Vec<String> {
        self.seen.lock().unwrap().signed.clone()
    }
}

/// Answers requests until it is told to end, or the other side does.
async fn serve(
    mut stream: TlsStream<TcpStream>,
    seen: Arc<Mutex<Seen>>,
    mut told: broadcast::Receiver<End>,
    has_ended: mpsc::UnboundedSender<()>,
) {
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        tokio::select! {
            end = told.recv() => {
                match end.unwrap() {
                    End::Fin => drop(stream.shutdown().await),
                    End::Reset => SockRef::from(stream.get_ref().0).set_linger(Some(std::time::Duration::ZERO)).unwrap(),
                    End::Silence => {
                        has_ended.send(()).unwrap();
                        std::future::pending::<()>().await;
                    }
                }
                drop(stream);
                has_ended.send(()).unwrap();
                return;
            }
            count = stream.read(&mut piece) => match count {
                Ok(0) | Err(_) => return,
                Ok(count) => read.extend_from_slice(&piece[..count]),
            }
        }
        let Some(request) = Request::whole(&read) else { continue };
        read.clear();
        let records = request.records;
        {
            let mut seen = seen.lock().unwrap();
            seen.bodies.extend(records.iter().cloned());
            seen.signed.push(request.authorization);
        }
        let all_there = || {
            let seen = seen.lock().unwrap();
            seen.signed.len() >= seen.wanted
        };
        while !all_there() {
            tokio::task::yield_now().await;
        }
        let answers = vec![r#"{"SequenceNumber":"1","ShardId":"shardId-000000000000"}"#; records.len()].join(",");
        let body = format!(r#"{{"FailedRecordCount":0,"Records":[{answers}]}}"#);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length";
        stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    }
}

struct Request {
    authorization: String,
    records: Vec<String>,
}

impl Request {
    /// Reads a request that has come whole.
    fn whole(read: &[u8]) -> Option<Request> {
        let text = std::str::from_utf8(read).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length: usize = header("content-length")?.parse().ok()?;
        let body: serde_json::Value = (body.len() >= length).then(|| serde_json::from_str(body).unwrap())?;
        let records = body["Records"].as_array().unwrap().iter();
        let records = records.map(|record| record["PartitionKey"].as_str().unwrap().to_owned()).collect();
        Some(Request { authorization: header("authorization").unwrap_or_default(), records })
    }
}
