//! Avro in its three shapes: what its types become, what a schema and `event.fields` must agree on, and what each refusal
//! says.

mod common;

use std::collections::HashMap;

use apache_avro::{
    Codec, Decimal, DeflateSettings, Schema, Writer, rabin::Rabin, types::Value as Avro,
    writer::datum::GenericDatumWriter,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::{World, bodies, run};
use fourstroke::{event::Event, pipeline::Pipeline, types::timestamp};
use serde_json::{Value, json};

fn world(schema: &str) -> World {
    World { files: [("file:events.avsc", schema.to_owned())].into(), ..World::default() }
}

fn yaml(section: &str) -> String {
    format!(
        "fourstroke: v1\nname: d\nsinks: {{ out: 'memory:', dead: 'memory:' }}\n\
         event: {{ format: avro, schema: 'file:events.avsc', {section} }}\n\
         act: {{ rules: [{{ name: tell, to: out }}] }}\non_error: {{ to: dead }}\n"
    )
}

async fn pipeline(world: &World, section: &str) -> Pipeline {
    world.open(&yaml(section)).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Runs one body; gives each event's fields, or its code, reason and the bytes in its dead letter.
async fn read(schema: &str, section: &str, body: Vec<u8>) -> Vec<Value> {
    let world = world(schema);
    let report = run(&pipeline(&world, section).await, vec![Event::new("p", body).into()]).await;
    let (mut told, mut letters) = (bodies(&world.out).into_iter(), bodies(&world.dead).into_iter());
    let seen = report.decisions.iter().map(|decision| match &decision.error {
        None => told.next().unwrap(),
        Some(error) => json!([error.code.as_str(), error.reason, letters.next().unwrap()["body_base64"]]),
    });
    seen.collect()
}

fn record(fields: &[(&str, Avro)]) -> Avro {
    Avro::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn encode(schema: &Schema, value: Avro) -> Vec<u8> {
    GenericDatumWriter::builder(schema).build().unwrap().write_value_to_vec(value).unwrap()
}

fn datum(schema: &str, value: Avro) -> Vec<u8> {
    let schema = Schema::parse_str(schema).unwrap();
    encode(&schema, value.resolve(&schema).unwrap())
}

const RIDE: &str = r#"{ "type": "record", "name": "Ride", "fields": [
    { "name": "id", "type": "string" },
    { "name": "fare", "type": ["null", "double"], "default": null },
    { "name": "seats", "type": "int", "default": 4 }
] }"#;

fn ride(id: &str, fare: Option<f64>, seats: i32) -> Avro {
    let fare = fare.map_or(Avro::Union(0, Box::new(Avro::Null)), |fare| Avro::Union(1, Box::new(Avro::Double(fare))));
    record(&[("id", Avro::String(id.to_owned())), ("fare", fare), ("seats", Avro::Int(seats))])
}

const EVERYTHING: &str = r#"{ "type": "record", "name": "Everything", "namespace": "a.b", "fields": [
    { "name": "flag", "type": "boolean" }, { "name": "i", "type": "int" }, { "name": "l", "type": "long" },
    { "name": "f", "type": "float" }, { "name": "d", "type": "double" },
    { "name": "raw", "type": "bytes" }, { "name": "fix", "type": { "type": "fixed", "name": "Fix", "size": 3 } },
    { "name": "suit", "type": { "type": "enum", "name": "Suit", "symbols": ["HEARTS", "SPADES"] } },
    { "name": "list", "type": { "type": "array", "items": ["null", "Suit"] } },
    { "name": "map", "type": { "type": "map", "values": "long" } },
    { "name": "at", "type": { "type": "long", "logicalType": "timestamp-millis" } },
    { "name": "micros", "type": ["null", { "type": "long", "logicalType": "timestamp-micros" }] },
    { "name": "day", "type": { "type": "int", "logicalType": "date" } },
    { "name": "time", "type": { "type": "int", "logicalType": "time-millis" } },
    { "name": "uuid", "type": { "type": "string", "logicalType": "uuid" } },
    { "name": "price", "type": { "type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2 } },
    { "name": "next", "type": ["null", { "type": "record", "name": "Node", "fields": [
        { "name": "at", "type": { "type": "long", "logicalType": "timestamp-millis" } },
        { "name": "next", "type": ["null", "Node"] } ] }] },
    { "name": "either", "type": ["null", "long", "string"] }
] }"#;

fn everything() -> Vec<u8> {
    let some = |place, value| Avro::Union(place, Box::new(value));
    let node = |next| record(&[("at", Avro::TimestampMillis(0)), ("next", next)]);
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    let values = record(&[
        ("flag", Avro::Boolean(true)),
        ("i", Avro::Int(-7)),
        ("l", Avro::Long(i64::MIN)),
        ("f", Avro::Float(0.5)),
        ("d", Avro::Double(-1e300)),
        ("raw", Avro::Bytes(vec![0xff, 0])),
        ("fix", Avro::Fixed(3, vec![1, 2, 3])),
        ("suit", Avro::Enum(1, "SPADES".to_owned())),
        ("list", Avro::Array(vec![some(0, Avro::Null), some(1, Avro::Enum(0, "HEARTS".to_owned()))])),
        ("map", Avro::Map(HashMap::from([("k".to_owned(), Avro::Long(1 << 40))]))),
        ("at", Avro::TimestampMillis(1_380_585_600_500)),
        ("micros", some(1, Avro::TimestampMicros(-1))),
        ("day", Avro::Date(-1)),
        ("time", Avro::TimeMillis(86_399_999)),
        ("uuid", Avro::Uuid(uuid.parse().unwrap())),
        ("price", Avro::Decimal(Decimal::from((-5i32).to_be_bytes()))),
        ("next", some(1, node(some(1, node(some(0, Avro::Null)))))),
        ("either", some(2, Avro::String("é".to_owned()))),
    ]);
    let schema = Schema::parse_str(EVERYTHING).unwrap();
    encode(&schema, values)
}

#[tokio::test]
async fn every_type_becomes_what_expressions_know() {
    let at = "1970-01-01T00:00:00Z";
    let expected = json!({
        "flag": true, "i": -7, "l": i64::MIN, "f": 0.5, "d": -1e300, "raw": "/wA=", "fix": "AQID", "suit": "SPADES",
        "list": [null, "HEARTS"], "map": { "k": 1u64 << 40 }, "at": "2013-10-01T00:00:00.500Z",
        "micros": "1969-12-31T23:59:59.999999Z", "day": "1969-12-31", "time": 86_399_999,
        "uuid": "550e8400-e29b-41d4-a716-446655440000", "price": "-0.05",
        "next": { "at": at, "next": { "at": at, "next": null } }, "either": "é"
    });
    assert_eq!(read(EVERYTHING, "", everything()).await, [expected]);
    let some = read(EVERYTHING, "fields: { day: timestamp?, i: float, at: timestamp }", everything()).await;
    assert_eq!(some[0][0], "FS-D003", "a date is text, and no moment: {some:?}");
    let some = read(EVERYTHING, "fields: { i: float, l: 'integer?', either: string }", everything()).await;
    assert_eq!(some, [json!({ "i": -7.0, "l": i64::MIN, "either": "é" })], "only what is declared is kept");
}

#[tokio::test]
async fn expressions_are_typed_by_the_schema() {
    let world = world(EVERYTHING);
    let typed = yaml("time: .at, key: .suit").replace("act:", "transform: '.sum = .i + .l + 0'\nact:");
    let pipeline = world.open(&typed).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![Event::new("p", everything()).into()]).await;
    let facts = report.decisions[0].record.facts();
    assert_eq!((facts.time, facts.key.as_deref()), (timestamp(&"2013-10-01T00:00:00.5Z".into()), Some("SPADES")));
    let wrong = world.open(&yaml("key: .siut")).await.expect_err("a mistake").to_string();
    assert!(wrong.contains("did you mean `suit`"), "{wrong}");
}

