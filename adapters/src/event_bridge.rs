//! Amazon EventBridge: what a rule invokes a function with.
//! [The event](https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html).

use bytestring::ByteString;
use chrono::DateTime;
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use crate::whole::Whole;
use crate::{
    pairs::Pairs,
    payload::{self, Text, place, refused},
};

/// Takes an event of a bus apart: it is alone in its payload, and its body is `detail`.
///
/// | of an event | is |
/// |---|---|
/// | id | `source/id` |
/// | time | `time` |
/// | attributes | `detail-type`, `source`, `account`, `region`, and `resources` as the JSON array it is |
///
/// A payload is one if it is an object with `detail-type`, `source` and `detail`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventBridgeTrigger;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Text<'a>,
    #[serde(borrow)]
    account: Option<Text<'a>>,
    #[serde(borrow)]
    region: Option<Text<'a>>,
    #[serde(borrow)]
    time: Option<Text<'a>>,
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: &'a RawValue,
}

impl Trigger for EventBridgeTrigger {
    type Reply = Whole;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let payload = payload::text(payload.body)?;
        let decoded = match serde_json::from_str::<Envelope<'_>>(&payload) {
            Ok(envelope) => event(envelope, &payload).into(),
            Err(error) => Decoded::Undecodable { event: what_it_was(&payload)?, reason: error.to_string() },
        };
        Ok(vec![decoded])
    }

    fn reply(&self, report: &Report) -> Whole {
        report.into()
    }
}

fn event(envelope: Envelope<'_>, payload: &ByteString) -> Event {
    let body = payload.as_bytes().slice_ref(envelope.detail.get().as_bytes());
    let mut event = Event::new(id(&envelope.source, &envelope.id), body);
    let time = envelope.time.and_then(|time| DateTime::parse_from_rfc3339(&time).ok());
    event.time = time.map(|time| time.to_utc());
    let attributes = [
        ("detail-type", Some(envelope.detail_type.within(payload))),
        ("source", Some(envelope.source.within(payload))),
        ("account", envelope.account.map(|account| account.within(payload))),
        ("region", envelope.region.map(|region| region.within(payload))),
        ("resources", envelope.resources.map(|resources| payload.slice_ref(resources.get()))),
    ];
    let given = attributes.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    event.attributes.extend(given);
    event
}

fn id(source: &str, id: &str) -> String {
    format!("{source}/{id}")
}

/// Says what an object was that is no event of a bus.
fn what_it_was(payload: &ByteString) -> Result<Event, Error> {
    let Pairs(fields) = serde_json::from_str::<Pairs<'_, &RawValue>>(payload)
        .map_err(|error| refused(format!("the payload is no JSON object: {}", place(&error))))?;
    let text = |name: &str| {
        let (_, value) = fields.iter().find(|(known, _)| **known == *name)?;
        serde_json::from_str::<Text<'_>>(value.get()).ok()
    };
    let body = payload.as_bytes().clone();
    Ok(match (text("source"), text("id")) {
        (Some(source), Some(own)) => Event::new(id(&source, &own), body),
        _ => Event { stable_id: false, ..Event::new("event", body) },
    })
}
