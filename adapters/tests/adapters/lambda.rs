//! What the tests of AWS Lambda's triggers share: payloads as AWS documents them, and what AWS makes of replies.

use std::{collections::HashMap, path::Path};

use bytes::Bytes;
use fourstroke::{
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    testkit::trigger,
};
use fourstroke_adapters::{iot::Whole, kinesis::BatchResponse};
use serde_json::{Value, json};

/// A payload of `tests/events`, as text.
pub fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events").join(name).with_extension("json");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn payload(body: impl Into<Bytes>) -> Payload {
    Payload { body: body.into(), attributes: Vec::new() }
}

pub fn of_json(value: &Value) -> Payload {
    payload(value.to_string())
}

pub fn decode<T: Trigger>(trigger: &T, body: impl Into<Bytes>) -> Vec<Decoded> {
    trigger.decode(payload(body)).unwrap_or_else(|error| panic!("{error}"))
}

/// The events, all of which must be good.
pub fn events<T: Trigger>(trigger: &T, body: impl Into<Bytes>) -> Vec<Event> {
    let good = |decoded| match decoded {
        Decoded::Event(event) => event,
        Decoded::Undecodable { reason, .. } => panic!("{reason}"),
    };
    decode(trigger, body).into_iter().map(good).collect()
}

/// The only one, which must be undecodable, and why it is.
pub fn undecodable(decoded: Decoded) -> (Event, String) {
    let Decoded::Undecodable { event, reason } = decoded else { panic!("{decoded:?}") };
    (event, reason)
}

pub fn records(records: impl IntoIterator<Item = Value>) -> Payload {
    of_json(&json!({ "Records": records.into_iter().collect::<Vec<_>>() }))
}

pub fn identifiers(response: &BatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| &*failure.item_identifier).collect()
}

/// What a stream delivers again: of each shard all from the record on that is named.
pub fn from_sequence_numbers(response: &BatchResponse, decoded: &[Decoded]) -> Vec<usize> {
    let group = |place: usize| decoded[place].event().group.clone();
    let again = identifiers(response).into_iter().flat_map(|number| {
        let parts = |id: &str| id.split('/').any(|part| part == number);
        let first = decoded.iter().position(|record| parts(&record.event().id)).expect("it names a record");
        (first..decoded.len()).filter(move |place| group(*place) == group(first))
    });
    let mut again: Vec<usize> = again.collect();
    again.dedup();
    again
}

/// What a queue delivers again: each message that is named.
pub fn messages(response: &BatchResponse, decoded: &[Decoded]) -> Vec<usize> {
    let places: HashMap<&str, usize> = decoded
        .iter()
        .enumerate()
        .map(|(place, message)| (message.event().id.rsplit('/').next().unwrap_or_default(), place))
        .collect();
    identifiers(response).into_iter().map(|id| places[id]).collect()
}

pub fn whole(reply: &Whole, decoded: &[Decoded]) -> Vec<usize> {
    match reply {
        Whole::Done => Vec::new(),
        Whole::Again => (0..decoded.len()).collect(),
    }
}

/// A platform on which each record stands for itself, or in one of so many groups.
pub fn each(groups: usize, records: usize) -> trigger::Capabilities {
    trigger::Capabilities { groups, records, bad_records: true, replay: trigger::Replay::Each }
}

pub fn text(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap()
}

pub fn attributes(event: &Event) -> Vec<(&str, &str)> {
    event.attributes.iter().map(|(name, value)| (&**name, &**value)).collect()
}
