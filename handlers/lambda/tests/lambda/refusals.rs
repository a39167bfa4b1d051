//! What the handler does not start with, and what it does not take.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    function::{Function, PIPELINE, kinesis},
    receiver::Receiver,
};

/// Starts the binary without a platform; it must end before it asks for an invocation.
fn refusal(pipeline: &str) -> String {
    let package = tempfile::tempdir().unwrap();
    let file = package.path().join("pipeline.yaml");
    std::fs::write(&file, pipeline).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    let output = command.env_clear().env("PIPELINE", &file).env("OUT", "memory:").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let line: Value = serde_json::from_str(said.trim_end()).unwrap_or_else(|_| panic!("one line of JSON: {said}"));
    line["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_would_not_outlive_the_process_is_refused() {
    let pipeline = r#"
fourstroke: v1
name: passing
stores: { state: "redb:state.redb", table: { url: "file:t.csv", key: [id] } }
sinks: { out: "${OUT}", dead: "file:dead.jsonl", log: { url: "stdout:", ephemeral: true }, other: "memory:" }
enrich: { table: { from: table, key: [.id], missing: "null" } }
event: { fields: { id: string } }
act: { rules: [ { name: go, to: out, once: state } ] }
log: { to: log }
on_error: { to: dead }
"#;
    let said = refusal(pipeline);
    for part in
        ["`stores.state` is `redb:`", "`sinks.out` is `memory:`", "give OUT another value", "`sinks.dead` is `file:`"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(
        !said.contains("`sinks.log`") && !said.contains("`stores.table`") && !said.contains("`sinks.other`"),
        "{said}"
    );
}

#[test]
fn a_wrong_pipeline_file_is_shown_with_its_places() {
    let said = refusal("fourstroke: v1\nname: x\nsinkz: {}\n");
    assert!(said.contains("sinkz") && said.contains("pipeline.yaml:3"), "{said}");
}

#[test]
fn a_record_that_is_malformed_is_a_dead_letter() {
    let receiver = Receiver::well();
    let Some(function) = Function::deploy(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let answer = function.invoke(&json!({ "Records": [{ "eventSource": "aws:kinesis" }] }));
    assert_eq!(answer, json!({ "batchItemFailures": [] }), "a bad record is a dead letter, no failure");
    assert_eq!(receiver.taken("/dead").len(), 1);
}

#[test]
fn what_nobody_can_mend_by_trying_again_fails_the_invocation() {
    let receiver = Receiver::failing("/out", "", 403);
    let Some(function) = Function::deploy(PIPELINE, &[("RECEIVER", &receiver.url)]) else { return };
    let answer = function.invoke(&kinesis(&[r#"{"id": "order-1", "amount": 42.5}"#]));
    assert!(answer["errorType"].is_string(), "{answer}");
    let why = answer["errorMessage"].as_str().unwrap();
    assert!(why.contains("FS-A004") && why.contains("sink `out`"), "{why}");
    assert!(receiver.taken("/dead").is_empty());
}
