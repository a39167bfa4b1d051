//! A stream: shards of records, and what a function is sent of them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Where a record stands: the shard, and how many are before it there.
pub type Place = (usize, usize);

/// As much as an invocation's payload may have.
const MOST_BYTES: usize = 6 * 1024 * 1024;
const AROUND: usize = "{\"Records\":[]}".len();

/// A stream, with everything that will ever be put on it.
#[derive(Clone, Debug)]
pub struct Stream {
    pub name: String,
    pub shards: Vec<Shard>,
    /// How long it keeps a record.
    pub retention: Duration,
    /// What the clock of the moments below began at, in milliseconds since 1970.
    pub began_ms: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Shard {
    /// Those it was split or merged from: their records come first.
    pub parents: Vec<usize>,
    pub records: Vec<Record>,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub partition_key: String,
    pub data: Vec<u8>,
    pub arrived: Duration,
}

impl Stream {
    pub fn arn(&self) -> String {
        format!("arn:aws:kinesis:eu-central-1:123456789012:stream/{}", self.name)
    }

    pub fn shard_id(shard: usize) -> String {
        format!("shardId-{shard:012}")
    }

    /// Numbers rise within a shard, and are as long as those of AWS.
    pub fn sequence_number((shard, number): Place) -> String {
        format!("49590338271490256608559692538361571{:011}{number:010}", shard + 1)
    }

    /// Finds the record a sequence number is of.
    pub fn place_of(&self, shard: usize, sequence_number: &str) -> Option<Place> {
        let number = sequence_number.get(sequence_number.len().checked_sub(10)?..)?.parse().ok()?;
        let known = number < self.shards[shard].records.len();
        (known && Stream::sequence_number((shard, number)) == sequence_number).then_some((shard, number))
    }

    pub fn record(&self, (shard, number): Place) -> &Record {
        &self.shards[shard].records[number]
    }

    pub fn date_ms(&self, at: Duration) -> u64 {
        self.began_ms + u64::try_from(at.as_millis()).expect("no test lasts that long")
    }

    /// A record as the function is sent it, with that data.
    fn sent(&self, place: Place, data: &str) -> String {
        let Record { partition_key, arrived, .. } = self.record(place);
        let (shard, number) = (Stream::shard_id(place.0), Stream::sequence_number(place));
        let key = serde_json::to_string(partition_key).expect("a text");
        let arrived = self.date_ms(*arrived);
        format!(
            "{{\"kinesis\":{{\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":{key},\"sequenceNumber\":\"{number}\",\
             \"data\":\"{data}\",\"approximateArrivalTimestamp\":{}.{:03}}},\"eventSource\":\"aws:kinesis\",\
             \"eventVersion\":\"1.0\",\"eventID\":\"{shard}:{number}\",\"eventName\":\"aws:kinesis:record\",\
             \"invokeIdentityArn\":\"arn:aws:iam::123456789012:role/orders\",\"awsRegion\":\"eu-central-1\",\
             \"eventSourceARN\":\"{}\"}}",
            arrived / 1000,
            arrived % 1000,
            self.arn(),
        )
    }

    /// The payload of these records.
    pub fn payload(&self, places: impl IntoIterator<Item = Place>) -> String {
        let records = places.into_iter().map(|place| self.sent(place, &STANDARD.encode(&self.record(place).data)));
        format!("{{\"Records\":[{}]}}", records.collect::<Vec<_>>().join(","))
    }

    /// How many of these, from the first on, fit into one payload: one at least.
    pub fn fitting(&self, places: &[Place]) -> usize {
        let mut bytes = AROUND;
        let fits = |place: &&Place| {
            bytes += self.sent(**place, "").len() + self.record(**place).data.len().div_ceil(3) * 4 + 1;
            bytes - 1 <= MOST_BYTES
        };
        places.iter().take_while(fits).count().max(1)
    }
}
