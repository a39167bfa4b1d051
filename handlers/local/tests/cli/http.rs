//! A pipeline whose table and sink are behind HTTP, run by the binary.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::support::{PIPELINE, World};

/// Knows the customer `ada`, and takes what is posted unless it is told not to.
struct Service {
    address: SocketAddr,
    /// Head and body of each request.
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Service {
    fn start(posted: &'static str) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let log = seen.clone();
        // Both end with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = log.clone();
                std::thread::spawn(move || serve(stream, posted, &log));
            }
        });
        Service { address, seen }
    }

    fn seen(&self, method: &str) -> Vec<(String, String)> {
        let seen = self.seen.lock().expect("no thread died");
        seen.iter().filter(|(head, _)| head.starts_with(method)).cloned().collect()
    }
}

fn serve(stream: TcpStream, posted: &str, log: &Mutex<Vec<(String, String)>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
        reader.read_exact(&mut body).ok()?;
        let (status, answer) = match head.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["POST", _] => (posted, "{}"),
            ["GET", "/customers/ada"] => ("200", "{\"level\":2}"),
            _ => ("404", ""),
        };
        log.lock().expect("no thread died").push((head, String::from_utf8(body).expect("UTF-8")));
        write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).ok()?;
    }
}

const HEADERS: &str = r#"headers: { authorization: "Bearer ${TOKEN}" }"#;

fn world() -> World {
    let world = World::small();
    let table = format!(r#"url: "http://${{SERVICE}}/customers/{{customer}}", {HEADERS}"#);
    let pipeline = PIPELINE
        .replace(r#"url: "file:customers.csv""#, &table)
        .replace(r#"offers: "stdout:""#, &format!(r#"offers: {{ url: "http://${{SERVICE}}/offers", {HEADERS} }}"#));
    world.write("pipeline.yaml", pipeline);
    world
}

#[test]
fn a_service_is_looked_up_in_and_sent_to() {
    let (world, service) = (world(), Service::start("202"));
    let variables = [("SERVICE", service.address.to_string()), ("TOKEN", "s3cret".to_owned())];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();

    let checked = world.run_with(&["validate", "pipeline.yaml"], &variables, b"");
    assert_eq!((checked.code, service.seen("").len()), (0, 0), "nothing is asked or sent: {checked:?}");

    let ended = world.run_with(&["run", "pipeline.yaml", "--json"], &variables, b"");
    assert_eq!(ended.code, 0, "{ended:?}");
    let summary = ended.json();
    assert_eq!((&summary["events"], &summary["dispositions"]["acted"]), (&json!(3), &json!(1)));
    assert_eq!(summary["lookups"], json!([{ "name": "who", "found": 2, "missing": 1 }]));

    let gets = service.seen("GET");
    assert_eq!(gets.len(), 2, "each key once: {gets:?}");
    let posts = service.seen("POST");
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(posts[0].1, "{\"level\":2,\"order\":\"1\"}");
    for part in [
        "POST /offers HTTP/1.1\r\n",
        "authorization: Bearer s3cret\r\n",
        "idempotency-key: ",
        "content-type: application/json\r\n",
        "fourstroke-action: offer\r\n",
        "fourstroke-pipeline: small\r\n",
        "fourstroke-decision-id: ",
    ] {
        assert!(posts[0].0.contains(part), "{part:?} is not in {}", posts[0].0);
    }
    let log = std::fs::read_to_string(world.path("out/decisions.jsonl")).expect("the log");
    assert!(!format!("{ended:?}{checked:?}{log}").contains("s3cret"));
}

#[test]
fn what_a_service_refuses_is_dead_lettered_without_secrets() {
    let (world, service) = (world(), Service::start("422"));
    let address = service.address.to_string();
    let ended =
        world.run_with(&["run", "pipeline.yaml", "--json"], &[("SERVICE", address.as_str()), ("TOKEN", "s3cret")], b"");
    assert_eq!(ended.code, 1, "{ended:?}");
    let dead = world.lines("out/dead.jsonl");
    assert_eq!((dead.len(), &dead[0]["code"]), (1, &json!("FS-A003")));
    let reason = dead[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("http:… (from SERVICE)") && reason.contains("it answered 422"), "{reason}");
    assert!(!format!("{ended:?}{dead:?}").contains("s3cret") && !reason.contains(&address));
}

#[test]
fn a_url_or_option_that_may_not_be_used_is_shown_before_anything_runs() {
    let world = world();
    for (address, what) in [
        ("example.com", "would go unencrypted beyond this machine"),
        ("169.254.169.254", "would go unencrypted beyond this machine"),
        ("user:pass@localhost", "holds a user or password"),
    ] {
        let ended = world.run_with(&["validate", "pipeline.yaml"], &[("SERVICE", address), ("TOKEN", "s3cret")], b"");
        assert_eq!(ended.code, 2, "{ended:?}");
        let shown = format!("{}{}", ended.stdout, ended.stderr);
        assert!(shown.contains(what) && shown.contains("http:… (from SERVICE)"), "{shown}");
        assert!(!shown.contains(address) && !shown.contains("s3cret"), "{shown}");
    }
    world.write("pipeline.yaml", PIPELINE.replace("key: [customer],", "key: [customer], private: true,"));
    let ended = world.run(&["validate", "pipeline.yaml"]);
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 2, "{shown}");
    assert!(shown.contains("`private` means nothing for `file:`; it is for `https:`"), "{shown}");
}
