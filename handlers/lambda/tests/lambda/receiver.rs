//! A service on this machine that takes what is posted to it, and answers as it is told to.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    /// `idempotency-key`
    pub key: String,
    pub body: String,
}

/// Says the status and body of an answer.
type Say = dyn Fn(&Asked) -> (u16, String) + Send + Sync;

/// The service. It ends with the test's process.
pub struct Receiver {
    pub url: String,
    taken: Arc<Mutex<Vec<Asked>>>,
}

impl Receiver {
    /// Starts one; it remembers what it answers with a status of the 200s.
    pub fn start(say: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (all, say): (_, Arc<Say>) = (taken.clone(), Arc::new(say));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, say) = (all.clone(), say.clone());
                thread::spawn(move || serve(&stream, &all, &*say));
            }
        });
        Receiver { url, taken }
    }

    /// What was taken at a path so far, in the order it came.
    pub fn taken(&self, path: &str) -> Vec<Asked> {
        self.taken.lock().unwrap().iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

fn serve(stream: &TcpStream, all: &Mutex<Vec<Asked>>, say: &Say) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = request(&mut reader) {
        let (status, body) = say(&asked);
        if (200..300).contains(&status) {
            all.lock().unwrap().push(asked);
        }
        let head =
            format!("HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        let mut stream = stream;
        if stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut asked = Asked { path: String::new(), key: String::new(), body: String::new() };
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 && !line.trim_end().is_empty() {
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("idempotency-key", value)) => asked.key = value.to_owned(),
            Some(_) => {}
            None => asked.path = line.split(' ').nth(1)?.to_owned(),
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    (!asked.path.is_empty()).then_some(asked)
}
