//! What many records have in common.

use std::{ops::Deref, sync::OnceLock};

use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::{RawValue, to_raw_value};
use vrl::value::Value;

/// Holds a value many records have, such as a row that was looked up. Its JSON is made once, for all log entries it is
/// in.
#[derive(Debug)]
pub struct Shared {
    value: Value,
    json: OnceLock<Option<Box<RawValue>>>,
}

impl Shared {
    pub(crate) fn new(value: Value) -> Shared {
        Shared { value, json: OnceLock::new() }
    }
}

impl Deref for Shared {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Shared) -> bool {
        self.value == other.value
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.json.get_or_init(|| to_raw_value(&self.value).ok()) {
            Some(json) => json.serialize(serializer),
            None => Err(S::Error::custom("the value cannot be JSON")),
        }
    }
}
