//! Bodies to fields: JSON, newline JSON and CSV, only the declared fields, each made to fit its type.

mod csv;
mod json;

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::value::Value;

use crate::{
    config::BodyFormat,
    error::{Code, Error, Stage},
    event::{Attributes, Event},
    record::{Facts, Layout, Record},
    types::Fields,
};

/// The largest body taken, in bytes.
const MAX_BODY: usize = 16 << 20;

/// Takes bodies apart.
pub(crate) struct Decoder {
    pub format: BodyFormat,
    pub shape: Shape,
}

/// What a body's fields must be, and where in a record they go: declared fields have the first places.
pub(crate) struct Shape {
    pub fields: Option<Fields>,
    pub layout: Arc<Layout>,
}

/// What is remembered from one event to the next.
#[derive(Default)]
pub(crate) struct Memory(csv::LastHeader);

/// One event of a body.
pub(crate) struct Part {
    /// The bytes it is in.
    pub body: Bytes,
    /// Its fields.
    pub fields: Result<Record, Error>,
    /// What the body itself says about the event, in formats that do.
    pub told: Option<Box<Told>>,
}

/// The event's own facts as its body tells them. They go over the platform's.
#[derive(Default)]
pub(crate) struct Told {
    pub id: Option<ByteString>,
    pub key: Option<ByteString>,
    pub time: Option<DateTime<Utc>>,
    pub attributes: Attributes,
}

impl Part {
    fn new(body: Bytes, fields: Result<Record, Error>) -> Part {
        Part { body, fields, told: None }
    }
}

impl Told {
    /// Puts what is told over what the platform said.
    pub fn over(self, facts: &mut Facts) {
        facts.id = self.id.unwrap_or_else(|| std::mem::take(&mut facts.id));
        facts.key = self.key.or_else(|| facts.key.take());
        facts.time = self.time.or(facts.time);
        facts.attributes.retain(|(name, _)| self.attributes.iter().all(|(told, _)| told != name));
        facts.attributes.extend(self.attributes);
    }
}

impl Decoder {
    /// Takes a body apart; one bad event does not fail the others. Never empty.
    pub fn decode(&self, event: &Event, memory: &mut Memory) -> Vec<Part> {
        let body = &event.body;
        if body.len() > MAX_BODY {
            let reason = format!("the body has {} bytes; {MAX_BODY} are allowed", body.len());
            return vec![Part::new(body.clone(), Err(Error::poison(Stage::Decode, Code::TOO_LARGE, reason)))];
        }
        let shape = &self.shape;
        let parts = match self.format {
            BodyFormat::Json => vec![Part::new(body.clone(), json::object(shape, body))],
            BodyFormat::JsonLines => {
                lines(body).map(|line| Part::new(line.clone(), json::object(shape, &line))).collect()
            }
            BodyFormat::Csv => csv::rows(shape, event, &mut memory.0),
        };
        if parts.is_empty() {
            return vec![Part::new(body.clone(), Err(malformed("the body is empty")))];
        }
        parts
    }
}

/// Gives absent fields that may be null their null; any other absence is an error.
fn complete(fields: &Fields, mut read: Record) -> Result<Record, Error> {
    for (place, (name, declared)) in fields.0.iter().enumerate() {
        if !read.has(place) {
            if !declared.nullable {
                let reason = format!("the field `{name}` is missing, and is declared as {declared}");
                return Err(Error::poison(Stage::Decode, Code::FIELD_MISSING, reason));
            }
            read.set(place, Value::Null);
        }
    }
    Ok(read)
}

fn malformed(reason: impl Into<String>) -> Error {
    Error::poison(Stage::Decode, Code::MALFORMED, reason)
}

fn type_error(name: &str, found: &str) -> Error {
    Error::poison(Stage::Decode, Code::FIELD_TYPE, format!("the field `{name}` is {found}"))
}

fn lines(body: &Bytes) -> impl Iterator<Item = Bytes> {
    body.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| body.slice_ref(line))
}
