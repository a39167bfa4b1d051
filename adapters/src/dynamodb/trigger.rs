//! What AWS Lambda hands over of a table's stream:
//! [the event](https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb).

use bytestring::ByteString;
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::BatchResponse;
use crate::{
    pairs::Pairs,
    payload::{self, Text},
    records::{self, Texts},
    streams,
};

/// Takes the records of DynamoDB Streams apart. An event's body is the whole record, as the stream has it.
///
/// | of an event | is |
/// |---|---|
/// | id | `stream ARN/sequence number/eventID` |
/// | group | the stream's ARN: the records of one payload are of one shard, and none says which |
/// | key | the item's: the values of its key attributes, ordered by name, with `/` between them |
/// | time | the approximate creation |
/// | attributes | `eventName`: `INSERT`, `MODIFY` or `REMOVE` |
///
/// Events have no position: it would have to grow within the group over all shards of the stream.
///
/// The reply names the first record that is to be delivered again; the stream delivers all from there on.
#[derive(Clone, Copy, Debug, Default)]
pub struct DynamoDbTrigger;

impl DynamoDbTrigger {
    /// What `eventSource` is in every record.
    pub const EVENT_SOURCE: &str = "aws:dynamodb";
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow, rename = "eventID")]
    event_id: Text<'a>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    #[serde(borrow, rename = "eventSourceARN")]
    stream: Text<'a>,
    #[serde(borrow)]
    dynamodb: Change<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'a> {
    #[serde(borrow)]
    sequence_number: Text<'a>,
    /// Of each key attribute one value, under its type: `{"Id": {"N": "101"}}`.
    #[serde(borrow)]
    keys: Option<Pairs<'a, Pairs<'a, Text<'a>>>>,
    approximate_creation_date_time: Option<f64>,
}

impl Trigger for DynamoDbTrigger {
    type Reply = BatchResponse;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let payload = payload::text(payload.body)?;
        let mut texts = Texts::of(&payload);
        let take = |raw: &RawValue, taken: &mut Vec<Decoded>| {
            let record: Record<'_> = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
            let mut event = event(&record.stream, &record.dynamodb.sequence_number, &record.event_id, &mut texts)?;
            event.key = key(record.dynamodb.keys.unwrap_or_default(), &payload, &mut texts);
            event.time = record.dynamodb.approximate_creation_date_time.and_then(streams::time);
            let name = record.event_name.map(|name| (ByteString::from_static("eventName"), name.within(&payload)));
            event.attributes.extend(name);
            event.body = payload.as_bytes().slice_ref(raw.get().as_bytes());
            taken.push(event.into());
            Ok(())
        };
        records::take_apart(&payload, take, what_it_was)
    }

    fn reply(&self, report: &Report) -> BatchResponse {
        streams::response(report)
    }
}

fn event(stream: &str, sequence_number: &str, event_id: &str, texts: &mut Texts) -> Result<Event, String> {
    // A sequence number is only unique within a shard; `eventID` is everywhere.
    let id = texts.join(&[stream, "/", streams::checked_sequence_number(sequence_number)?, "/", event_id]);
    let group = id.slice_ref(&id[..stream.len()]);
    Ok(Event::new(id, "").in_group(group))
}

/// Says what a bad record was.
fn what_it_was(record: &Value) -> Option<Event> {
    let text = |path| record.pointer(path)?.as_str();
    let sequence_number = text("/dynamodb/SequenceNumber")?;
    event(text("/eventSourceARN")?, sequence_number, text("/eventID")?, &mut Texts::of("")).ok()
}

fn key(Pairs(mut keys): Pairs<'_, Pairs<'_, Text<'_>>>, payload: &ByteString, texts: &mut Texts) -> Option<ByteString> {
    keys.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut values = keys.into_iter().flat_map(|(_, Pairs(typed))| typed).map(|(_, value)| value);
    let first = values.next()?;
    Some(match values.next() {
        None => first.within(payload),
        Some(second) => texts.join(&[&first, "/", &second]),
    })
}
