//! The decoded fields of an event as they grow through the strokes, and what expressions see of it: `.field` and
//! `%id %key %time %attributes`.

mod layout;
mod read;
mod said;
mod shared;
mod target;

use std::sync::{Arc, OnceLock};

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::{
    path::{OwnedSegment, OwnedTargetPath, PathPrefix},
    value::{KeyString, ObjectMap, Value},
};

pub(crate) use layout::Layout;
pub(crate) use said::Names;
pub use said::Said;
pub(crate) use shared::Shared;

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
#[derive(Clone, Debug, Default)]
pub struct Record {
    layout: Arc<Layout>,
    /// Fields by their place; those behind the end are absent.
    fields: Vec<Field>,
    /// Fields the layout has no place for.
    others: ObjectMap,
    facts: Facts,
    /// The facts as a VRL value, made when an expression first asks.
    metadata: OnceLock<Box<Value>>,
    /// All fields as one object, made when somebody first asks; gone when a field changes.
    whole: OnceLock<Box<Value>>,
}

/// A top-level field.
#[derive(Clone, Debug, Default)]
enum Field {
    #[default]
    Absent,
    Own(Value),
    Shared(Arc<Shared>),
    Said(Arc<Said>),
}

/// A field to be written down.
pub(crate) enum Written<'a> {
    Own(&'a Value),
    Shared(&'a Shared),
    Said(&'a Said),
}

impl Field {
    fn value(&self) -> Option<&Value> {
        match self {
            Field::Absent => None,
            Field::Own(value) => Some(value),
            Field::Shared(value) => Some(value),
            Field::Said(said) => Some(said.value()),
        }
    }

    /// Returns what lies behind it.
    fn behind(&self, rest: &[OwnedSegment]) -> Option<&Value> {
        match self {
            Field::Said(said) if !rest.is_empty() => said.at(rest),
            field if rest.is_empty() => field.value(),
            field => field.value()?.get(rest),
        }
    }

    /// Returns the value for changing; what is shared becomes the record's own.
    fn value_mut(&mut self) -> Option<&mut Value> {
        if !matches!(self, Field::Own(_)) {
            *self = Field::Own(self.take()?);
        }
        match self {
            Field::Own(value) => Some(value),
            _ => None,
        }
    }

    fn take(&mut self) -> Option<Value> {
        match std::mem::take(self) {
            Field::Absent => None,
            Field::Own(value) => Some(value),
            Field::Shared(value) => Some((**value).clone()),
            Field::Said(said) => Some(said.value().clone()),
        }
    }
}

impl Record {
    /// Makes a record without fields or facts.
    pub(crate) fn new(layout: Arc<Layout>) -> Record {
        let fields = Vec::with_capacity(layout.names().len());
        Record {
            layout,
            fields,
            others: ObjectMap::new(),
            facts: Facts::default(),
            metadata: OnceLock::new(),
            whole: OnceLock::new(),
        }
    }

    /// Returns a field of the top level.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self.layout.place(name) {
            Some(place) => self.fields.get(place)?.value(),
            None => self.others.get(name),
        }
    }

    /// Sets a field of the top level.
    pub fn insert(&mut self, name: &str, value: impl Into<Value>) {
        match self.layout.place(name) {
            Some(place) => self.set(place, value.into()),
            None => {
                self.whole.take();
                self.others.insert(KeyString::from(name), value.into());
            }
        }
    }

    /// Returns all fields as one object.
    pub fn fields(&self) -> &Value {
        self.whole.get_or_init(|| {
            let mut all = self.others.clone();
            for (name, field) in self.layout.names().iter().zip(&self.fields) {
                if let Some(value) = field.value() {
                    all.insert(name.clone(), value.clone());
                }
            }
            Box::new(Value::Object(all))
        })
    }

    /// Returns the event's own facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Returns the event's own facts for changing.
    pub(crate) fn facts_mut(&mut self) -> &mut Facts {
        self.metadata.take();
        &mut self.facts
    }

    /// Tells whether the field at a place is there.
    pub(crate) fn has(&self, place: usize) -> bool {
        self.fields.get(place).is_some_and(|field| field.value().is_some())
    }

    /// Sets the field at a place.
    pub(crate) fn set(&mut self, place: usize, value: Value) {
        *self.field(place) = Field::Own(value);
    }

    /// Takes out the field at a place.
    pub(crate) fn take(&mut self, place: usize) -> Option<Value> {
        self.field(place).take()
    }

    /// Sets the field at a place to what other records have too.
    pub(crate) fn share(&mut self, place: usize, value: Arc<Shared>) {
        *self.field(place) = Field::Shared(value);
    }

    /// Sets the field at a place to what a model said.
    pub(crate) fn say(&mut self, place: usize, said: Arc<Said>) {
        *self.field(place) = Field::Said(said);
    }

    /// Returns the field at a place for changing.
    fn field(&mut self, place: usize) -> &mut Field {
        self.whole.take();
        if self.fields.len() <= place {
            self.fields.resize_with(place + 1, Field::default);
        }
        &mut self.fields[place]
    }

    /// Copies the text of its own fields, which may be slices of something larger.
    pub(crate) fn own(&mut self) {
        fn copy(value: &mut Value) {
            match value {
                Value::String(text) => *text = ByteString::from(&**text),
                Value::Array(items) => items.iter_mut().for_each(copy),
                Value::Object(fields) => fields.values_mut().for_each(copy),
                _ => {}
            }
        }
        self.fields.iter_mut().filter_map(Field::value_mut).for_each(copy);
        self.others.values_mut().for_each(copy);
    }

    /// Returns a field as something to be written down.
    pub(crate) fn written(&self, name: &str) -> Option<Written<'_>> {
        let Some(place) = self.layout.place(name) else { return self.others.get(name).map(Written::Own) };
        match self.fields.get(place)? {
            Field::Absent => None,
            Field::Own(value) => Some(Written::Own(value)),
            Field::Shared(value) => Some(Written::Shared(value)),
            Field::Said(said) => Some(Written::Said(said)),
        }
    }

    /// Returns what lies behind the field at a place.
    pub(crate) fn behind(&self, place: usize, rest: &[OwnedSegment]) -> Option<&Value> {
        self.fields.get(place)?.behind(rest)
    }

    /// Returns what a path names.
    pub(crate) fn at(&self, path: &OwnedTargetPath) -> Option<&Value> {
        let segments = path.path.segments.as_slice();
        match (path.prefix, segments) {
            (PathPrefix::Metadata, _) => self.metadata().get(segments),
            (PathPrefix::Event, []) => Some(self.fields()),
            (PathPrefix::Event, [OwnedSegment::Field(name), rest @ ..]) => match self.layout.place(name) {
                Some(place) => self.behind(place, rest),
                None => self.others.get(name)?.get(rest),
            },
            (PathPrefix::Event, [OwnedSegment::Index(_), ..]) => None,
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
            Box::new(Value::Object(facts))
        })
    }
}
