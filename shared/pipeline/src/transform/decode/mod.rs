//! Bodies to fields: JSON, newline JSON and CSV, only the declared fields, each made to fit its type.

mod csv;
mod json;

use bytes::Bytes;
use vrl::value::{KeyString, ObjectMap, Value};

use crate::{
    config::BodyFormat,
    error::{Code, Error, Stage},
    event::Event,
    types::Fields,
};

/// The largest body taken, in bytes.
const MAX_BODY: usize = 16 << 20;

/// Takes bodies apart.
pub(crate) struct Decoder {
    pub format: BodyFormat,
    pub fields: Option<Fields>,
}

/// What is remembered from one event to the next.
#[derive(Default)]
pub(crate) struct Memory(csv::LastHeader);

/// One event of a body: the bytes it is in, and its fields.
pub(crate) type Part = (Bytes, Result<ObjectMap, Error>);

impl Decoder {
    /// Takes a body apart; one bad event does not fail the others. Never empty.
    pub fn decode(&self, event: &Event, memory: &mut Memory) -> Vec<Part> {
        let body = &event.body;
        if body.len() > MAX_BODY {
            let reason = format!("the body has {} bytes; {MAX_BODY} are allowed", body.len());
            return vec![(body.clone(), Err(Error::poison(Stage::Decode, Code::TOO_LARGE, reason)))];
        }
        let fields = self.fields.as_ref();
        let parts = match self.format {
            BodyFormat::Json => vec![(body.clone(), json::object(fields, body))],
            BodyFormat::JsonLines => lines(body).map(|line| (line.clone(), json::object(fields, &line))).collect(),
            BodyFormat::Csv => csv::rows(fields, event, &mut memory.0),
        };
        if parts.is_empty() {
            return vec![(body.clone(), Err(malformed("the body is empty")))];
        }
        parts
    }
}

/// Gives absent fields that may be null their null; any other absence is an error.
fn complete(fields: &Fields, mut read: ObjectMap) -> Result<ObjectMap, Error> {
    if read.len() == fields.0.len() {
        return Ok(read);
    }
    for (name, declared) in &fields.0 {
        if !read.contains_key(name.as_str()) {
            if !declared.nullable {
                let reason = format!("the field `{name}` is missing, and is declared as {declared}");
                return Err(Error::poison(Stage::Decode, Code::FIELD_MISSING, reason));
            }
            read.insert(KeyString::from(name.as_str()), Value::Null);
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
