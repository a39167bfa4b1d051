//! What many records have in common.

use std::{ops::Deref, sync::OnceLock};

use vrl::value::Value;

/// Holds a value many records have, such as a row that was looked up. Its JSON is made once, for all log entries it is
/// in.
#[derive(Debug)]
pub(crate) struct Shared {
    value: Value,
    json: OnceLock<String>,
}

impl Shared {
    pub fn new(value: Value) -> Shared {
        Shared { value, json: OnceLock::new() }
    }

    /// Returns it as JSON.
    pub fn json(&self) -> &str {
        // A value's keys are text, and into memory it is written without fail.
        self.json.get_or_init(|| serde_json::to_string(&self.value).unwrap_or_default())
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
