//! Records in which the Kinesis Producer Library packed several:
//! [the format](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md).

use bytes::Bytes;
use bytestring::ByteString;
use md5::{Digest, Md5};
use prost::Message;

/// What an aggregated record begins with. It ends with the MD5 of what is between.
const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const DIGEST: usize = 16;

/// The most records in one: of real ones far fewer fit into a record of Kinesis, of empty ones half a million.
const MOST: usize = 200_000;
/// The most of them that may be bad. Beyond, the whole record is what is bad: a dead letter for each would be a flood.
const MOST_BAD: usize = 1_000;

#[derive(Message)]
struct AggregatedRecord {
    // As bytes these are slices of the record; as strings each would be copied.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    partition_key_table: Vec<Bytes>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<Record>,
}

#[derive(Message)]
struct Record {
    // Required by the format: one that is missing is a mistake, not a zero.
    #[prost(uint64, optional, tag = "1")]
    partition_key_index: Option<u64>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    data: Option<Bytes>,
}

/// One of the records in an aggregated one.
pub(super) struct Part {
    /// Its own partition key, or why it has none.
    pub key: Result<ByteString, String>,
    /// A slice of the record.
    pub data: Bytes,
}

/// Takes an aggregated record apart; nothing: it is an ordinary one.
///
/// As in the Kinesis Client Library it is ordinary unless its digest is right: any bytes may begin like one.
///
/// # Errors
/// It is an aggregated record, but cannot be taken apart.
pub(super) fn take_apart(record: &Bytes) -> Option<Result<Vec<Part>, String>> {
    let packed = record.strip_prefix(&MAGIC)?;
    let (message, digest) = packed.split_at_checked(packed.len().checked_sub(DIGEST)?)?;
    if Md5::digest(message)[..] != *digest {
        return None;
    }
    Some(parts(record.slice_ref(message)))
}

fn parts(message: Bytes) -> Result<Vec<Part>, String> {
    let aggregated = AggregatedRecord::decode(message)
        .map_err(|error| format!("the aggregated record cannot be taken apart: {error}"))?;
    match aggregated.records.len() {
        0 => return Err("the aggregated record holds no record".to_owned()),
        MOST.. => return Err(format!("the aggregated record holds {MOST} records or more")),
        _ => {}
    }
    // Each key is looked at once: many records may have the same long one.
    let keys: Vec<Option<ByteString>> =
        aggregated.partition_key_table.into_iter().map(|key| ByteString::try_from(key).ok()).collect();
    let mut bad = 0;
    let parts = aggregated.records.into_iter().map(|record| {
        let part = part(record, &keys);
        bad += usize::from(part.key.is_err());
        if bad > MOST_BAD {
            Err(format!("the aggregated record holds more than {MOST_BAD} bad records"))
        } else {
            Ok(part)
        }
    });
    parts.collect()
}

fn part(Record { partition_key_index, data }: Record, keys: &[Option<ByteString>]) -> Part {
    let key = || {
        let index = partition_key_index.ok_or("it names no partition key")?;
        let key = usize::try_from(index).ok().and_then(|index| keys.get(index));
        let key = key.ok_or_else(|| format!("it names partition key {index} of {}", keys.len()))?;
        key.clone().ok_or_else(|| format!("its partition key {index} is not UTF-8"))
    };
    let key = key().and_then(|key| if data.is_some() { Ok(key) } else { Err("it has no data".to_owned()) });
    Part {
        key: key.map_err(|reason| format!("a record in an aggregated one: {reason}")),
        data: data.unwrap_or_default(),
    }
}
