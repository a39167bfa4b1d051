//! Any bytes in any format: never a panic, always a decision, and whoever ends in the dead letters has its bytes there.

mod common;

use std::io::Write;

use apache_avro::{Schema, Writer, types::Value as Avro, writer::datum::GenericDatumWriter};
use common::{World, run};
use flate2::{Compression, write::GzEncoder};
use fourstroke::{event::Event, pipeline::Pipeline, report::Decision};
use proptest::prelude::*;

const FORMATS: [&str; 5] = ["json", "jsonl", "csv", "cloudevents", "avro, schema: 'file:events.avsc'"];

const SCHEMA: &str = r#"{ "type": "record", "name": "R", "fields": [
    { "name": "a", "type": "string" }, { "name": "n", "type": ["null", "long"] },
    { "name": "f", "type": "double" }, { "name": "l", "type": { "type": "array", "items": ["null", "R"] } }
] }"#;

fn open(runtime: &tokio::runtime::Runtime, format: &str, fields: &str) -> Pipeline {
    let yaml = format!(
        "fourstroke: v1\nname: d\nsinks: {{ dead: 'memory:' }}\nevent: {{ format: {format}, {fields} }}\non_error: {{ to: dead }}\n"
    );
    let world = World { files: [("file:events.avsc", SCHEMA.to_owned())].into(), ..World::default() };
    runtime.block_on(world.open(&yaml)).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

thread_local! {
    static PIPELINES: (tokio::runtime::Runtime, Vec<Pipeline>) = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fields = ["fields: { a: string, n: 'integer?' }", ""];
        let pipelines = FORMATS
            .iter()
            .flat_map(|format| fields.map(|fields| open(&runtime, format, fields)))
            .collect();
        (runtime, pipelines)
    };
}

/// Runs one body through every format, with and without declared fields.
fn decide(body: &[u8], attributes: &[(&str, &str)]) -> Vec<Vec<Decision>> {
    let mut event = Event::new("p", body.to_vec());
    event.attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    PIPELINES.with(|(runtime, pipelines)| {
        let run = |pipeline| runtime.block_on(run(pipeline, vec![event.clone().into()])).decisions;
        pipelines.iter().map(run).collect()
    })
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn holds(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

/// Bytes that begin as something that is read, or hold what JSON and CloudEvents are made of.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let begin = prop::sample::select(vec![
        &b""[..],
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
        b"\x28\xb5\x2f\xfd",
        b"Obj\x01",
        b"\xc3\x01",
        b"[",
        b"{",
        b"[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":",
        b"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data_base64\":",
        b"a,n\n",
    ]);
    let some = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "[\\[\\]{}\",:a-c0-9\\\\ \n]{0,64}".prop_map(String::into_bytes),
    ];
    (begin, some).prop_map(|(begin, some)| [begin, &some].concat())
}

fn container(values: &[Avro]) -> Vec<u8> {
    let schema = Schema::parse_str(SCHEMA).unwrap();
    let mut writer = Writer::new(&schema, Vec::new()).unwrap();
    for value in values {
        writer.append_value(value.clone()).unwrap();
    }
    writer.into_inner().unwrap()
}

fn value() -> impl Strategy<Value = (Avro, String, Option<i64>, f64)> {
    (".{0,8}", any::<Option<i64>>(), prop::num::f64::NORMAL | prop::num::f64::ZERO).prop_map(|(a, n, f)| {
        let number = n.map_or(Avro::Union(0, Box::new(Avro::Null)), |n| Avro::Union(1, Box::new(Avro::Long(n))));
        let fields = [
            ("a".to_owned(), Avro::String(a.clone())),
            ("n".to_owned(), number),
            ("f".to_owned(), Avro::Double(f)),
            ("l".to_owned(), Avro::Array(vec![Avro::Union(0, Box::new(Avro::Null))])),
        ];
        (Avro::Record(fields.into()), a, n, f)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_as_a_record_or_as_poison_with_its_bytes(body in bytes(), ce in any::<bool>()) {
        let beside: &[_] = if ce { &[("ce-id", "1%"), ("ce_source", "\"s")] } else { &[] };
        for (place, decisions) in decide(&body, beside).iter().enumerate() {
            prop_assert!(!decisions.is_empty());
            for decision in decisions {
                prop_assert!(holds(&body, &decision.body), "{}: {:?}", FORMATS[place / 2], decision);
                if let (Some(error), 1) = (&decision.error, decisions.len()) {
                    let trimmed = decision.body.trim_ascii() == body.trim_ascii();
                    let header = FORMATS[place / 2] == "csv" || FORMATS[place / 2] == "jsonl" || body.trim_ascii().starts_with(b"[");
                    prop_assert!(trimmed || header, "{error}: {:?}", decision.body);
                }
            }
        }
    }

    #[test]
    fn compressed_is_decided_as_plain(body in bytes()) {
        let (plain, compressed) = (decide(&body, &[]), decide(&packed(&body), &[]));
        // Avro is not decompressed; what is compressed twice is not either.
        let twice = body.starts_with(b"\x1f\x8b") || body.starts_with(b"\x28\xb5\x2f\xfd");
        for (plain, compressed) in plain.iter().zip(&compressed).take(if twice { 0 } else { 8 }) {
            let said = |decisions: &[Decision]| -> Vec<_> {
                decisions.iter().map(|decision| (decision.error.clone(), decision.record.fields().clone())).collect()
            };
            prop_assert_eq!(said(plain), said(compressed));
        }
    }

    #[test]
    fn what_is_written_as_avro_is_read_again(values in prop::collection::vec(value(), 1..5)) {
        let schema = Schema::parse_str(SCHEMA).unwrap();
        let records: Vec<Avro> = values.iter().map(|(record, ..)| record.clone()).collect();
        let from_container = decide(&container(&records), &[]).pop().unwrap();
        let alone = records.iter().map(|record| {
            let datum = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(record.clone()).unwrap();
            decide(&datum, &[]).pop().unwrap().remove(0)
        });
        let alone: Vec<Decision> = alone.collect();
        for decisions in [&from_container, &alone] {
            prop_assert_eq!(decisions.len(), values.len());
            for (decision, (_, a, n, f)) in decisions.iter().zip(&values) {
                prop_assert!(decision.error.is_none(), "{:?}", decision.error);
                let get = |name| decision.record.get(name).unwrap();
                prop_assert_eq!(get("a").to_str().unwrap(), a.as_str());
                prop_assert_eq!(get("n").as_integer(), *n);
                prop_assert_eq!(get("f").as_float().unwrap().into_inner(), *f);
            }
        }
    }

    #[test]
    fn a_damaged_container_never_panics(
        values in prop::collection::vec(value(), 1..5), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let records: Vec<Avro> = values.iter().map(|(record, ..)| record.clone()).collect();
        let mut body = container(&records);
        let place = at.index(body.len());
        body[place] = byte;
        if cut {
            body.truncate(place);
        }
        for decisions in decide(&body, &[]) {
            prop_assert!(decisions.iter().all(|decision| holds(&body, &decision.body)) && !decisions.is_empty());
            let panicked = decisions.iter().filter_map(|decision| decision.error.as_ref());
            prop_assert!(panicked.into_iter().all(|error| !error.reason.contains("panicked")));
        }
    }
}
