//! As much of an HTTP server as the tests need: a thread per connection, and whatever a test wants to say.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// What was asked for. Names of headers are in lower case.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// What is said.
#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub manner: Manner,
}

/// How it is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    #[default]
    Said,
    /// The connection ends without a word.
    Cut,
    /// Nothing is said until whoever asked goes.
    Silent,
}

/// Serves until the test's process ends; gives the address.
pub fn serve(say: impl Fn(Request) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let say = Arc::new(say);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let say = say.clone();
            thread::spawn(move || converse(&stream, &*say));
        }
    });
    address
}

/// Says nothing, ever.
pub fn silence() -> ! {
    loop {
        thread::park();
    }
}

fn converse(mut stream: &TcpStream, say: &dyn Fn(Request) -> Answer) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let answer = say(request);
        match answer.manner {
            Manner::Said => {}
            Manner::Cut => return,
            Manner::Silent => {
                let _ = reader.read(&mut [0]);
                return;
            }
        }
        let mut head = format!("HTTP/1.1 {} Told\r\ncontent-type: application/json\r\n", answer.status);
        answer.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        // An answer without a body says so by its status alone.
        if answer.status != 204 {
            head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
        }
        if stream.write_all(format!("{head}\r\n{}", answer.body).as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut first = line.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body: String::from_utf8(body).ok()? })
}
