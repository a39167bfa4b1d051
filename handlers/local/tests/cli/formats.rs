//! Formats of events, end to end: a file of CloudEvents, plain and compressed, and a pipeline of Avro records.

use serde_json::json;

use crate::support::{PIPELINE, World};

/// The small pipeline's orders as data of CloudEvents; the second has no id.
const ORDERS: &str = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order","time":"2013-10-01T00:00:00Z","partitionkey":"ada","data":{"id":"x1","customer":"ada","amount":20}}
{"specversion":"1.0","source":"/shop","type":"order","data":{"id":"x2","customer":"ada","amount":20}}
{"specversion":"1.0","id":"3","source":"/shop","type":"other","data":{"id":"x3","customer":"ada","amount":20}}
"#;

fn cloudevents() -> World {
    let world = World::small();
    let pipeline = PIPELINE
        .replace("  id: .id\n  key: .customer\n", "  format: cloudevents\n")
        .replace(".who.level > 1 &&", ".who.level > 1 && %attributes.type == \"order\" &&")
        .replace(r#"{ id: "1", customer: ada, amount: 20 }"#, ORDERS.lines().next().unwrap())
        .replace(r#"{ id: "2", customer: ada, amount: 1 }"#, ORDERS.lines().nth(2).unwrap())
        .replace(r#"order: "1""#, r#"order: "x1""#);
    world.write("pipeline.yaml", pipeline);
    world.write("orders.jsonl", ORDERS);
    world
}

#[test]
fn a_file_of_cloudevents_is_decided() {
    let world = cloudevents();
    world.write("more.jsonl.zst", zstd::encode_all(ORDERS.as_bytes(), 3).unwrap());
    for input in ["orders.jsonl", "more.jsonl.zst"] {
        let _ = std::fs::remove_dir_all(world.path("out"));
        let ended = world.run(&["run", "pipeline.yaml", "--input", input]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, "{\"level\":2,\"order\":\"x1\"}\n"), "{ended:?}");
        let log = world.lines("out/decisions.jsonl");
        let ends: Vec<_> = log.iter().map(|entry| (&entry["event_id"], &entry["disposition"])).collect();
        let second = format!("{input}:2");
        assert_eq!(json!(ends), json!([["/shop/1", "acted"], [second, "dead-lettered"], ["/shop/3", "passed"]]));
        assert_eq!((&log[0]["key"], &log[0]["event_time"]), (&json!("ada"), &json!("2013-10-01T00:00:00.000Z")));
        let letter = &world.lines("out/dead.jsonl")[0];
        assert_eq!((&letter["code"], &letter["reason"]), (&json!("FS-D001"), &json!("the CloudEvent has no `id`")));
    }
    let tested = world.run(&["test", "pipeline.yaml"]);
    assert_eq!(tested.code, 0, "{tested:?}");
}

#[test]
fn avro_is_tested_from_json_and_its_schema_is_validated() {
    let world = World::small();
    let schema = r#"{ "type": "record", "name": "Order", "fields": [
        { "name": "id", "type": "string" }, { "name": "customer", "type": "string" }, { "name": "amount", "type": "double" }
    ] }"#;
    world.write("order.avsc", schema);
    let avro = PIPELINE
        .replace("sources: { orders: \"file:orders.jsonl\" }\n", "")
        .replace("event:\n", "event:\n  format: avro\n  schema: file:order.avsc\n");
    world.write("pipeline.yaml", &avro);
    assert_eq!(world.run(&["test", "pipeline.yaml"]).code, 0);
    world.write("pipeline.yaml", avro.replace("amount: float }", "amuont: float }"));
    let ended = world.run(&["validate", "pipeline.yaml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    for part in ["the schema has no field `amuont`", "did you mean `amount`?", "pipeline.yaml:11:"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    world.write("pipeline.yaml", avro.replace("file:order.avsc", "file:odrer.avsc"));
    let ended = world.run(&["validate", "pipeline.yaml"]);
    assert!(ended.stderr.contains("`event.schema`") && ended.stderr.contains("does not exist"), "{ended:?}");
}

#[test]
fn bodies_are_explained_as_they_come_in_avro_and_compressed() {
    let world = World::small();
    let explained = |body: &[u8]| {
        world.write("body", body);
        let ended = world.run(&["explain", "pipeline.yaml", "--event", "body", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let event = &ended.json()["events"][0];
        (event["transform"]["decoded"].clone(), event["disposition"].clone())
    };
    let order = json!({ "id": "1", "customer": "ada", "amount": 20.0 });
    let packed = zstd::encode_all(order.to_string().as_bytes(), 3).unwrap();
    assert_eq!(explained(&packed), (order.clone(), json!("acted")));

    let schema = r#"{ "type": "record", "name": "Order", "fields": [
        { "name": "id", "type": "string" }, { "name": "customer", "type": "string" }, { "name": "amount", "type": "double" }
    ] }"#;
    world.write("order.avsc", schema);
    world.write("pipeline.yaml", PIPELINE.replace("event:\n", "event:\n  format: avro\n  schema: file:order.avsc\n"));
    let record = [&b"\x021\x06ada"[..], &20.0_f64.to_le_bytes()].concat();
    assert_eq!(explained(&record), (order, json!("acted")));
}
