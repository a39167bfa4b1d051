//! JSON objects to fields. What is not declared is skipped unread.

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use vrl::value::{KeyString, ObjectMap, Value};

use super::{complete, malformed, type_error};
use crate::{
    error::{Code, Error, Stage},
    types::Fields,
};

/// Reads one object.
pub(super) fn object(fields: Option<&Fields>, body: &[u8]) -> Result<ObjectMap, Error> {
    let Some(fields) = fields else {
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = Undeclared.deserialize(&mut json).and_then(|read| json.end().map(|()| read));
        return read.map_err(|error| not_json(body, &error));
    };
    let mut misfit = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Declared { fields, misfit: &mut misfit }.deserialize(&mut json).and_then(|read| {
        json.end()?;
        Ok(read)
    });
    match (read, misfit) {
        (_, Some(error)) => Err(error),
        (Ok(read), None) => complete(fields, read),
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
    misfit: &'a mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for Declared<'_> {
    type Value = ObjectMap;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<ObjectMap, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Declared<'_> {
    type Value = ObjectMap;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectMap, A::Error> {
        let mut read = ObjectMap::new();
        while let Some(name) = map.next_key_seed(Name)? {
            let Some(declared) = self.fields.get(&name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: Value = map.next_value()?;
            if value.is_null() && !declared.nullable {
                let reason = format!("the field `{name}` is null, and is declared as {declared}");
                self.misfit.get_or_insert(Error::poison(Stage::Decode, Code::FIELD_MISSING, reason));
                return Err(A::Error::custom("misfit"));
            }
            let value = declared.fit(value).map_err(|found| {
                self.misfit.get_or_insert(type_error(&name, &found));
                A::Error::custom("misfit")
            })?;
            if read.insert(KeyString::from(&*name), value).is_some() {
                self.misfit.get_or_insert(malformed(format!("the field `{name}` stands there twice")));
                return Err(A::Error::custom("misfit"));
            }
        }
        Ok(read)
    }
}

/// Reads a JSON object of anything. A key that stands there twice is refused: readers disagree on which one counts.
struct Undeclared;

impl<'de> DeserializeSeed<'de> for Undeclared {
    type Value = ObjectMap;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<ObjectMap, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Undeclared {
    type Value = ObjectMap;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectMap, A::Error> {
        let mut read = ObjectMap::new();
        while let Some((name, value)) = map.next_entry::<KeyString, Value>()? {
            if let Some(twice) = read.contains_key(&name).then(|| format!("the field `{name}` stands there twice")) {
                return Err(A::Error::custom(twice));
            }
            read.insert(name, value);
        }
        Ok(read)
    }
}

/// A key, borrowed from the body unless it holds escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}
