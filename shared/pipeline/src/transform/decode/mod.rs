//! Bodies to fields: JSON, newline JSON, CSV and CloudEvents, plain or compressed, and Avro; only the declared fields, each
//! made to fit its type.

mod avro;
mod cloudevents;
mod compressed;
mod csv;
mod json;

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::value::Value;

pub(crate) use avro::{Avro, Unfit};

use crate::{
    config::BodyFormat,
    error::{Code, Error, Stage},
    event::{Attributes, Event},
    record::{Facts, Layout, Record},
    types::Fields,
};

/// The attribute a platform gives the body's media type in.
const CONTENT_TYPE: &str = "content-type";

/// The largest body taken, in bytes, as it is and decompressed.
const MAX_BODY: usize = 16 << 20;

/// The most events of one body: each takes some hundred times the byte or two it can be written in.
const MAX_EVENTS: usize = 1 << 18;

/// As many events as any body may hold.
const FEW: usize = 1 << 10;

/// Takes bodies apart.
pub(crate) struct Decoder {
    pub format: BodyFormat,
    pub shape: Shape,
    /// The schema of `avro`.
    pub avro: Option<Arc<Avro>>,
}

/// What a body's fields must be, and where in a record they go: declared fields have the first places.
pub(crate) struct Shape {
    pub fields: Option<Fields>,
    pub layout: Arc<Layout>,
}

/// What is remembered from one event to the next.
#[derive(Default)]
pub(crate) struct Memory {
    header: csv::LastHeader,
    writer: avro::LastWriter,
}

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
        let parts = self.parts(event, memory).and_then(|parts| match parts.is_empty() {
            true => Err(malformed("the body is empty")),
            false => Ok(parts),
        });
        parts.unwrap_or_else(|error| vec![Part::new(event.body.clone(), Err(error))])
    }

    fn parts(&self, event: &Event, memory: &mut Memory) -> Result<Vec<Part>, Error> {
        if event.body.len() > MAX_BODY {
            let reason = format!("the body has {} bytes; {MAX_BODY} are allowed", event.body.len());
            return Err(too_large(reason));
        }
        let shape = &self.shape;
        let is_json = || event.attribute(CONTENT_TYPE).is_some_and(|kind| media_type(kind) == "application/json");
        if let Some(avro) = self.avro.as_ref().filter(|_| !is_json()) {
            // Not looked at for compression: a record may begin as that does by chance.
            return avro.events(shape, &event.body, &mut memory.writer);
        }
        let opened = compressed::opened(&event.body)?;
        let body = opened.as_ref().unwrap_or(&event.body);
        let mut parts = match self.format {
            // Of Avro, what is said to be JSON.
            BodyFormat::Json | BodyFormat::Avro => vec![Part::new(body.clone(), json::object(shape, body))],
            BodyFormat::JsonLines => lines(body)
                .enumerate()
                .map(|(place, line)| match place {
                    MAX_EVENTS => Err(too_many()),
                    _ => Ok(Part::new(line.clone(), json::object(shape, &line))),
                })
                .collect::<Result<_, _>>()?,
            BodyFormat::Csv => csv::rows(shape, event.attribute(csv::HEADER), body, &mut memory.header)?,
            BodyFormat::CloudEvents => cloudevents::events(shape, event, body)?,
        };
        if opened.is_some() {
            // Compressed, events may come to less than a byte each; made, each takes a thousand.
            if parts.len() > FEW + event.body.len() {
                return Err(too_many());
            }
            // An event that is the whole body keeps it as it was delivered, and lets the decompressed one go; a part of one
            // keeps its own bytes.
            for part in parts.iter_mut().filter(|part| part.body.len() == body.len()) {
                part.body = event.body.clone();
                part.fields.iter_mut().for_each(Record::own);
            }
        }
        Ok(parts)
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

fn too_large(reason: String) -> Error {
    Error::poison(Stage::Decode, Code::TOO_LARGE, reason)
}

fn too_many() -> Error {
    too_large(format!("the body holds more than {MAX_EVENTS} events, or more than it has bytes, compressed"))
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

/// Returns a media type without its parameters, in lower case.
fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
