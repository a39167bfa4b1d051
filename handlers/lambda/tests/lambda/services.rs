//! Kinesis → Lambda → DynamoDB → Kinesis, on stand-ins: tables looked up in DynamoDB, acting once and a limit kept there, records put
//! on a stream, decisions and dead letters in S3.

use base64::{Engine, engine::general_purpose::STANDARD};
use fourstroke_localstack::StandIn;
use serde_json::{Value, json};

use crate::{
    function::{self, Function, from, kinesis, order, redelivered, well},
    receiver::Receiver,
};

const PIPELINE: &str = r#"
fourstroke: v1
name: orders
stores:
  customers: { url: "dynamodb://customers", key: [id], fields: { id: string, level: integer } }
  state: "dynamodb://state"
sinks:
  out:  { url: "kinesis://confirmed", format: cloudevents }
  log:  "s3://decisions/orders"
  dead: "s3://decisions/dead"
event:
  fields: { id: string, amount: float, account: "string?" }
enrich:
  customer: { from: customers, key: [.account], cache: 1m, missing: "null" }
act:
  rules:
    - name: confirm
      when: .amount >= 10.0
      to: out
      key: .id
      once: state
      data: '{ "id": .id, "level": .customer.level || 0 }'
log: { to: log }
on_error: { to: dead }
"#;

/// Asks a service of JSON, by the name of its API and operation.
fn ask(service: &StandIn, target: &str, body: &Value) -> Value {
    let signed =
        "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/x/aws4_request, SignedHeaders=host, Signature=00";
    let kind = if target.starts_with("Dynamo") { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
    let date = ("x-amz-date", "20260101T000000Z");
    let headers = [("x-amz-target", target), ("content-type", kind), ("authorization", signed), date];
    let answer = service.post("/", &headers, body.to_string().as_bytes()).unwrap();
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{target}: {text}");
    serde_json::from_str(if text.is_empty() { "null" } else { &text }).unwrap()
}

struct World {
    kinesis: StandIn,
    dynamodb: StandIn,
    s3: StandIn,
}

impl World {
    fn start() -> Option<World> {
        let (kinesis, dynamodb) = (fourstroke_localstack::kinesis::start()?, fourstroke_localstack::dynamodb::start()?);
        let world = World { kinesis, dynamodb, s3: fourstroke_localstack::moto::start()? };
        let table = |name: &str, keys: &[(&str, &str)]| {
            let types: Vec<_> =
                keys.iter().map(|(key, _)| json!({ "AttributeName": key, "AttributeType": "S" })).collect();
            let schema: Vec<_> =
                keys.iter().map(|(key, kind)| json!({ "AttributeName": key, "KeyType": kind })).collect();
            let table = json!({ "TableName": name, "AttributeDefinitions": types, "KeySchema": schema,
                                "BillingMode": "PAY_PER_REQUEST" });
            ask(&world.dynamodb, "DynamoDB_20120810.CreateTable", &table);
        };
        table("state", &[("pk", "HASH"), ("sk", "RANGE")]);
        table("customers", &[("id", "HASH")]);
        let customer = json!({ "TableName": "customers", "Item": { "id": { "S": "c7" }, "level": { "N": "3" } } });
        ask(&world.dynamodb, "DynamoDB_20120810.PutItem", &customer);
        ask(&world.kinesis, "Kinesis_20131202.CreateStream", &json!({ "StreamName": "confirmed", "ShardCount": 2 }));
        world.s3("PUT", "/decisions");
        Some(world)
    }

    fn deploy(&self) -> Option<Function> {
        let variables = [
            ("AWS_ENDPOINT_URL_KINESIS", self.kinesis.endpoint()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.endpoint()),
            ("AWS_ENDPOINT_URL_S3", self.s3.endpoint()),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, url)| (*name, url.as_str())).collect();
        Function::deploy(PIPELINE, &variables)
    }

    /// The actions on the stream: their ids and what they say.
    fn confirmed(&self) -> Vec<Value> {
        let shards = ask(&self.kinesis, "Kinesis_20131202.ListShards", &json!({ "StreamName": "confirmed" }));
        let mut all = Vec::new();
        for shard in shards["Shards"].as_array().unwrap() {
            let from =
                json!({ "StreamName": "confirmed", "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON" });
            let from = ask(&self.kinesis, "Kinesis_20131202.GetShardIterator", &from);
            let page = json!({ "ShardIterator": from["ShardIterator"] });
            let page = ask(&self.kinesis, "Kinesis_20131202.GetRecords", &page);
            let data = |record: &Value| STANDARD.decode(record["Data"].as_str().unwrap()).unwrap();
            all.extend(
                page["Records"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|record| serde_json::from_slice::<Value>(&data(record)).unwrap()),
            );
        }
        all
    }

    /// How many objects are below a prefix.
    fn objects(&self, prefix: &str) -> usize {
        self.s3("GET", &format!("/decisions?list-type=2&prefix={prefix}")).matches("<Key>").count()
    }

    fn s3(&self, method: &str, path: &str) -> String {
        let address = self.s3.endpoint().trim_start_matches("http://").parse().unwrap();
        let signed =
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
        let headers = [("authorization", signed), ("x-amz-date", "20260101T000000Z")];
        let patience = std::time::Duration::from_secs(10);
        let answer = fourstroke_localstack::http::request(address, method, path, &headers, b"", patience).unwrap();
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 200, "{method} {path}: {text}");
        text
    }
}

