//! What AWS Lambda hands over of a stream:
//! [the event](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html#services-kinesis-event-example).

use base64::{Engine, decoded_len_estimate, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    BatchResponse,
    aggregated::{self, Part},
};
use crate::{
    payload::{self, Text},
    records::{self, Texts},
    streams,
};

/// Takes the records of Kinesis apart, and those that the Kinesis Producer Library aggregated.
///
/// | of an event | is |
/// |---|---|
/// | id | `stream ARN/shard/sequence number`, and behind a further `/` its place in an aggregated record |
/// | group | `stream ARN/shard` |
/// | position | the sequence number's digits, and six of its place in an aggregated record |
/// | key | the partition key; of a record in an aggregated one its own |
/// | time | the approximate arrival |
/// | bundle | the aggregated record it came in |
///
/// The reply names the first record of each shard that is to be delivered again; Kinesis delivers all from there on.
#[derive(Clone, Copy, Debug, Default)]
pub struct KinesisTrigger;

impl KinesisTrigger {
    /// What `eventSource` is in every record.
    pub const EVENT_SOURCE: &str = "aws:kinesis";
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, rename = "eventID")]
    event_id: Text<'a>,
    #[serde(borrow, rename = "eventSourceARN")]
    stream: Text<'a>,
    #[serde(borrow)]
    kinesis: Kinesis<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow)]
    partition_key: Text<'a>,
    #[serde(borrow)]
    sequence_number: Text<'a>,
    #[serde(borrow)]
    data: Text<'a>,
    approximate_arrival_timestamp: Option<f64>,
}

impl Trigger for KinesisTrigger {
    type Reply = BatchResponse;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let payload = payload::text(payload.body)?;
        let (mut texts, mut bodies) = (Texts::of(&payload), Bodies::of(&payload));
        let take = |record: Record<'_>, taken: &mut Vec<Decoded>| {
            let data = bodies.decode(&record.kinesis.data)?;
            let place = Place::new(&record.stream, &record.event_id, &record.kinesis.sequence_number)?;
            let mut event = place.event(&mut texts);
            event.time = record.kinesis.approximate_arrival_timestamp.and_then(streams::time);
            event.key = Some(record.kinesis.partition_key.within(&payload));
            match aggregated::take_apart(&data) {
                None => taken.push(Event { body: data, ..event }.into()),
                Some(Ok(parts)) => {
                    taken.reserve(parts.len());
                    let parts = parts.into_iter().enumerate();
                    taken.extend(parts.map(|(number, part)| place.part(&event, number, part, &mut texts)));
                }
                Some(Err(reason)) => taken.push(Decoded::Undecodable { event: Event { body: data, ..event }, reason }),
            }
            Ok(())
        };
        records::take_apart(&payload, take, what_it_was)
    }

    fn reply(&self, report: &Report) -> BatchResponse {
        streams::response(report)
    }
}

/// Says what a bad record was.
fn what_it_was(record: &Value) -> Option<Event> {
    let text = |path| record.pointer(path)?.as_str();
    let place = Place::new(text("/eventSourceARN")?, text("/eventID")?, text("/kinesis/sequenceNumber")?).ok()?;
    let mut event = place.event(&mut Texts::of(""));
    event.key = text("/kinesis/partitionKey").map(Into::into);
    event.time = record.pointer("/kinesis/approximateArrivalTimestamp").and_then(Value::as_f64).and_then(streams::time);
    Some(event)
}

/// Where a record stands.
struct Place<'a> {
    stream: &'a str,
    shard: &'a str,
    sequence_number: &'a str,
}

impl<'a> Place<'a> {
    fn new(stream: &'a str, event_id: &'a str, sequence_number: &'a str) -> Result<Place<'a>, String> {
        // `shardId-000000000006:4959…`
        let (shard, _) = event_id.split_once(':').ok_or_else(|| format!("`eventID` names no shard: {event_id:?}"))?;
        Ok(Place { stream, shard, sequence_number: streams::checked_sequence_number(sequence_number)? })
    }

    /// Makes the event of a record that is not aggregated, without its body.
    fn event(&self, texts: &mut Texts) -> Event {
        const ALONE: &str = "000000";
        // Id and position overlap: both have the sequence number.
        let both = texts.join(&[self.stream, "/", self.shard, "/", self.sequence_number, ALONE]);
        let part = |from: usize, to: usize| both.slice_ref(&both[from..to]);
        let group = self.stream.len() + 1 + self.shard.len();
        let mut event = Event::new(part(0, both.len() - ALONE.len()), Bytes::new()).in_group(part(0, group));
        event.position = Some(part(group + 1, both.len()));
        event
    }

    /// Makes the event of a record in an aggregated one, whose own is `whole`.
    fn part(&self, whole: &Event, number: usize, Part { key, data }: Part, texts: &mut Texts) -> Decoded {
        let digits = six_digits(number);
        let digits = str::from_utf8(&digits).expect("digits are text");
        let zeros = digits.bytes().take(digits.len() - 1).take_while(|digit| *digit == b'0').count();
        let mut event = Event {
            id: texts.join(&[&whole.id, "/", &digits[zeros..]]),
            position: Some(texts.join(&[self.sequence_number, digits])),
            bundle: Some(whole.id.clone()),
            body: data,
            ..whole.clone()
        };
        match key {
            Ok(key) => {
                event.key = Some(key);
                event.into()
            }
            Err(reason) => Decoded::Undecodable { event, reason },
        }
    }
}

/// Writes a number below a million without taking memory for it.
fn six_digits(number: usize) -> [u8; 6] {
    const PLACES: [usize; 6] = [100_000, 10_000, 1_000, 100, 10, 1];
    PLACES.map(|place| b'0' + (number / place % 10) as u8)
}

/// Takes base64 off, into one buffer for all of a batch.
struct Bodies(BytesMut);

impl Bodies {
    /// Makes room for the bodies of that payload, at most.
    fn of(payload: &ByteString) -> Bodies {
        Bodies(BytesMut::with_capacity(decoded_len_estimate(payload.len())))
    }

    fn decode(&mut self, data: &str) -> Result<Bytes, String> {
        self.0.resize(decoded_len_estimate(data.len()), 0);
        let length = STANDARD.decode_slice(data, &mut self.0);
        // What could not be decoded leaves nothing behind.
        self.0.truncate(*length.as_ref().unwrap_or(&0));
        length.map_err(|error| format!("`data` is not base64: {error}"))?;
        Ok(self.0.split().freeze())
    }
}
