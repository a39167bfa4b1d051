//! A model in S3 is replaced while the function is warm: another decides, without a deploy.

use std::{fs, path::Path, time::Duration};

use fourstroke_localstack::{StandIn, http};
use serde_json::{Value, json};

use crate::{
    function::{Function, kinesis, well},
    receiver::Receiver,
};

const PIPELINE: &str = r#"
fourstroke: v1
name: small
sinks: { log: "${RECEIVER}/log", dead: "${RECEIVER}/dead" }
event: { id: .id, fields: { id: string, a: float } }
infer:
  m: { model: "s3://models/m.onnx", reload: 1ms, features: { a: .a, b: .a, c: .a, d: .a } }
act: { rules: [] }
log: { to: log }
on_error: { to: dead }
"#;
/// A model is looked at in the background, and speaks from the next batch on: as many batches are more than enough.
const PATIENCE: usize = 200;

fn put(s3: &StandIn, path: &str, body: &[u8]) {
    let address = s3.endpoint().trim_start_matches("http://").parse().unwrap();
    let signed =
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
    let headers = [("authorization", signed), ("x-amz-date", "20260101T000000Z")];
    let answer = http::request(address, "PUT", path, &headers, body, Duration::from_secs(10)).unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// The digest of the model that decided the last event.
fn decided_by(receiver: &Receiver) -> String {
    let last = receiver.taken("/log").pop().expect("an entry");
    let entry: Value = serde_json::from_str(&last.body).unwrap();
    entry["model"][0]["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn another_object_decides_without_a_deploy() {
    let Some(s3) = fourstroke_localstack::moto::start() else { return };
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/onnx/tests/models");
    let first = fs::read(models.join("naive_bayes/model.onnx")).unwrap();
    // The same with a word about it: field 6 of ONNX's ModelProto.
    let second = [&first[..], &[0x32, 3, b'n', b'e', b'w']].concat();
    put(&s3, "/models", b"");
    put(&s3, "/models/m.onnx", &first);

    let receiver = Receiver::start(|_| (200, String::new()));
    let variables = [("RECEIVER", receiver.url.as_str()), ("AWS_ENDPOINT_URL_S3", &s3.endpoint())];
    let Some(function) = Function::deploy(PIPELINE, &variables) else { return };
    let decide = |n: usize| {
        let body = json!({ "id": n.to_string(), "a": 1.5 }).to_string();
        assert_eq!(function.invoke(&kinesis(&[body])), well(), "{}", function.rie.log());
        decided_by(&receiver)
    };
    assert_eq!(decide(0), fourstroke::identity::sha256(&first));
    put(&s3, "/models/m.onnx", &second);
    let wanted = fourstroke::identity::sha256(&second);
    let replaced = (1..PATIENCE).any(|n| decide(n) == wanted);
    assert!(replaced, "{}", function.rie.log());
    assert!(receiver.taken("/dead").is_empty());
    assert!(function.rie.log().contains("another model decides"), "and it is told");
}