#[test]
fn a_batch_delivered_again_acts_on_nothing_twice() {
    let Some(world) = World::start() else { return };
    let Some(function) = world.deploy() else { return };
    let mut bodies: Vec<String> = (1..=100).map(order).collect();
    bodies[6] = json!({ "id": "order-7", "amount": 42.5, "account": "c7" }).to_string();
    bodies[36] = "no order".to_owned();
    assert_eq!(function.invoke(&kinesis(&bodies)), well(), "{}", function.rie.log());
    let confirmed = world.confirmed();
    assert_eq!(confirmed.len(), 99, "{}", function.rie.log());
    let levels: Vec<&Value> = confirmed.iter().map(|event| &event["data"]["level"]).collect();
    assert_eq!(levels.iter().filter(|level| ***level == 3).count(), 1, "looked up in the customers' own table");
    assert_eq!((world.objects("orders/"), world.objects("dead/")), (1, 1), "an object a batch");

    // Customers in one call, what is known of the poison in one, an intent and a mark for each action, one call of records, two
    // objects; more only of what a busy machine made the core try again.
    assert!(function.metrics()[0]["requests"].as_u64().unwrap() >= 2 + 99 + 1 + 99 + 2);
    assert_eq!((&function.metrics()[0]["acted"], &function.metrics()[0]["dead_lettered"]), (&json!(99), &json!(1)));

    assert_eq!(function.invoke(&kinesis(&bodies)), well(), "{}", function.rie.log());
    assert_eq!(world.confirmed().len(), 99, "what was done is skipped");
    assert_eq!(function.metrics()[1]["skipped"], 99);

    // Another process knows it too.
    let Some(other) = world.deploy() else { return };
    assert_eq!(other.invoke(&kinesis(&bodies)), well(), "{}", other.rie.log());
    assert_eq!(world.confirmed().len(), 99);
}

#[test]
fn what_was_sent_behind_a_failed_send_is_not_sent_again() {
    let Some(world) = World::start() else { return };
    let receiver = Receiver::failing("/out", "order-37\"", 503);
    let pipeline = function::PIPELINE
        .replace("stores:\n", "stores:\n  state: \"dynamodb://state\"\n")
        .replace("key: .id, data", "key: .id, once: state, data");
    let dynamodb = world.dynamodb.endpoint();
    let variables = [("RECEIVER", receiver.url.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb)];
    let Some(function) = Function::deploy_failing(&pipeline, &variables) else { return };
    let bodies: Vec<String> = (1..=100).map(order).collect();
    assert_eq!(function.invoke(&kinesis(&bodies)), from(36), "the answer names the 37th\n{}", function.rie.log());
    assert_eq!(receiver.taken("/out").len(), 99, "of other keys, they did not wait for it");

    receiver.mend();
    assert_eq!(function.invoke(&redelivered(&kinesis(&bodies), 36..)), well(), "{}", function.rie.log());
    assert_eq!(receiver.taken("/out").len(), 100, "nothing repeats");
}