#[tokio::test]
async fn schema_and_fields_must_agree() {
    for (schema, section, found) in [
        (RIDE, "fields: { fair: float }", "the schema has no field `fair`\n"),
        (RIDE, "fields: { fair: float }", "did you mean `fare`"),
        (RIDE, "fields: { id: integer }", "`id` is declared as integer, and is string in the schema"),
        (RIDE, "fields: { fare: integer }", "`fare` is declared as integer, and is float? in the schema"),
        (RIDE, "fields: { seats: string }", "declare it as integer"),
        ("\"long\"", "", "`event.schema`: its top must be a record"),
        ("{", "", "`event.schema`: "),
    ] {
        let shown = world(schema).open(&yaml(section)).await.expect_err(section).to_string();
        assert!(shown.contains(found.trim()), "{section}: {shown}");
    }
    for (from, to, found) in [
        (", schema: 'file:events.avsc'", "", "`event` has no `schema`"),
        ("format: avro", "format: json", "means something with `format: avro` alone"),
        ("'file:events.avsc'", "events.avsc", "has no scheme"),
    ] {
        let shown = world(RIDE).open(&yaml("").replace(from, to)).await.expect_err(found).to_string();
        assert!(shown.contains(found), "{shown}");
    }
}

#[tokio::test]
async fn a_fingerprint_before_the_record_must_be_of_its_schema() {
    let plain = datum(RIDE, ride("r1", Some(7.5), 2));
    let expected = json!({ "id": "r1", "fare": 7.5, "seats": 2 });
    let fingerprint = Schema::parse_str(RIDE).unwrap().fingerprint::<Rabin>().bytes;
    let ours = [&b"\xc3\x01"[..], &fingerprint, &plain].concat();
    assert_eq!(read(RIDE, "", ours).await, [expected]);
    let other = [&b"\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08"[..], &plain].concat();
    let seen = read(RIDE, "", other.clone()).await;
    assert_eq!(
        seen[0],
        json!([
            "FS-D001",
            "the body is of another schema, whose fingerprint is 0807060504030201",
            STANDARD.encode(other)
        ])
    );
    let number = r#"{ "type": "record", "name": "N", "fields": [{ "name": "n", "type": "long" }] }"#;
    let by_chance = datum(number, record(&[("n", Avro::Long(-98))]));
    assert_eq!(
        (&by_chance[..], read(number, "", by_chance.clone()).await),
        (&b"\xc3\x01"[..], vec![json!({ "n": -98 })])
    );
}

