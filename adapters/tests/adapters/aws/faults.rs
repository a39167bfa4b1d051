//! What errors of a service mean, told by a service that answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use fourstroke_adapters::kinesis::KinesisSink;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What it does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Answers with a status and a body.
    With(u16, String),
    /// Ends the connection.
    Cut,
    /// Says nothing for as long as anybody waits.
    Silence,
}

/// A service on this machine that answers each request with the next of its answers, and the last from then on.
pub struct Service {
    pub endpoint: String,
    /// The bodies it was sent.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers: Arc<Mutex<VecDeque<Answer>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
        let heard = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers.clone(), heard.clone()));
            }
        });
        Service { endpoint, asked }
    }
}

async fn serve(mut stream: TcpStream, answers: Arc<Mutex<VecDeque<Answer>>>, heard: Arc<Mutex<Vec<String>>>) {
    while let Some(body) = request(&mut stream).await {
        heard.lock().unwrap().push(body);
        let answer = {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
        };
        match answer.unwrap() {
            Answer::Cut => return,
            Answer::Silence => std::future::pending().await,
            Answer::With(status, body) => {
                let length = body.len();
                let head = format!("HTTP/1.1 {status} Told\r\ncontent-type: application/x-amz-json-1.1\r\n");
                let whole = format!("{head}content-length: {length}\r\n\r\n{body}");
                stream.write_all(whole.as_bytes()).await.unwrap();
            }
        }
    }
}

/// Reads a request; none once the other side is done.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0usize) {
                return Some(body.to_owned());
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&piece[..count]),
        }
    }
}

fn error(status: u16, code: &str) -> Answer {
    Answer::With(status, format!(r#"{{"__type":"{code}","message":"so it is"}}"#))
}

async fn sent(answers: impl IntoIterator<Item = Answer>) -> (SendError, usize) {
    let service = Service::start(answers).await;
    let mut resource = Resource::new("sinks.out", "kinesis://out");
    resource.timeout = Some(std::time::Duration::from_millis(300));
    let sink = KinesisSink::at(&resource, &super::account(&service.endpoint).await).unwrap();
    let ends = sink.send(&[item("1", "k")]).await;
    let asked = service.asked.lock().unwrap().len();
    (ends.into_iter().next().unwrap().unwrap_err(), asked)
}

pub fn item(id: &str, key: &str) -> Outgoing {
    Outgoing {
        id: id.into(),
        key: Some(key.into()),
        content_type: "application/json",
        attributes: Vec::new(),
        body: Bytes::from(format!("{{\"id\": \"{id}\"}}")),
    }
}

#[tokio::test]
async fn errors_are_told_apart_and_asked_once() {
    let told = [
        (error(400, "ProvisionedThroughputExceededException"), Kind::Retryable, Sent::No),
        (error(400, "com.amazonaws.kinesis#KMSThrottlingException"), Kind::Retryable, Sent::No),
        (error(400, "ResourceNotFoundException"), Kind::Fatal, Sent::No),
        (error(400, "AccessDeniedException"), Kind::Fatal, Sent::No),
        (error(403, "SomethingNew"), Kind::Fatal, Sent::No),
        (error(400, "ValidationException"), Kind::Poison, Sent::No),
        (error(400, "SomethingNew"), Kind::Retryable, Sent::Unknown),
        (error(500, "InternalFailure"), Kind::Retryable, Sent::Unknown),
        (Answer::With(503, String::new()), Kind::Retryable, Sent::No),
        (Answer::With(200, "no JSON".to_owned()), Kind::Retryable, Sent::Unknown),
        (Answer::With(200, r#"{"Records":[],"FailedRecordCount":0}"#.to_owned()), Kind::Retryable, Sent::Unknown),
        (Answer::Cut, Kind::Retryable, Sent::Unknown),
        (Answer::Silence, Kind::Retryable, Sent::Unknown),
    ];
    for (answer, kind, known) in told {
        let (failed, asked) = sent([answer.clone()]).await;
        assert_eq!((failed.kind, failed.sent, asked), (kind, known, 1), "{answer:?}: {}", failed.reason);
        assert!(failed.reason.starts_with("`kinesis://out`: "), "{}", failed.reason);
    }
}

#[tokio::test]
async fn nobody_there_is_known_as_not_sent() {
    let account = super::account("http://127.0.0.1:1").await;
    let sink = KinesisSink::at(&Resource::new("sinks.out", "kinesis://out"), &account).unwrap();
    let failed = sink.send(&[item("1", "k")]).await.remove(0).unwrap_err();
    assert_eq!((failed.kind, failed.sent), (Kind::Retryable, Sent::No), "{}", failed.reason);
}
