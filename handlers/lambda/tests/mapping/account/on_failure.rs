//! What the on-failure destination was told of.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::model::{Place, Stream};

/// The records that these documents are about: those S3 got byte for byte, or those between two places in the stream.
pub fn places(documents: &[Value], stream: &Stream) -> HashSet<Place> {
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
        // Where there are more between them, nobody knows which of those were in the batch: none counts.
        if info["batchSize"] == last.1 + 1 - first.1 {
            all.extend((first.1..=last.1).map(|number| (shard, number)));
        }
    }
    all
}
