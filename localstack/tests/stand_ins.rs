//! Each stand-in starts, answers, and is gone when it is stopped.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fourstroke_localstack::{Rie, StandIn, dynamodb, kinesis, moto, signal};

/// Calls an operation of one of the services that speak JSON. The prefix is that of its targets.
fn call(stand_in: &StandIn, service: &str, operation: &str, body: &str) -> String {
    let (service, prefix) = service.split_once('/').expect("service/prefix");
    // What looks like a signature to those who want one.
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let target = format!("{prefix}.{operation}");
    let headers = [
        ("X-Amz-Target", target.as_str()),
        ("X-Amz-Date", "20260101T000000Z"),
        (
            "Content-Type",
            if service == "kinesis" { "application/x-amz-json-1.1" } else { "application/x-amz-json-1.0" },
        ),
        ("Authorization", &signed),
    ];
    let answer = stand_in.post("/", &headers, body.as_bytes()).expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200, "{target}: {text}\n{}", stand_in.log());
    text
}

/// Waits until it is so, a while at most.
fn soon(what: &str, so: impl Fn() -> bool) {
    let late = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < late, "not so within ten seconds: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn assert_stops(stand_in: StandIn) {
    let address: SocketAddr = stand_in.endpoint().trim_start_matches("http://").parse().expect("an address");
    TcpStream::connect(address).expect("a listener");
    stand_in.stop();
    soon("nobody listens", || TcpStream::connect(address).is_err());
}

fn gone(pid: u32) -> bool {
    // What no one waits for is left as a zombie, in state Z.
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

#[test]
fn kinesis_keeps_records() {
    let Some(stand_in) = kinesis::start() else { return };
    let call = |operation: &str, body: &str| call(&stand_in, "kinesis/Kinesis_20131202", operation, body);
    call("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
    soon("the stream is active", || {
        call("DescribeStreamSummary", r#"{"StreamName":"s"}"#).contains(r#""StreamStatus":"ACTIVE""#)
    });
    let put = call("PutRecord", r#"{"StreamName":"s","PartitionKey":"k","Data":"aGk="}"#);
    assert!(put.contains("SequenceNumber"), "{put}");
    assert_stops(stand_in);
}

#[test]
fn dynamodb_keeps_items() {
    let Some(stand_in) = dynamodb::start() else { return };
    let call = |operation: &str, body: &str| call(&stand_in, "dynamodb/DynamoDB_20120810", operation, body);
    call(
        "CreateTable",
        r#"{"TableName":"table","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
            "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}]}"#,
    );
    call("PutItem", r#"{"TableName":"table","Item":{"k":{"S":"a"},"v":{"N":"1"}}}"#);
    let got = call("GetItem", r#"{"TableName":"table","Key":{"k":{"S":"a"}},"ConsistentRead":true}"#);
    assert!(got.contains(r#""v":{"N":"1"}"#), "{got}");
    assert_stops(stand_in);
}

#[test]
fn moto_makes_queues() {
    let Some(stand_in) = moto::start() else { return };
    let call = |operation: &str, body: &str| call(&stand_in, "sqs/AmazonSQS", operation, body);
    call("CreateQueue", r#"{"QueueName":"q"}"#);
    let queues = call("ListQueues", "{}");
    assert!(queues.contains("/q\""), "{queues}");
    assert_stops(stand_in);
}

#[test]
fn one_is_shared() {
    let (Some(one), Some(other)) = (moto::shared(), moto::shared()) else { return };
    assert_eq!(one.endpoint(), other.endpoint());
}

fn echo(timeout_seconds: u32) -> Option<Rie> {
    let greeting = ("GREETING".to_owned(), "it's = here".to_owned());
    Rie::start(Path::new(env!("CARGO_BIN_EXE_echo")), &[greeting], timeout_seconds)
}

#[test]
fn rie_invokes_a_bootstrap() {
    let Some(rie) = echo(30) else { return };
    assert_eq!(rie.bootstrap_pid(), None);
    assert_eq!(String::from_utf8_lossy(&rie.invoke(b"{\"a\":1}")), "{\"a\":1}");
    let large = vec![b'7'; 6_000_000];
    assert!(rie.invoke(&large) == large);
    assert!(rie.log().contains("greeting: it's = here"), "{}", rie.log());

    thread::scope(|scope| {
        for event in [b"1", b"2", b"3"] {
            let rie = &rie;
            scope.spawn(move || assert_eq!(rie.invoke(event), event));
        }
    });

    let (emulator, bootstrap) = (rie.pid(), rie.bootstrap_pid().expect("a bootstrap"));
    rie.stop();
    soon("both are gone", || gone(emulator) && gone(bootstrap));
}

#[test]
fn rie_gives_up_a_frozen_bootstrap() {
    // A busy machine may take its time to start another one.
    let Some(rie) = echo(5) else { return };
    rie.invoke(b"1");
    let frozen = rie.bootstrap_pid().expect("a bootstrap");
    signal(frozen, "STOP");
    let answer = rie.invoke(b"2");
    assert!(answer.starts_with(b"Task timed out"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(rie.invoke(b"3"), b"3");
    assert_ne!(rie.bootstrap_pid(), Some(frozen));

    // Thawed in time, it goes on.
    let thawed = rie.bootstrap_pid().expect("a bootstrap");
    signal(thawed, "STOP");
    signal(thawed, "CONT");
    assert_eq!(rie.invoke(b"4"), b"4");
    assert_eq!(rie.bootstrap_pid(), Some(thawed));

    // Nor does a frozen one outlive the emulator.
    signal(thawed, "STOP");
    drop(rie);
    soon("it is gone", || gone(thawed));
}

#[test]
fn what_the_killed_started_ends() {
    let mut test = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "waits_to_be_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test again");
    let lines = BufReader::new(test.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let pids = lines.filter_map(|line| line.strip_prefix("started ")?.parse().ok()).take(2).collect::<Vec<u32>>();
    test.kill().expect("killed");
    test.wait().expect("ended");
    soon("all is gone", || pids.iter().all(|pid| gone(*pid)));
}

/// Says what it started on lines of their own.
#[test]
#[ignore = "what_the_killed_started_ends runs it"]
fn waits_to_be_killed() {
    let Some(rie) = echo(30) else { return };
    rie.invoke(b"1");
    println!("\nstarted {}\nstarted {}", rie.pid(), rie.bootstrap_pid().expect("a bootstrap"));
    let _ = std::io::stdin().read(&mut [0]);
}
