//! A payload as AWS Lambda sends it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// Makes what Lambda sends of a Kinesis shard: so many records, each with so many bytes of JSON.
pub fn kinesis_payload(records: usize, body: usize) -> Vec<u8> {
    let record = |n: usize| {
        let note = format!("{{\"id\": \"{n:08}\", \"note\": \"\"}}");
        let body = note.replace("\"\"}", &format!("\"{}\"}}", "x".repeat(body - note.len())));
        let sequence_number = format!("4959033827149025660855969253836157109592157598913{n:07}");
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": format!("customer-{:04}", n % 1_000),
                "sequenceNumber": sequence_number,
                "data": STANDARD.encode(body),
                "approximateArrivalTimestamp": 1_545_084_650.987,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000006:{sequence_number}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
            "awsRegion": "us-east-2",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        })
    };
    let records: Vec<_> = (0..records).map(record).collect();
    json!({ "Records": records }).to_string().into_bytes()
}