fn container(schema: &str, codec: Codec, records: &[Avro]) -> Vec<u8> {
    let schema = Schema::parse_str(schema).unwrap();
    let mut writer = Writer::with_codec(&schema, Vec::new(), codec).unwrap();
    for record in records {
        writer.append_value(record.clone()).unwrap();
    }
    writer.into_inner().unwrap()
}

/// A container made by hand.
fn by_hand(schema: &str, codec: &str, count: i64, block: &[u8]) -> Vec<u8> {
    let text = |bytes: &[u8]| [long(bytes.len() as i64), bytes.to_vec()].concat();
    let header = [text(b"avro.schema"), text(schema.as_bytes()), text(b"avro.codec"), text(codec.as_bytes())].concat();
    [b"Obj\x01", &long(2)[..], &header, &long(0), &[7; 16], &long(count), &text(block), &[7; 16]].concat()
}

fn long(number: i64) -> Vec<u8> {
    encode(&Schema::Long, Avro::Long(number))
}

#[tokio::test]
async fn a_container_is_an_event_per_record() {
    let rides: Vec<Avro> = (0..50).map(|place| ride(&format!("r{place}"), None, place)).collect();
    let block: Vec<u8> = rides.iter().flat_map(|ride| datum(RIDE, ride.clone())).collect();
    for body in [
        container(RIDE, Codec::Null, &rides),
        container(RIDE, Codec::Deflate(DeflateSettings::default()), &rides),
        by_hand(RIDE, "zstandard", 50, &zstd::encode_all(&block[..], 3).unwrap()),
    ] {
        let seen = read(RIDE, "", body).await;
        assert_eq!((seen.len(), &seen[49]), (50, &json!({ "id": "r49", "fare": null, "seats": 49 })));
    }
    let rides = [ride("a", Some(1.0), 1), ride("b", None, 1), ride("c", Some(2.0), 1)];
    let seen = read(RIDE, "fields: { id: string, fare: float }", container(RIDE, Codec::Null, &rides)).await;
    assert_eq!((&seen[0]["id"], &seen[2]["id"]), (&json!("a"), &json!("c")), "a bad one does not fail the others");
    assert_eq!((&seen[1][0], &seen[1][2]), (&json!("FS-D002"), &json!(STANDARD.encode(datum(RIDE, rides[1].clone())))));
}

