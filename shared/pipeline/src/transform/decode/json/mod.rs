//! JSON objects to fields. What is not declared is skipped unread.

mod strict;
mod typed;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};
use vrl::value::Value;

use super::{Shape, complete, malformed, type_error};
use crate::{
    error::{Code, Error, Stage},
    record::Record,
    types::Fields,
};
use strict::Strict;
use typed::Typed;

/// Reads one object.
pub(super) fn object(shape: &Shape, body: &Bytes) -> Result<Record, Error> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut record = Record::new(shape.layout.clone());
    let Some(fields) = &shape.fields else {
        let read = json.deserialize_map(Undeclared { record: &mut record }).and_then(|()| json.end());
        return read.map(|()| record).map_err(|error| not_json(body, &error));
    };
    let mut misfit = None;
    let declared = Declared { fields, body, record: &mut record, misfit: &mut misfit };
    let read = json.deserialize_map(declared).and_then(|()| json.end());
    match (read, misfit) {
        (_, Some(error)) => Err(error),
        (Ok(()), None) => complete(fields, record),
        (Err(error), None) => Err(not_json(body, &error)),
    }
}

fn not_json(body: &[u8], error: &serde_json::Error) -> Error {
    let reason = format!("the body is not a JSON object: {error}");
    if reason.contains("recursion limit") {
        return Error::poison(Stage::Decode, Code::TOO_LARGE, "the body is nested deeper than 127 levels");
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return malformed("the body starts with a byte order mark, which JSON does not allow");
    }
    malformed(reason)
}

/// Reads the declared fields of a JSON object; everything else is skipped unread.
struct Declared<'a> {
    fields: &'a Fields,
    body: &'a Bytes,
    record: &'a mut Record,
    misfit: &'a mut Option<Error>,
}

impl<'de> Visitor<'de> for Declared<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Declared { fields, body, record, misfit } = self;
        // Bodies of one kind have their keys in one order, mostly the declared one.
        let mut expected = 0;
        while let Some(place) = map.next_key_seed(Place { fields, expected })? {
            let Some(place) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            expected = place + 1;
            let (name, declared) = &fields.0[place];
            let mut refuse = |error: Error| {
                misfit.get_or_insert(error);
                A::Error::custom("misfit")
            };
            let value = map.next_value_seed(Typed { declared: *declared, body })?;
            if matches!(value, Ok(Value::Null)) && !declared.nullable {
                let reason = format!("the field `{name}` is null, and is declared as {declared}");
                return Err(refuse(Error::poison(Stage::Decode, Code::FIELD_MISSING, reason)));
            }
            if record.has(place) {
                return Err(refuse(malformed(format!("the field `{name}` stands there twice"))));
            }
            record.set(place, value.map_err(|found| refuse(type_error(name, &found)))?);
        }
        Ok(())
    }
}

/// The place of a key among the declared fields, if it is one of them.
struct Place<'a> {
    fields: &'a Fields,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let is_it = |(known, _): &(String, _)| known == name;
        let expected = self.fields.0.get(self.expected).is_some_and(is_it).then_some(self.expected);
        Ok(expected.or_else(|| self.fields.0.iter().position(is_it)))
    }
}

/// Reads a JSON object of anything. A key that stands there twice is refused: readers disagree on which one counts.
struct Undeclared<'a> {
    record: &'a mut Record,
}

impl<'de> Visitor<'de> for Undeclared<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value = map.next_value_seed(Strict)?;
            if self.record.get(&name).is_some() {
                return Err(A::Error::custom(format!("the field `{name}` stands there twice")));
            }
            self.record.insert(&name, value);
        }
        Ok(())
    }
}
