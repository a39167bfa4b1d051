//! What AWS Lambda hands over of a queue:
//! [the event](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event).

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::{Disposition, Report},
};
use serde::Deserialize;
use serde_json::Value;

use super::BatchResponse;
use crate::{
    pairs::Pairs,
    payload::{self, Text},
    records::{self, Texts},
};

/// Takes the messages of a queue apart, standard or FIFO. What another service wrapped its event in, as Amazon SNS does
/// without raw message delivery, stays as it is.
///
/// | of an event | is |
/// |---|---|
/// | id | `queue ARN/message id` |
/// | group | of a FIFO queue `queue ARN/message group`; the messages of others stand alone |
/// | position, key | of a FIFO queue the sequence number and the message group |
/// | time | when it was sent |
/// | attributes | the message's own (binary ones as base64), then the queue's |
///
/// The reply names every message that is to be delivered again.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqsTrigger;

impl SqsTrigger {
    /// What `eventSource` is in every record.
    pub const EVENT_SOURCE: &str = "aws:sqs";
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    message_id: Text<'a>,
    #[serde(borrow, rename = "eventSourceARN")]
    queue: Text<'a>,
    #[serde(borrow)]
    body: Text<'a>,
    #[serde(borrow)]
    attributes: Option<Pairs<'a, Text<'a>>>,
    #[serde(borrow)]
    message_attributes: Option<Pairs<'a, MessageAttribute<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageAttribute<'a> {
    #[serde(borrow)]
    string_value: Option<Text<'a>>,
    #[serde(borrow)]
    binary_value: Option<Text<'a>>,
}

impl Trigger for SqsTrigger {
    type Reply = BatchResponse;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let payload = payload::text(payload.body)?;
        let mut texts = Texts::of(&payload);
        let take = |record: Record<'_>, taken: &mut Vec<Decoded>| {
            let system = record.attributes.unwrap_or_default().0;
            let told = |name: &str| system.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value);
            let mut event = event(&record.queue, &record.message_id, told, &mut texts);
            event.body = record.body.within(&payload).into_bytes();
            // The message's own first: they are found before the queue's of the same name.
            let own = record.message_attributes.unwrap_or_default().0.into_iter();
            let own = own.filter_map(|(name, value)| Some((name, value.string_value.or(value.binary_value)?)));
            let all = own.chain(system);
            event.attributes.extend(all.map(|(name, value)| (name.within(&payload), value.within(&payload))));
            taken.push(event.into());
            Ok(())
        };
        records::take_apart(&payload, take, what_it_was)
    }

    fn reply(&self, report: &Report) -> BatchResponse {
        let ends = report.dispositions().into_iter().zip(report.inputs.iter());
        let again = ends.filter(|(end, _)| *end == Disposition::Retry).map(|(_, input)| input.event());
        again.map(|event| event.id.split_once('/').map_or("", |(_, message_id)| message_id)).collect()
    }
}

/// Makes an event of what the queue says about it, without its body.
fn event<'a>(queue: &str, message_id: &str, told: impl Fn(&str) -> Option<&'a str>, texts: &mut Texts) -> Event {
    let mut event = Event::new(texts.join(&[queue, "/", message_id]), "");
    event.time = told("SentTimestamp").and_then(time);
    // In other queues groups are there for fairness, and have no order.
    if let (true, Some(group)) = (queue.ends_with(".fifo"), told("MessageGroupId")) {
        let place = texts.join(&[queue, "/", group]);
        event.key = Some(place.slice_ref(&place[place.len() - group.len()..]));
        event.group = Some(place);
        let number = told("SequenceNumber").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        event.position = number.map(ByteString::from);
    }
    event
}

/// Says what a bad record was.
fn what_it_was(record: &Value) -> Option<Event> {
    let text = |name: &str| record.get(name)?.as_str();
    let told = |name: &str| record.get("attributes")?.get(name)?.as_str();
    Some(event(text("eventSourceARN")?, text("messageId")?, told, &mut Texts::of("")))
}

/// Reads milliseconds since 1970.
fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(text.parse().ok()?)
}
