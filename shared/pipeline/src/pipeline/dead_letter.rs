//! Dead letters: what an event was, byte for byte, and why it can never succeed.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytestring::ByteString;
use serde::Serialize;

use crate::{error::Error, event::Decoded, identity, ports::Outgoing, report::Decision};

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
    /// Where it came from: its group.
    source: Option<&'a str>,
    stage: &'a str,
    kind: &'a str,
    code: &'a str,
    reason: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
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
    let letter = DeadLetter {
        id: &facts.id,
        key: facts.key.as_deref(),
        time: facts.time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        source: input.event().group.as_deref(),
        attributes: facts.attributes.iter().map(|(name, value)| (&**name, &**value)).collect(),
        ..DeadLetter::new(pipeline, version, error, &decision.body)
    };
    letter.outgoing(facts.key.as_ref())
}

/// Makes the dead letter of a decision-log entry that could not be written: the entry is the body.
pub(crate) fn of_log_entry(pipeline: &str, version: &str, entry: &Outgoing, error: &Error) -> Outgoing {
    let letter = DeadLetter {
        id: &entry.id,
        key: entry.key.as_deref(),
        ..DeadLetter::new(pipeline, version, error, &entry.body)
    };
    letter.outgoing(entry.key.as_ref())
}

impl<'a> DeadLetter<'a> {
    fn new(pipeline: &'a str, version: &'a str, error: &'a Error, body: &[u8]) -> DeadLetter<'a> {
        DeadLetter {
            v: VERSION,
            id: "",
            key: None,
            time: None,
            pipeline,
            version,
            source: None,
            stage: error.stage.as_str(),
            kind: error.kind.as_str(),
            code: error.code.as_str(),
            reason: &error.reason,
            attributes: BTreeMap::new(),
            body_base64: STANDARD.encode(body),
        }
    }

    fn outgoing(&self, key: Option<&ByteString>) -> Outgoing {
        // Strings and numbers only: this cannot fail.
        let mut body = serde_json::to_string(self).unwrap_or_default();
        // Services that speak XML take neither, and an id or a reason may have them.
        for (character, escape) in [("\u{fffe}", "\\ufffe"), ("\u{ffff}", "\\uffff")] {
            if body.contains(character) {
                body = body.replace(character, escape);
            }
        }
        Outgoing {
            // Of what it is about and what it says: other poison under the same id is another letter.
            id: identity::hash(&[self.id.as_bytes(), self.code.as_bytes(), self.body_base64.as_bytes()]).into(),
            key: key.cloned(),
            content_type: "application/json",
            attributes: vec![("code", self.code.into()), ("stage", self.stage.into())],
            body: body.into(),
        }
    }
}
