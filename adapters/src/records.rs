//! What the payloads of AWS Lambda's event sources have in common: an array `Records`, of which one bad record fails no
//! other.

use bytes::BytesMut;
use bytestring::ByteString;
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::payload::{place, refused};

#[derive(Deserialize)]
struct Payload<R> {
    #[serde(rename = "Records")]
    records: Vec<R>,
}

/// Takes a payload's records apart, in order.
///
/// `take` makes events of a record, or says why it cannot. `place` says of such a record, or of one that is no `R` at
/// all, what it was, as far as it can be known. Its body is the record's JSON as it came.
///
/// # Errors
/// The payload has no array `Records`.
pub(crate) fn take_apart<'a, R: Deserialize<'a>>(
    payload: &'a ByteString,
    mut take: impl FnMut(R, &mut Vec<Decoded>) -> Result<(), String>,
    place: impl Fn(&Value) -> Option<Event>,
) -> Result<Vec<Decoded>, Error> {
    let mut taken = Vec::new();
    let undecodable = |number, raw: &RawValue, reason| {
        let event = serde_json::from_str(raw.get()).ok().and_then(|record| place(&record));
        let mut event = event.unwrap_or_else(|| unknown(number));
        event.body = payload.as_bytes().slice_ref(raw.get().as_bytes());
        Decoded::Undecodable { event, reason }
    };
    match serde_json::from_str(payload) {
        Ok(Payload { records }) => {
            taken.reserve(records.len());
            // Only needed for bad records, so only looked for when there is one.
            let mut raw = Vec::new();
            for (number, record) in records.into_iter().enumerate() {
                if let Err(reason) = take(record, &mut taken) {
                    if raw.is_empty() {
                        raw = each(payload)?;
                    }
                    taken.push(undecodable(number, raw[number], reason));
                }
            }
        }
        // One of them is no `R`: which one is found record by record.
        Err(_) => {
            for (number, raw) in each(payload)?.into_iter().enumerate() {
                let record = serde_json::from_str(raw.get()).map_err(|error| error.to_string());
                if let Err(reason) = record.and_then(|record| take(record, &mut taken)) {
                    taken.push(undecodable(number, raw, reason));
                }
            }
        }
    }
    Ok(taken)
}

fn each(payload: &str) -> Result<Vec<&RawValue>, Error> {
    let records: Result<Payload<&RawValue>, _> = serde_json::from_str(payload);
    Ok(records.map_err(|error| refused(format!("the payload has no array `Records`: {}", place(&error))))?.records)
}

/// A record that does not say what it is. When it comes again it may stand in another place.
fn unknown(number: usize) -> Event {
    Event { stable_id: false, ..Event::new(format!("Records[{number}]"), "") }
}

/// Writes the ids of a batch into one buffer.
pub(crate) struct Texts(BytesMut);

impl Texts {
    /// Makes room for the ids of that payload's records, as far as can be guessed.
    pub fn of(payload: &str) -> Texts {
        const LEAST: usize = 4 << 10;
        Texts(BytesMut::with_capacity((payload.len() / 8).max(LEAST)))
    }

    /// Writes parts behind each other.
    pub fn join(&mut self, parts: &[&str]) -> ByteString {
        parts.iter().for_each(|part| self.0.extend_from_slice(part.as_bytes()));
        ByteString::try_from(self.0.split().freeze()).expect("texts behind each other are a text")
    }
}
