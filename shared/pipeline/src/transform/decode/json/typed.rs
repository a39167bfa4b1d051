//! One declared field's value, made to fit while it is read: text is a slice of the body, times are never text.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use vrl::value::Value;

use super::strict::Strict;
use crate::types::{Base, FieldType, timestamp_of_text};

/// Reads a value of a declared type. The inner error is what was found instead; null always passes.
pub(super) struct Typed<'a> {
    pub declared: FieldType,
    pub body: &'a Bytes,
}

impl Typed<'_> {
    fn fit(&self, value: Value) -> Result<Value, String> {
        self.declared.fit(value)
    }

    fn text(&self, text: ByteString) -> Result<Value, String> {
        match self.declared.base {
            Base::String | Base::Any => Ok(Value::String(text)),
            Base::Timestamp => match timestamp_of_text(&text) {
                Some(time) => Ok(Value::Timestamp(time)),
                None => self.fit(Value::String(text)),
            },
            _ => self.fit(Value::String(text)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = Result<Value, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Result<Value, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Ok(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.fit(Value::Boolean(value)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.fit(Value::Integer(number)))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.fit(Value::from_f64_or_zero(number)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        // JSON text has been checked to be UTF-8 by now.
        let slice = ByteString::try_from(self.body.slice_ref(text.as_bytes()));
        Ok(self.text(slice.unwrap_or_else(|_| text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Ok(self.fit(Strict.visit_seq(seq)?))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(self.fit(Strict.visit_map(map)?))
    }
}
