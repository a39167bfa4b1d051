//! Speaks the Lambda Runtime API: answers each event with the event.

use std::{env, net::SocketAddr, time::Duration};

use fourstroke_localstack::http::{Answer, request};

fn main() {
    println!("greeting: {}", env::var("GREETING").unwrap_or_default());
    let api: SocketAddr = env::var("AWS_LAMBDA_RUNTIME_API").expect("the emulator's").parse().expect("an address");
    let ask = |method: &str, path: &str, body: &[u8]| -> Answer {
        let path = format!("/2018-06-01/runtime/invocation/{path}");
        request(api, method, &path, &[], body, Duration::from_secs(3600)).expect("an answer")
    };
    loop {
        let next = ask("GET", "next", b"");
        let id = next.header("Lambda-Runtime-Aws-Request-Id").expect("an id");
        ask("POST", &format!("{id}/response"), &next.body);
    }
}
