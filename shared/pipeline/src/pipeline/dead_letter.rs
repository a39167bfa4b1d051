//! Dead letters: what an event was, byte for byte, and why it can never succeed.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use bytestring::ByteString;
use serde::Serialize;

use crate::{
    error::Error,
    event::{Decoded, Event},
    ports::Outgoing,
    report::Decision,
};

/// The schema's version.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct DeadLetter<'a> {
    v: u32,
    id: &'a str,
    key: Option<&'a str>,
    time: Option<String>,
    pipeline: &'a str,
    version: &'a str,
    source: Option<&'a str>,
    stage: &'a str,
    kind: &'a str,
    code: &'a str,
    reason: &'a str,
    attributes: serde_json::Map<String, serde_json::Value>,
    body_base64: String,
}

/// Makes the dead letter of a decision.
pub(crate) fn of_decision(
    pipeline: &str,
    version: &str,
    input: &Decoded,
    decision: &Decision,
    error: &Error,
) -> Outgoing {
    let facts = decision.record.facts();
    encode(pipeline, version, input.event(), &facts.id, facts.key.as_ref(), facts.time, error, &decision.body)
}

/// Makes the dead letter of a decision-log entry that could not be written: the entry is the body.
pub(crate) fn of_log_entry(pipeline: &str, version: &str, entry: &Outgoing, error: &Error) -> Outgoing {
    let event = Event::new(entry.id.clone(), entry.body.clone());
    encode(pipeline, version, &event, &entry.id, entry.key.as_ref(), None, error, &entry.body)
}

#[allow(clippy::too_many_arguments)]
fn encode(
    pipeline: &str,
    version: &str,
    event: &Event,
    id: &ByteString,
    key: Option<&ByteString>,
    time: Option<chrono::DateTime<chrono::Utc>>,
    error: &Error,
    body: &Bytes,
) -> Outgoing {
    let letter = DeadLetter {
        v: VERSION,
        id,
        key: key.map(|key| &**key),
        time: time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        pipeline,
        version,
        source: event.group.as_deref(),
        stage: error.stage.as_str(),
        kind: error.kind.as_str(),
        code: error.code.as_str(),
        reason: &error.reason,
        attributes: event
            .attributes
            .iter()
            .map(|(name, value)| (name.to_string(), serde_json::Value::from(value.to_string())))
            .collect(),
        body_base64: STANDARD.encode(body),
    };
    Outgoing {
        id: id.clone(),
        key: key.cloned(),
        content_type: "application/json",
        attributes: vec![("code", error.code.as_str().into()), ("stage", error.stage.as_str().into())],
        // Strings and numbers only: this cannot fail.
        body: serde_json::to_vec(&letter).unwrap_or_default().into(),
    }
}