#[tokio::test]
async fn the_writers_schema_is_resolved_against_ours() {
    let written = r#"{ "type": "record", "name": "Ride", "fields": [
        { "name": "gone", "type": { "type": "map", "values": { "type": "array", "items": "string" } } },
        { "name": "number", "type": "string" },
        { "name": "fare", "type": "int" },
        { "name": "suit", "type": { "type": "enum", "name": "Suit", "symbols": ["STARS", "SPADES"] } }
    ] }"#;
    let ours = r#"{ "type": "record", "name": "Ride", "fields": [
        { "name": "suit", "type": { "type": "enum", "name": "Suit", "symbols": ["SPADES", "NONE"], "default": "NONE" } },
        { "name": "id", "type": "string", "aliases": ["number"] },
        { "name": "fare", "type": ["null", "double"] },
        { "name": "tags", "type": { "type": "array", "items": "string" }, "default": ["new"] },
        { "name": "raw", "type": ["bytes", "null"], "default": "\u00ff" },
        { "name": "when", "type": { "type": "long", "logicalType": "timestamp-millis" }, "default": 0 }
    ] }"#;
    let gone = Avro::Map(HashMap::from([("x".to_owned(), Avro::Array(vec![Avro::String("y".to_owned())]))]));
    let values = [
        ("gone", gone),
        ("number", Avro::String("r1".to_owned())),
        ("fare", Avro::Int(7)),
        ("suit", Avro::Enum(0, "STARS".to_owned())),
    ];
    let body = container(written, Codec::Null, &[record(&values)]);
    let expected = json!({
        "suit": "NONE", "id": "r1", "fare": 7.0, "tags": ["new"], "raw": "/w==", "when": "1970-01-01T00:00:00Z"
    });
    assert_eq!(read(ours, "", body.clone()).await, [expected]);
    let without = ours.replace(", \"default\": 0", "");
    let seen = read(&without, "", body.clone()).await;
    assert!(seen[0][1].as_str().unwrap().contains("has no field `when`, and it has no default"), "{seen:?}");
    assert_eq!(read(&without, "fields: { id: string }", body).await, [json!({ "id": "r1" })], "nothing else is needed");
}

#[tokio::test]
async fn a_damaged_container_is_poison_as_a_whole() {
    let good = container(RIDE, Codec::Null, &[ride("a", None, 1), ride("b", None, 2)]);
    let one = datum(RIDE, ride("a", None, 1));
    let bomb = zstd::encode_all(&vec![0; 64 << 20][..], 3).unwrap();
    let nothing = r#"{ "type": "record", "name": "N", "fields": [{ "name": "n", "type": "null" }] }"#;
    let mut sync = good.clone();
    *sync.last_mut().unwrap() ^= 1;
    for (schema, body, code, reason) in [
        (RIDE, good[..good.len() - 1].to_vec(), "FS-D001", "ends early"),
        (RIDE, sync, "FS-D001", "do not end as its header says"),
        (RIDE, b"Obj\x01\x00".to_vec(), "FS-D001", "has no `avro.schema`"),
        (RIDE, by_hand("{", "null", 0, b""), "FS-D001", "the container's schema"),
        (RIDE, by_hand("\"long\"", "null", 0, b""), "FS-D001", "must be a record"),
        (RIDE, by_hand(RIDE, "snappy", 1, &one), "FS-D001", "`snappy` is not read"),
        (RIDE, by_hand(RIDE, "deflate", 1, &one), "FS-D001", "cannot be decompressed"),
        (RIDE, by_hand(RIDE, "zstandard", 1, &bomb), "FS-D004", "the container holds more than"),
        (RIDE, by_hand(RIDE, "null", 2, &one), "FS-D001", "ends early"),
        (RIDE, by_hand(RIDE, "null", 1, &one.repeat(2)), "FS-D001", "goes on behind its last record"),
        (RIDE, by_hand(RIDE, "null", -1, &one), "FS-D001", "cannot be a length"),
        (RIDE, by_hand(RIDE, "null", i64::MAX, &one), "FS-D001", "records in 4 bytes"),
        (nothing, by_hand(nothing, "null", i64::MAX, b""), "FS-D001", "records in 0 bytes"),
        (RIDE, by_hand(RIDE, "null", 0, b""), "FS-D001", "the body is empty"),
    ] {
        let seen = read(schema, "", body.clone()).await;
        assert_eq!(
            (seen.len(), &seen[0][0], &seen[0][2]),
            (1, &json!(code), &json!(STANDARD.encode(&body))),
            "{seen:?}"
        );
        assert!(seen[0][1].as_str().unwrap().contains(reason), "{reason}: {seen:?}");
    }
}

const LIST: &str = r#"{ "type": "record", "name": "List", "fields": [
    { "name": "next", "type": ["null", "List"] },
    { "name": "text", "type": "string" },
    { "name": "nulls", "type": { "type": "array", "items": { "type": "array", "items": "null" } } },
    { "name": "map", "type": { "type": "map", "values": { "type": "record", "name": "Empty", "fields": [] } } },
    { "name": "x", "type": "float" },
    { "name": "suit", "type": { "type": "enum", "name": "Suit", "symbols": ["A"] } }
] }"#;

