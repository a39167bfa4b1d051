//! Amazon Simple Notification Service: what it invokes a function with.
//! [The event](https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html#sns-sample-event).

use bytestring::ByteString;
use chrono::DateTime;
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};
use serde::Deserialize;
use serde_json::Value;

pub use crate::whole::Whole;
use crate::{
    pairs::Pairs,
    payload::{self, Text},
    records::{self, Texts},
};

/// Takes notifications apart.
///
/// | of an event | is |
/// |---|---|
/// | id | `topic ARN/message id` |
/// | time | when it was published |
/// | attributes | the message's own (binary ones as base64), then `Subject` where it has one |
#[derive(Clone, Copy, Debug, Default)]
pub struct SnsTrigger;

impl SnsTrigger {
    /// What `EventSource` is in every record. Other services write the name with a small `e`.
    pub const EVENT_SOURCE: &str = "aws:sns";
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, rename = "Sns")]
    sns: Notification<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification<'a> {
    #[serde(borrow)]
    message_id: Text<'a>,
    #[serde(borrow)]
    topic_arn: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    subject: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    message_attributes: Option<Pairs<'a, MessageAttribute<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MessageAttribute<'a> {
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

impl Trigger for SnsTrigger {
    type Reply = Whole;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let payload = payload::text(payload.body)?;
        let mut texts = Texts::of(&payload);
        let take = |Record { sns }: Record<'_>, taken: &mut Vec<Decoded>| {
            let mut event = event(&sns.topic_arn, &sns.message_id, sns.timestamp.as_deref(), &mut texts);
            event.body = sns.message.within(&payload).into_bytes();
            let own = sns.message_attributes.unwrap_or_default().0.into_iter();
            let own = own.filter_map(|(name, attribute)| Some((name.within(&payload), attribute.value?)));
            let subject = sns.subject.map(|subject| (ByteString::from_static("Subject"), subject));
            event.attributes.extend(own.chain(subject).map(|(name, value)| (name, value.within(&payload))));
            taken.push(event.into());
            Ok(())
        };
        records::take_apart(&payload, take, what_it_was)
    }

    fn reply(&self, report: &Report) -> Whole {
        report.into()
    }
}

/// Makes an event without its body.
fn event(topic: &str, message_id: &str, time: Option<&str>, texts: &mut Texts) -> Event {
    let mut event = Event::new(texts.join(&[topic, "/", message_id]), "");
    event.time = time.and_then(|time| DateTime::parse_from_rfc3339(time).ok()).map(|time| time.to_utc());
    event
}

/// Says what a bad record was.
fn what_it_was(record: &Value) -> Option<Event> {
    let text = |name: &str| record.get("Sns")?.get(name)?.as_str();
    Some(event(text("TopicArn")?, text("MessageId")?, text("Timestamp"), &mut Texts::of("")))
}
