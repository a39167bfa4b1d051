//! What it costs to take Lambda's payload of a Kinesis shard apart: records of 775 bytes, beside copying the payload, and beside
//! `aws_lambda_events`, by whose types handlers usually read it. Processor time of one thread; ratios are what compares.

use aws_lambda_events::kinesis::KinesisEvent;
use bytes::Bytes;
use fourstroke::ports::{Payload, Trigger};
use fourstroke_adapters::kinesis::KinesisTrigger;
use fourstroke_bench::{kinesis_payload, thread_time};

/// Of one record's data, so that the record is 775 bytes of the payload.
const BODY: usize = 171;
/// Records of one measurement.
const RECORDS: usize = 200_000;
/// The median of so many measurements, in turns, is told.
const ROUNDS: usize = 9;

fn main() {
    println!("| batch | ns a record | copying | aws_lambda_events | times copying | share of aws_lambda_events |");
    println!("|---|---|---|---|---|---|");
    for size in [1, 100, 1_000, 7_000] {
        let payload = Bytes::from(kinesis_payload(size, BODY));
        assert!((770..=780).contains(&(payload.len() / size)) || size == 1, "{} bytes a record", payload.len() / size);
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            times[0].push(each(size, || {
                let payload = Payload { body: payload.clone(), attributes: Vec::new() };
                KinesisTrigger.decode(payload).expect("a payload").len()
            }));
            times[1].push(each(size, || std::hint::black_box(payload.to_vec()).len()));
            times[2].push(each(size, || {
                let event: KinesisEvent = serde_json::from_slice(&payload).expect("a payload");
                event.records.len()
            }));
        }
        let [ours, copied, theirs] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!("| {size} | {ours:.0} | {copied:.0} | {theirs:.0} | {:.1} | {:.2} |", ours / copied, ours / theirs);
    }
}

/// Nanoseconds a record.
fn each(size: usize, mut take_apart: impl FnMut() -> usize) -> f64 {
    let before = thread_time();
    for _ in 0..RECORDS / size {
        std::hint::black_box(take_apart());
    }
    (thread_time() - before).as_nanos() as f64 / (RECORDS / size * size) as f64
}
