//! What the store keeps about one event: the decision, what of it is done, and who is acting on it.

use std::sync::Arc;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::value::{KeyString, ObjectMap, Value};

use super::Found;
use crate::{
    clock::span,
    identity::sha256,
    ports::{Key, Outgoing},
    report::{Action, Decision},
};

/// The form of an entry. One of another form is not understood.
const VERSION: i64 = 1;

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Who put it: different for each attempt.
    pub token: ByteString,
    /// Which attempt it is, from 1.
    pub attempt: i64,
    /// Until then nobody else acts.
    pub leased_until: DateTime<Utc>,
    /// The digest of the event's body.
    pub payload: ByteString,
    /// When it was decided, and by which version of the pipeline.
    pub decided_at: DateTime<Utc>,
    pub version: ByteString,
    pub candidates: Vec<Arc<str>>,
    pub held_back: Vec<Arc<str>>,
    /// In the order of the decision; `earlier` tells those that are done.
    pub actions: Vec<Action>,
}

/// Who may act, and until when.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub token: ByteString,
    pub until: DateTime<Utc>,
}

/// Names the place of an event's entry: its key is the subject, or its decision where it has none.
pub(crate) fn key(decision: &Decision) -> Key {
    let subject = decision.record.facts().key.as_ref().unwrap_or(&decision.id);
    Key::new(&**subject, format!("once#{}", decision.id))
}

impl Entry {
    /// Makes the entry of what was just decided.
    pub fn of(decision: &Decision, lease: &Lease, version: &str, now: DateTime<Utc>) -> Entry {
        Entry {
            token: lease.token.clone(),
            attempt: 1,
            leased_until: lease.until,
            payload: sha256(&decision.body).into(),
            decided_at: now,
            version: version.into(),
            candidates: decision.candidates.clone(),
            held_back: decision.held_back.clone(),
            actions: decision.actions.clone(),
        }
    }

    /// Says what it means to one attempt.
    pub fn found(&self, lease: &Lease, now: DateTime<Utc>) -> Found {
        if self.actions.iter().all(|action| action.earlier) {
            Found::Done
        } else if self.token == lease.token {
            Found::Mine
        } else if now < self.leased_until {
            Found::Leased
        } else {
            Found::Open
        }
    }

    /// Makes it another attempt's.
    pub fn taken_over(self, lease: &Lease) -> Entry {
        Entry { token: lease.token.clone(), leased_until: lease.until, attempt: self.attempt.saturating_add(1), ..self }
    }

    /// Ends the lease.
    pub fn given_back(self) -> Entry {
        Entry { leased_until: DateTime::UNIX_EPOCH, ..self }
    }

    /// Writes it for the store.
    pub fn to_value(&self) -> Value {
        let names = |names: &[Arc<str>]| Value::Array(names.iter().map(|name| Value::from(&**name)).collect());
        let mut fields = ObjectMap::new();
        let mut set = |name: &str, value: Value| drop(fields.insert(KeyString::from(name), value));
        set("v", VERSION.into());
        set("token", self.token.clone().into());
        set("attempt", self.attempt.into());
        set("leased_until", self.leased_until.timestamp_millis().into());
        set("payload", self.payload.clone().into());
        set("decided_at", self.decided_at.timestamp_millis().into());
        set("version", self.version.clone().into());
        set("candidates", names(&self.candidates));
        set("held_back", names(&self.held_back));
        set("actions", Value::Array(self.actions.iter().map(write_action).collect()));
        Value::Object(fields)
    }

    /// Reads it back; none where it is not one.
    pub fn from_value(value: &Value) -> Option<Entry> {
        let fields = value.as_object()?;
        if integer(fields, "v")? != VERSION {
            return None;
        }
        let names = |name: &str| {
            let list = fields.get(name)?.as_array()?;
            list.iter().map(|name| Some(Arc::from(name.to_str()?))).collect::<Option<Vec<Arc<str>>>>()
        };
        Some(Entry {
            token: text(fields, "token")?,
            attempt: integer(fields, "attempt")?,
            leased_until: moment(fields, "leased_until")?,
            payload: text(fields, "payload")?,
            decided_at: moment(fields, "decided_at")?,
            version: text(fields, "version")?,
            candidates: names("candidates")?,
            held_back: names("held_back")?,
            actions: fields.get("actions")?.as_array()?.iter().map(read_action).collect::<Option<_>>()?,
        })
    }
}

impl Lease {
    /// Tells whether the lease outlasts what may take that long from now.
    pub fn outlasts(&self, now: DateTime<Utc>, acting: std::time::Duration) -> bool {
        now + span(acting) <= self.until
    }
}

fn write_action(action: &Action) -> Value {
    let Outgoing { id, key, content_type, attributes, body } = &action.outgoing;
    let mut fields = ObjectMap::new();
    let mut set = |name: &str, value: Value| drop(fields.insert(KeyString::from(name), value));
    set("name", (&*action.name).into());
    set("to", (&*action.to).into());
    set("done", (action.taken || action.earlier).into());
    set("id", id.clone().into());
    set("key", key.clone().map_or(Value::Null, Value::from));
    set("content_type", (&**content_type).into());
    let pair = |(name, value): &(&'static str, ByteString)| Value::Array(vec![(*name).into(), value.clone().into()]);
    set("attributes", Value::Array(attributes.iter().map(pair).collect()));
    // As text, so that people can read it; an action's body is JSON.
    set("body", String::from_utf8_lossy(body).into_owned().into());
    Value::Object(fields)
}

fn read_action(value: &Value) -> Option<Action> {
    let fields = value.as_object()?;
    let attribute = |pair: &Value| {
        let [name, value] = pair.as_array()? else { return None };
        let name = ["decision-id", "action", "pipeline"].into_iter().find(|known| name.to_str() == Some(*known))?;
        Some((name, ByteString::from(value.to_str()?)))
    };
    let content_type = text(fields, "content_type")?;
    let content_type = crate::act::CONTENT_TYPES.into_iter().find(|known| **known == *content_type)?;
    let body = text(fields, "body")?.into_bytes();
    Some(Action {
        name: Arc::from(&*text(fields, "name")?),
        to: Arc::from(&*text(fields, "to")?),
        data: data(content_type, &body).unwrap_or(Value::Null),
        outgoing: Outgoing {
            id: text(fields, "id")?,
            key: fields.get("key")?.to_str().map(ByteString::from),
            content_type,
            attributes: fields.get("attributes")?.as_array()?.iter().map(attribute).collect::<Option<_>>()?,
            body,
        },
        taken: false,
        earlier: fields.get("done")?.as_boolean()?,
        once: true,
        limits: Vec::new(),
        unsure: false,
    })
}

/// Reads an action's data out of what was sent of it.
fn data(content_type: &str, body: &[u8]) -> Option<Value> {
    let sent: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(if content_type == crate::act::CLOUD_EVENT { Value::from(sent.get("data")?) } else { Value::from(sent) })
}

fn text(fields: &ObjectMap, name: &str) -> Option<ByteString> {
    fields.get(name)?.to_str().map(ByteString::from)
}

fn integer(fields: &ObjectMap, name: &str) -> Option<i64> {
    fields.get(name)?.as_integer()
}

fn moment(fields: &ObjectMap, name: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(integer(fields, name)?)
}