/// Also run by the test below, in a process with little memory.
#[tokio::test]
async fn hostile_bytes_are_poison() {
    let huge = long(i64::MAX);
    let good = [&[0, 0, 0, 0][..], &1f32.to_le_bytes(), &[0]].concat();
    let nan = [&[0, 0, 0, 0][..], &f32::NAN.to_le_bytes(), &[0]].concat();
    let infinite = [&[0, 0, 0, 0][..], &f32::INFINITY.to_le_bytes(), &[0]].concat();
    assert_eq!(read(LIST, "fields: { x: float }", good.clone()).await, [json!({ "x": 1.0 })]);
    assert_eq!(read(LIST, "fields: { x: 'float?' }", nan.clone()).await, [json!({ "x": null })]);
    for (body, code, reason) in [
        (vec![], "FS-D001", "ends early"),
        ([&good[..], &[0]].concat(), "FS-D001", "1 bytes stand behind the record"),
        (nan, "FS-D002", "`x` is null or NaN"),
        (infinite, "FS-D001", "infinite"),
        (vec![2; 1 << 20], "FS-D004", "nested deeper than 64"),
        (vec![4], "FS-D001", "the union has no branch 2"),
        (vec![1], "FS-D001", "the union has no branch -1"),
        ([&[0][..], &huge].concat(), "FS-D001", "ends early"),
        ([0, 1].to_vec(), "FS-D001", "-1 cannot be a length"),
        ([0, 4, 0xff, 0xff].to_vec(), "FS-D001", "ends early"),
        ([&[0, 4, 0xff, 0xff][..], &good[2..]].concat(), "FS-D001", "not UTF-8"),
        ([&[0, 0, 2][..], &huge].concat(), "FS-D004", "far more values than bytes"),
        ([&[0, 0][..], &huge].concat(), "FS-D001", "ends early"),
        ([&[0, 0][..], &long(i64::MIN), &long(i64::MAX)].concat(), "FS-D001", "ends early"),
        ([&[0, 0][..], &long(-5), &long(-5)].concat(), "FS-D001", "-5 cannot be a length"),
        ([&[0, 0, 0][..], &huge, &[0; 1000]].concat(), "FS-D001", "ends early"),
        (vec![0xff; 64], "FS-D001", "more than 64 bits"),
        ([&good[..8], &[2]].concat(), "FS-D001", "there is no symbol 1"),
    ] {
        let seen = read(LIST, "fields: { x: float, text: string }", body.clone()).await;
        assert_eq!((seen.len(), &seen[0][0]), (1, &json!(code)), "{reason}: {seen:?}");
        assert!(seen[0][1].as_str().unwrap().contains(reason), "{reason}: {seen:?}");
        assert_eq!(seen[0][2], STANDARD.encode(&body));
    }
    // Nulls take no bytes: a few of them in each of many arrays would fill the memory all the same.
    let nulls: Vec<u8> = [&[0, 0][..], &long(1 << 21), &[long(4000), long(0)].concat().repeat(1 << 21)].concat();
    assert_eq!(read(LIST, "", nulls).await[0][0], "FS-D004");
    // A writer's schema whose types refer to each other so deep that following them would overflow the stack.
    let types: Vec<String> = (0..3000)
        .map(|place| {
            let inner = if place == 0 { "\"long\"".to_owned() } else { format!("\"n{}.T\"", place - 1) };
            let fields = format!(r#"[{{"name":"next","type":{inner}}}]"#);
            format!(r#"{{"name":"f{place}","type":{{"type":"record","name":"n{place}.T","fields":{fields}}}}}"#)
        })
        .collect();
    let ours = r#"{ "type": "record", "name": "R", "fields": [{ "name": "f2999", "type": { "type": "record", "name": "T",
        "fields": [{ "name": "next", "type": ["null", "T"] }] } }] }"#;
    let written = format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, types.join(","));
    let seen = read(ours, "", by_hand(&written, "null", 1, &[0; 3000])).await;
    assert!(seen[0][1].as_str().unwrap().contains("nested deeper than 64"), "{}", seen[0][1]);
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_bytes_take_little_memory() {
    let itself = std::env::current_exe().unwrap();
    let limited = "ulimit -v 2000000 && exec \"$0\" --exact hostile_bytes_are_poison --test-threads=1";
    let ended = std::process::Command::new("bash").arg("-c").arg(limited).arg(itself).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test]
async fn a_body_said_to_be_json_is_read_as_such() {
    let world = world(RIDE);
    let mut event = Event::new("p", r#"{ "id": "r1", "seats": 3 }"#);
    event.attributes.push(("content-type".into(), "application/json".into()));
    run(&pipeline(&world, "").await, vec![event.into()]).await;
    assert_eq!(bodies(&world.out), [json!({ "id": "r1", "fare": null, "seats": 3 })]);
}
