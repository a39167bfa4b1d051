//! Compressed bodies: read as what is in them, bounded, and kept as they were delivered.

mod common;

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{World, bodies, run};
use flate2::{Compression, write::GzEncoder};
use fourstroke::event::Event;
use serde_json::{Value, json};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd_of(plain: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Runs one body; gives each event's field `a`, or its code, reason and the bytes in its dead letter.
async fn read(format: &str, body: Vec<u8>) -> Vec<Value> {
    let yaml = format!(
        "fourstroke: v1\nname: d\nsinks: {{ dead: 'memory:' }}\nevent: {{ format: {format}, fields: {{ a: integer }} }}\non_error: {{ to: dead }}\n"
    );
    let world = World::default();
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![Event::new("p", body).into()]).await;
    let mut letters = bodies(&world.dead).into_iter();
    let seen = report.decisions.iter().map(|decision| match &decision.error {
        None => json!(decision.record.get("a").unwrap().as_integer()),
        Some(error) => json!([error.code.as_str(), error.reason, letters.next().unwrap()["body_base64"]]),
    });
    seen.collect()
}

fn cloudevent(id: u8) -> String {
    json!({ "specversion": "1.0", "id": id.to_string(), "source": "s", "type": "t", "data": { "a": id } }).to_string()
}

#[tokio::test]
async fn every_text_format_may_be_compressed() {
    for pack in [gzip, zstd_of] {
        assert_eq!(read("json", pack(b"{\"a\": 1}")).await, [1]);
        assert_eq!(read("jsonl", pack(b"{\"a\": 1}\n{\"a\": 2}\n")).await, [1, 2]);
        assert_eq!(read("csv", pack(b"a\n1\n2\n")).await, [1, 2]);
        assert_eq!(read("cloudevents", pack(cloudevent(3).as_bytes())).await, [3]);
        assert_eq!(
            read("cloudevents", pack(format!("[{},{}]", cloudevent(3), cloudevent(4)).as_bytes())).await,
            [3, 4]
        );
        let members = [pack(b"{\"a\": 1}\n{\"a\""), pack(b""), pack(b": 2}")].concat();
        assert_eq!(read("jsonl", members).await, [1, 2], "members one behind the other are one text");
    }
}

#[tokio::test]
async fn a_dead_letter_has_the_body_as_delivered_or_the_events_own_line() {
    for pack in [gzip, zstd_of] {
        let whole = pack(b"{\"a\": \"x\"}");
        assert_eq!(read("json", whole.clone()).await[0][2], STANDARD.encode(&whole));
        let lines = read("jsonl", pack(b"{\"a\": 1}\n{\"a\": \"x\"}\n")).await;
        assert_eq!(lines[1][2], STANDARD.encode(b"{\"a\": \"x\"}"));
    }
}

#[tokio::test]
async fn what_is_damaged_or_too_large_is_poison_with_its_bytes() {
    let plain: Vec<u8> = (0..2000).flat_map(|n| format!("{{\"a\": {n}}}\n").into_bytes()).collect();
    for pack in [gzip, zstd_of] {
        let good = pack(&plain);
        let cut = good[..good.len() - 3].to_vec();
        let mut checksum = good.clone();
        *checksum.iter_mut().rev().nth(if good[0] == 0x1f { 5 } else { 1 }).unwrap() ^= 1;
        let garbage = [&good[..], b"garbage"].concat();
        for body in [cut, checksum, garbage, good[..4].to_vec()] {
            let seen = read("jsonl", body.clone()).await;
            assert_eq!(seen.len(), 1);
            assert_eq!((&seen[0][0], &seen[0][2]), (&json!("FS-D001"), &json!(STANDARD.encode(&body))), "{seen:?}");
            assert!(seen[0][1].as_str().unwrap().contains("cannot be decompressed"), "{seen:?}");
        }
        let bomb = pack(&vec![b' '; 64 << 20]);
        let seen = read("jsonl", bomb.clone()).await;
        assert_eq!((&seen[0][0], &seen[0][2]), (&json!("FS-D004"), &json!(STANDARD.encode(&bomb))));
    }
    assert_eq!(read("csv", gzip(&b"1\n".repeat(300_000))).await[0][0], "FS-D004", "so many events are too many");
}

/// A frame says how much memory reading it takes: 128 MiB here, for three bytes.
#[tokio::test]
async fn a_zstd_frame_does_not_choose_its_memory() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(b"{}\n").unwrap();
    let seen = read("jsonl", encoder.finish().unwrap()).await;
    assert_eq!(seen[0][0], "FS-D001");
    assert!(seen[0][1].as_str().unwrap().contains("memory"), "{seen:?}");
}
