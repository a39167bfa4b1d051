//! The decoded fields of an event as they grow through the strokes, and what expressions see of it: `.field` and
//! `%id %key %time %attributes`.

use std::sync::OnceLock;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::{
    compiler::{SecretTarget, Target},
    path::{OwnedTargetPath, PathPrefix},
    value::{KeyString, ObjectMap, Value},
};

use crate::event::Attributes;

/// The event's own facts, read in expressions as `%id`, `%key`, `%time` and `%attributes`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The event's id: `event.id`'s, else the platform's.
    pub id: ByteString,
    /// Order is kept per key: `event.key`'s, else the platform's.
    pub key: Option<ByteString>,
    /// When it happened: `event.time`'s, else the platform's.
    pub time: Option<DateTime<Utc>>,
    /// What came beside the body.
    pub attributes: Attributes,
}

/// Holds the decoded fields and the event's own facts.
///
/// ```
/// use fourstroke::record::Record;
/// let mut record = Record::default();
/// record.insert("amount", 3);
/// assert_eq!(record.get("amount"), Some(&3.into()));
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    fields: Value,
    facts: Facts,
    /// The facts as a VRL value, made when an expression first asks.
    metadata: OnceLock<Value>,
}

impl Default for Record {
    fn default() -> Self {
        Record::new(ObjectMap::new())
    }
}

impl Record {
    /// Makes a record of fields, with no facts yet.
    pub fn new(fields: ObjectMap) -> Record {
        Record { fields: Value::Object(fields), facts: Facts::default(), metadata: OnceLock::new() }
    }

    /// Returns a field of the top level.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.as_object()?.get(name)
    }

    /// Sets a field of the top level.
    pub fn insert(&mut self, name: &str, value: impl Into<Value>) {
        if let Value::Object(fields) = &mut self.fields {
            fields.insert(KeyString::from(name), value.into());
        }
    }

    /// Returns all fields as one object.
    pub fn fields(&self) -> &Value {
        &self.fields
    }

    /// Returns the event's own facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Sets the event's own facts.
    pub fn set_facts(&mut self, facts: Facts) {
        self.facts = facts;
        self.metadata = OnceLock::new();
    }

    /// Returns what a path names.
    pub fn at(&self, path: &OwnedTargetPath) -> Option<&Value> {
        match path.prefix {
            PathPrefix::Event => self.fields.get(&path.path),
            PathPrefix::Metadata => self.metadata().get(&path.path),
        }
    }

    fn metadata(&self) -> &Value {
        self.metadata.get_or_init(|| {
            let text = |text: &ByteString| Value::from(text.clone());
            let attributes: ObjectMap =
                self.facts.attributes.iter().map(|(name, value)| (KeyString::from(&**name), text(value))).collect();
            let mut facts = ObjectMap::new();
            facts.insert("id".into(), text(&self.facts.id));
            facts.insert("key".into(), self.facts.key.as_ref().map_or(Value::Null, text));
            facts.insert("time".into(), self.facts.time.map_or(Value::Null, Value::Timestamp));
            facts.insert("attributes".into(), Value::Object(attributes));
            Value::Object(facts)
        })
    }
}

/// Programs change only `.`: paths under `%` are read-only at compile time.
impl Target for Record {
    fn target_insert(&mut self, path: &OwnedTargetPath, value: Value) -> Result<(), String> {
        match path.prefix {
            PathPrefix::Event => {
                self.fields.insert(&path.path, value);
                Ok(())
            }
            PathPrefix::Metadata => Err("the event's own facts cannot be changed".to_owned()),
        }
    }

    fn target_get(&self, path: &OwnedTargetPath) -> Result<Option<&Value>, String> {
        Ok(self.at(path))
    }

    fn target_get_mut(&mut self, path: &OwnedTargetPath) -> Result<Option<&mut Value>, String> {
        match path.prefix {
            PathPrefix::Event => Ok(self.fields.get_mut(&path.path)),
            PathPrefix::Metadata => Err("the event's own facts cannot be changed".to_owned()),
        }
    }

    fn target_remove(&mut self, path: &OwnedTargetPath, compact: bool) -> Result<Option<Value>, String> {
        match path.prefix {
            PathPrefix::Event => Ok(self.fields.remove(&path.path, compact)),
            PathPrefix::Metadata => Err("the event's own facts cannot be changed".to_owned()),
        }
    }
}

/// There are no secrets in a record.
impl SecretTarget for Record {
    fn get_secret(&self, _: &str) -> Option<&str> {
        None
    }

    fn insert_secret(&mut self, _: &str, _: &str) {}

    fn remove_secret(&mut self, _: &str) {}
}
