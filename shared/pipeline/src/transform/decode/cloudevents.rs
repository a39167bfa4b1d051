//! CloudEvents 1.0, <https://github.com/cloudevents/spec>: one in the body, a batch of them, or the body as data with the
//! rest in attributes. The envelope gives the event's own facts; declared fields are those of the data.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::DateTime;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{CONTENT_TYPE, Part, Shape, Told, complete, json, malformed, media_type, too_many};
use crate::{
    error::{Code, Error, Stage},
    event::{Attributes, Event},
    record::Record,
};

/// What stands before a context attribute's name beside the body: HTTP and Pub/Sub, Kafka, AMQP (two ways).
const PREFIXES: [&str; 4] = ["ce-", "ce_", "cloudEvents:", "cloudEvents_"];

/// The most context attributes of one event.
const MAX_ATTRIBUTES: usize = 128;

/// Takes the CloudEvents of a body apart. A media type decides, then attributes, then how the body begins.
pub(super) fn events(shape: &Shape, event: &Event, body: &Bytes) -> Result<Vec<Part>, Error> {
    let media = event.attribute(CONTENT_TYPE).map(|value| media_type(value)).unwrap_or_default();
    match &*media {
        "application/cloudevents" | "application/cloudevents+json" => Ok(vec![structured(shape, body)]),
        "application/cloudevents-batch" | "application/cloudevents-batch+json" => batch(shape, body),
        other if other.starts_with("application/cloudevents") => {
            Err(malformed(format!("CloudEvents as `{other}` are not read; send them as JSON")))
        }
        _ if beside(event).next().is_some() => Ok(vec![binary(shape, event, body)]),
        _ if body.trim_ascii_start().starts_with(b"[") => batch(shape, body),
        _ => Ok(vec![structured(shape, body)]),
    }
}

/// Reads one event that is a JSON object.
fn structured(shape: &Shape, body: &Bytes) -> Part {
    let envelope = match serde_json::from_slice::<Envelope<'_>>(body) {
        Ok(envelope) => envelope,
        Err(error) => {
            let reason = match body.starts_with(b"\xef\xbb\xbf") {
                true => "the body starts with a byte order mark, which JSON does not allow".to_owned(),
                false => format!("the body is not a CloudEvent in JSON: {error}"),
            };
            return Part::new(body.clone(), Err(malformed(reason)));
        }
    };
    let (told, checked) = told(envelope.attributes);
    let read = checked.and_then(|()| match (envelope.data, envelope.data_base64) {
        (Some(_), Some(_)) => Err(malformed("the CloudEvent has both `data` and `data_base64`")),
        (Some(data), None) => data_fields(shape, "`data`", None, &body.slice_ref(data.get().as_bytes())),
        (None, Some(text)) => {
            let kind = attribute(&told.attributes, "datacontenttype");
            let data = STANDARD
                .decode(text)
                .map_err(|error| malformed(format!("`data_base64` is not base64 as RFC 4648 has it: {error}")))?;
            data_fields(shape, "`data_base64`", kind, &data.into())
        }
        (None, None) => data_fields(shape, "`data`", None, &Bytes::new()),
    });
    Part { body: body.clone(), fields: read, told: Some(Box::new(told)) }
}

/// Reads one event whose body is its data.
fn binary(shape: &Shape, event: &Event, body: &Bytes) -> Part {
    let mut attributes = Attributes::new();
    let mut wrong = None;
    for (prefix, name, value) in beside(event) {
        let name = name.to_ascii_lowercase();
        let value = if prefix == "ce-" { header(value) } else { Some(value.to_owned()) };
        match value {
            None => wrong = Some(malformed(format!("the attribute `{prefix}{name}` is not UTF-8 in percent-encoding"))),
            Some(_) if attribute(&attributes, &name).is_some() => {
                wrong = Some(malformed(format!("the attribute `{prefix}{name}` stands there twice")));
            }
            Some(value) => attributes.push((name.into(), value.into())),
        }
    }
    if let Some(kind) = event.attribute(CONTENT_TYPE) {
        attributes.retain(|(name, _)| name != "datacontenttype");
        attributes.push(("datacontenttype".into(), kind.clone()));
    }
    let (told, checked) = told(attributes);
    let read = wrong
        .map_or(checked, Err)
        .and_then(|()| data_fields(shape, "the body", attribute(&told.attributes, "datacontenttype"), body));
    Part { body: body.clone(), fields: read, told: Some(Box::new(told)) }
}

/// Reads a JSON array of events, each in its own bytes: one that is bad does not fail the others.
fn batch(shape: &Shape, body: &Bytes) -> Result<Vec<Part>, Error> {
    let wrong = |reason: &str| malformed(format!("the body is not a batch of CloudEvents in JSON: {reason}"));
    let start = |text: &[u8]| body.len() - text.trim_ascii_start().len();
    let mut at = start(body);
    let mut parts = Vec::new();
    if body.get(at) != Some(&b'[') {
        return Err(wrong("it is no array"));
    }
    loop {
        at = start(&body[at + 1..]);
        if parts.is_empty() && body.get(at) == Some(&b']') {
            break;
        }
        let mut element = serde_json::Deserializer::from_slice(&body[at..]).into_iter::<IgnoredAny>();
        match element.next() {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(wrong(&format!("in the event {}: {error}", parts.len() + 1))),
            None => return Err(wrong("it ends early")),
        }
        let end = at + element.byte_offset();
        if parts.len() == super::MAX_EVENTS {
            return Err(too_many());
        }
        parts.push(structured(shape, &body.slice(at..end)));
        at = start(&body[end..]);
        match body.get(at) {
            Some(b',') => {}
            Some(b']') => break,
            _ => return Err(wrong(&format!("a comma or `]` is missing behind the event {}", parts.len()))),
        }
    }
    match body[at + 1..].trim_ascii().is_empty() {
        true => Ok(parts),
        false => Err(wrong("something follows the array")),
    }
}

