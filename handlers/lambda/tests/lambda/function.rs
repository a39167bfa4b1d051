//! A deployed function: a package with a pipeline file, run by the emulator.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use fourstroke_localstack::Rie;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Acts on every order of at least 10, by posting it; looks its customer up where `.account` is there.
pub const PIPELINE: &str = r#"
fourstroke: v1
name: orders
stores:
  customers: { url: "${RECEIVER}/customers/{id}", key: [id], fields: { level: integer } }
sinks:
  out:  "${RECEIVER}/out"
  log:  "${RECEIVER}/log"
  dead: "${RECEIVER}/dead"
event:
  fields: { id: string, amount: float, account: "string?" }
enrich:
  customer: { from: customers, key: [.account], timeout: 1s, missing: "null" }
act:
  rules:
    - { name: confirm, when: .amount >= 10.0, to: out, key: .id, data: '{ "id": .id, "amount": .amount }' }
log: { to: log }
on_error: { to: dead }
"#;

/// The same for a table's changes, all of which are acted on.
pub fn changes() -> String {
    let enrich = "enrich:\n  customer: { from: customers, key: [.account], timeout: 1s, missing: \"null\" }\n";
    PIPELINE
        .replace("id: string, amount: float, account: \"string?\"", "eventID: string, dynamodb: object")
        .replace(enrich, "transform: |\n  .id = .eventID\n")
        .replace("when: .amount >= 10.0, ", "")
        .replace(", \"amount\": .amount", "")
}

/// A function.
pub struct Function {
    pub rie: Rie,
    _package: TempDir,
}

impl Function {
    /// Deploys the pipeline with these variables; none where the emulator is not installed.
    pub fn deploy(pipeline: &str, variables: &[(&str, &str)]) -> Option<Function> {
        Function::deploy_for(LONG, pipeline, variables)
    }

    /// Deploys it where something keeps failing: that is tried again for two fifths of the time an invocation may take.
    pub fn deploy_failing(pipeline: &str, variables: &[(&str, &str)]) -> Option<Function> {
        Function::deploy_for(SHORT, pipeline, variables)
    }

    fn deploy_for(seconds: u32, pipeline: &str, variables: &[(&str, &str)]) -> Option<Function> {
        let package = tempfile::tempdir().unwrap();
        let file = package.path().join("pipeline.yaml");
        fs::write(&file, pipeline).unwrap();
        let mut all: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.push(("PIPELINE".to_owned(), file.to_str().unwrap().to_owned()));
        let region = [("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
        all.extend(region.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let rie = Rie::start(Path::new(env!("CARGO_BIN_EXE_bootstrap")), &all, seconds)?;
        Some(Function { rie, _package: package })
    }

    /// Invokes it; the answer is JSON.
    pub fn invoke(&self, payload: &Value) -> Value {
        let answer = self.rie.invoke(payload.to_string().as_bytes());
        serde_json::from_slice(&answer)
            .unwrap_or_else(|_| panic!("{}\n{}", String::from_utf8_lossy(&answer), self.rie.log()))
    }

    /// The embedded metrics it has written, a line per batch.
    pub fn metrics(&self) -> Vec<Value> {
        let log = self.rie.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "fourstroke").collect()
    }
}

/// As long as an invocation may take, in seconds: on the busiest machine.
const LONG: u32 = 60;
/// Where the end of retries is awaited.
const SHORT: u32 = 10;

/// The sequence number of a record.
pub fn sequence_number(n: usize) -> String {
    format!("4959033827149025660855969253836157109592157598913658{n:04}")
}

/// What Lambda sends of a Kinesis stream's shard.
pub fn kinesis<B: AsRef<[u8]>>(bodies: &[B]) -> Value {
    let record = |(n, body): (usize, &B)| {
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": format!("key-{}", n % 10),
                "sequenceNumber": sequence_number(n),
                "data": STANDARD.encode(body),
                "approximateArrivalTimestamp": 1_545_084_650.987,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000006:{}", sequence_number(n)),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// A payload as AWS documents it.
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/../../adapters/tests/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Leaves those of a payload's records that are delivered again.
pub fn redelivered(payload: &Value, records: impl std::ops::RangeBounds<usize>) -> Value {
    let mut again = payload.clone();
    again["Records"] = again["Records"].as_array_mut().unwrap().drain(records).collect();
    again
}

/// The body of an order that is acted on.
pub fn order(n: usize) -> String {
    json!({ "id": format!("order-{n}"), "amount": 42.5 }).to_string()
}

/// Answers that everything is well.
pub fn well() -> Value {
    json!({ "batchItemFailures": [] })
}

/// Answers that this record and all behind it are to come again.
pub fn from(n: usize) -> Value {
    json!({ "batchItemFailures": [{ "itemIdentifier": sequence_number(n) }] })
}
