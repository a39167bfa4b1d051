//! DynamoDB Local, asked on the handler's behalf.

use std::{net::SocketAddr, time::Duration};

use fourstroke_localstack::{StandIn, http as plain};
use serde_json::{Value, json};

use crate::http::{Answer, Request};

const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the table that keeps what was done; gives where it is.
pub fn table(dynamodb: &StandIn) -> SocketAddr {
    let string = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let table = json!({
        "TableName": "state",
        "AttributeDefinitions": [string("pk"), string("sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "BillingMode": "PAY_PER_REQUEST",
    });
    let signed = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00";
    let headers = [
        ("x-amz-target", "DynamoDB_20120810.CreateTable"),
        ("content-type", "application/x-amz-json-1.0"),
        ("authorization", signed),
        ("x-amz-date", "20260101T000000Z"),
    ];
    let made = dynamodb.post("/", &headers, table.to_string().as_bytes()).unwrap();
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
    dynamodb.endpoint().trim_start_matches("http://").parse().unwrap()
}

/// Finds the partition of the first item a request is about.
pub fn partition_in(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let item = body.get("Key").or_else(|| body.get("Item")).or_else(|| body.pointer("/RequestItems/state/Keys/0"))?;
    Some(item["pk"]["S"].as_str()?.to_owned())
}

/// Asks.
pub fn ask(table: SocketAddr, request: &Request) -> Answer {
    let passed = ["x-amz-target", "content-type", "authorization", "x-amz-date"];
    let headers: Vec<(&str, &str)> =
        passed.iter().filter_map(|name| Some((*name, request.headers.get(*name)?.as_str()))).collect();
    let answer = plain::request(table, "POST", "/", &headers, request.body.as_bytes(), PATIENCE).unwrap();
    Answer { status: answer.status, body: String::from_utf8(answer.body).unwrap(), ..Answer::default() }
}

/// Answers that it was asked too much.
pub fn busy() -> Answer {
    fault(400, "ProvisionedThroughputExceededException")
}

/// Answers that something broke.
pub fn broken() -> Answer {
    fault(500, "InternalServerError")
}

fn fault(status: u16, kind: &str) -> Answer {
    let body =
        json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "as the schedule says" });
    Answer { status, body: body.to_string(), ..Answer::default() }
}
