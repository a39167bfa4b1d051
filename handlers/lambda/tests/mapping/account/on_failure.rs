//! What the on-failure destination was told of.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::model::{Place, Settings, Stream, lane_of};

/// The records that these documents are about: those S3 got byte for byte, or those between two places in the stream.
pub fn places(documents: &[Value], stream: &Stream, settings: &Settings) -> HashSet<Place> {
    let mut all = HashSet::new();
    for document in documents {
        let info = &document["KinesisBatchInfo"];
        let shard = (0..stream.shards.len()).find(|shard| info["shardId"] == Stream::shard_id(*shard)).unwrap();
        let place = |number: &Value| stream.place_of(shard, number.as_str().unwrap()).unwrap();
        if let Some(records) = document["payload"]["Records"].as_array() {
            all.extend(records.iter().filter_map(|record| {
                let place = place(&record["kinesis"]["sequenceNumber"]);
                let data = STANDARD.decode(record["kinesis"]["data"].as_str()?).ok()?;
                (data == stream.record(place).data).then_some(place)
            }));
            continue;
        }
        let (first, last) = (place(&info["startSequenceNumber"]), place(&info["endSequenceNumber"]));
        let lane = |place: Place| lane_of(&stream.record(place).partition_key, settings.parallelization_factor);
        let between = (first.1..=last.1).map(|number| (shard, number)).filter(|place| lane(*place) == lane(first));
        let between: Vec<Place> = between.collect();
        // Where there are more, nobody knows which of them were in the batch: none counts.
        if info["batchSize"] == between.len() {
            all.extend(between);
        }
    }
    all
}