/// Reads the declared fields of the data. Where none is declared, or there is no data, nothing is read.
fn data_fields(shape: &Shape, what: &str, kind: Option<&str>, data: &Bytes) -> Result<Record, Error> {
    let none = Record::new(shape.layout.clone());
    let fields = shape.fields.as_ref();
    if fields.is_some_and(|fields| fields.0.is_empty()) {
        return Ok(none);
    }
    if data.is_empty() || **data == *b"null" {
        return match fields {
            Some(fields) => complete(fields, none),
            None => Ok(none),
        };
    }
    if let Some(kind) = kind.map(media_type).filter(|kind| !kind.ends_with("/json") && !kind.ends_with("+json")) {
        return Err(malformed(format!("{what} is `{kind}`; fields are read of JSON only")));
    }
    json::object(shape, data).map_err(|error| match error.code {
        Code::MALFORMED => malformed(format!("in {what}: {}", error.reason)),
        _ => error,
    })
}

/// Writes an id so that it can be told from its source: `/` and `%` percent-encoded, as few ids have them.
fn one_piece(id: &str) -> Cow<'_, str> {
    if id.contains(['/', '%']) { id.replace('%', "%25").replace('/', "%2F").into() } else { id.into() }
}

/// Makes the event's own facts of the context attributes, and checks these. What is good is kept beside what is not, so
/// that a dead letter has its event's id.
fn told(attributes: Attributes) -> (Told, Result<(), Error>) {
    let get = |name: &str| attribute(&attributes, name);
    let required = |name: &str| {
        get(name).filter(|value| !value.is_empty()).ok_or_else(|| malformed(format!("the CloudEvent has no `{name}`")))
    };
    let id = required("id").and_then(|id| Ok(format!("{}/{}", required("source")?, one_piece(id)).into()));
    let time = get("time").map(|text| {
        DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).map_err(|_| {
            let reason = format!("the CloudEvent's `time` is {text:?}, which is not RFC 3339");
            Error::poison(Stage::Decode, Code::EVENT_TIME, reason)
        })
    });
    let checked = match required("specversion") {
        Ok("1.0") => Ok(()),
        Ok(other) => Err(malformed(format!("the CloudEvent's `specversion` is {other:?}; 1.0 is read"))),
        Err(error) => Err(error),
    };
    let checked = checked
        .and_then(|()| id.as_ref().map(drop).map_err(Error::clone))
        .and_then(|()| required("type").map(drop))
        .and_then(|()| time.as_ref().map_or(Ok(()), |time| time.as_ref().map(drop).map_err(Error::clone)));
    let key = get("partitionkey").map(Into::into);
    (Told { id: id.ok(), key, time: time.and_then(Result::ok), attributes }, checked)
}

/// A CloudEvent in JSON, its data not looked into yet.
#[derive(Default)]
struct Envelope<'a> {
    attributes: Attributes,
    data: Option<&'a RawValue>,
    data_base64: Option<String>,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(name) = map.next_key::<String>()? {
            let twice = match &*name {
                "data" => envelope.data.replace(map.next_value()?).is_some(),
                "data_base64" => match map.next_value()? {
                    Some(text) => envelope.data_base64.replace(text).is_some(),
                    None => false,
                },
                _ => {
                    let twice = attribute(&envelope.attributes, &name).is_some();
                    if envelope.attributes.len() == MAX_ATTRIBUTES {
                        return Err(A::Error::custom(format!("it has more than {MAX_ATTRIBUTES} attributes")));
                    }
                    let raw: &RawValue = map.next_value()?;
                    if let Some(value) = text(raw).map_err(|what| A::Error::custom(format!("`{name}` {what}")))? {
                        envelope.attributes.push((name.as_str().into(), value.into()));
                    }
                    twice
                }
            };
            if twice {
                return Err(A::Error::custom(format!("`{name}` stands there twice")));
            }
        }
        Ok(envelope)
    }
}

/// Returns a context attribute's value as text; null is as good as absent.
fn text(raw: &RawValue) -> Result<Option<String>, String> {
    match raw.get() {
        "null" => Ok(None),
        text if text.starts_with('"') => serde_json::from_str(text).map(Some).map_err(|error| format!("is {error}")),
        text if text.starts_with(['{', '[']) => Err("must be text, a number, true or false".to_owned()),
        text => Ok(Some(text.to_owned())),
    }
}

/// Returns the context attributes beside a body: prefix, name, value.
fn beside(event: &Event) -> impl Iterator<Item = (&'static str, &str, &str)> {
    event.attributes.iter().filter_map(|(full, value)| {
        let prefix = PREFIXES
            .into_iter()
            .find(|prefix| full.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))?;
        Some((prefix, &full[prefix.len()..], &**value))
    })
}

fn attribute<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}

/// Undoes what the HTTP binding does to a header's value: quotes around it, then one round of percent-encoding.
fn header(value: &str) -> Option<String> {
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let unquoted = quoted.map(|inner| {
        let mut plain = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            plain.extend(if c == '\\' { chars.next() } else { Some(c) });
        }
        plain
    });
    let value = unquoted.unwrap_or_else(|| value.to_owned());
    let bytes = value.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code =
            value.get(at + 1..at + 3).filter(|code| *byte == b'%' && code.bytes().all(|c| c.is_ascii_hexdigit()));
        let decoded = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        plain.push(decoded.unwrap_or(*byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8(plain).ok()
}
