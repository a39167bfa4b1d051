//! Fields as Rust types, for transforms and closures. Paths are names behind each other: `plane.seats`.

use chrono::{DateTime, Utc};
use vrl::value::Value;

use super::{Field, Record};
use crate::types::describe;

impl Record {
    /// Returns what a path of names leads to.
    pub fn find(&self, path: &str) -> Option<&Value> {
        let Some((first, rest)) = path.split_once('.') else { return self.get(path) };
        if let Some(Field::Said(said)) = self.layout.place(first).and_then(|place| self.fields.get(place)) {
            let (top, below) = rest.split_once('.').map_or((rest, None), |(top, below)| (top, Some(below)));
            if let Some(value) = said.named(top, below) {
                return Some(value);
            }
        }
        rest.split('.').try_fold(self.get(first)?, |value, name| value.as_object()?.get(name))
    }

    fn read<T>(&self, path: &str, what: &str, read: impl Fn(&Value) -> Option<T>) -> Result<T, String> {
        let value = self.find(path).unwrap_or(&Value::Null);
        read(value).ok_or_else(|| format!("`{path}` is {}, not {what}", describe(value)))
    }

    /// Returns text.
    ///
    /// # Errors
    /// What is there instead.
    pub fn text(&self, path: &str) -> Result<&str, String> {
        let value = self.find(path).unwrap_or(&Value::Null);
        value.to_str().ok_or_else(|| format!("`{path}` is {}, not text", describe(value)))
    }

    /// Returns a number; integers become floats.
    ///
    /// # Errors
    /// What is there instead.
    pub fn float(&self, path: &str) -> Result<f64, String> {
        self.read(path, "a number", |value| match value {
            Value::Float(number) => Some(number.into_inner()),
            Value::Integer(number) => Some(*number as f64),
            _ => None,
        })
    }

    /// Returns an integer.
    ///
    /// # Errors
    /// What is there instead.
    pub fn integer(&self, path: &str) -> Result<i64, String> {
        self.read(path, "an integer", Value::as_integer)
    }

    /// Returns true or false.
    ///
    /// # Errors
    /// What is there instead.
    pub fn boolean(&self, path: &str) -> Result<bool, String> {
        self.read(path, "true or false", Value::as_boolean)
    }

    /// Returns a time.
    ///
    /// # Errors
    /// What is there instead.
    pub fn time(&self, path: &str) -> Result<DateTime<Utc>, String> {
        self.read(path, "a time", |value| match value {
            Value::Timestamp(time) => Some(*time),
            _ => None,
        })
    }
}
