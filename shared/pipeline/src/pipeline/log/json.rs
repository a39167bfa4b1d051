//! JSON as the log writes it: what is the same in every entry is copied, not serialised.

use serde::Serialize;
use vrl::value::Value;

/// Appends JSON to a buffer.
pub(super) struct Json<'a>(pub &'a mut Vec<u8>);

impl Json<'_> {
    /// Appends what is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// Appends a string.
    pub fn text(&mut self, text: &str) {
        // Over all bytes rather than up to the first that needs escapes: that is done many at a time.
        let plain = text.bytes().fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'));
        if !plain {
            return self.any(text);
        }
        self.0.push(b'"');
        self.raw(text);
        self.0.push(b'"');
    }

    /// Appends a string or null.
    pub fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.raw("null"),
        }
    }

    /// Appends a field of a record.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Null => self.raw("null"),
            value => self.any(value),
        }
    }

    /// Appends anything that serialises.
    pub fn any(&mut self, value: &(impl Serialize + ?Sized)) {
        // Text, numbers and finite floats only, into memory: this cannot fail.
        let _ = serde_json::to_writer(&mut *self.0, value);
    }

    /// Appends items between brackets.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut item: impl FnMut(&mut Self, T)) {
        self.raw("[");
        for (place, one) in items.into_iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            item(self, one);
        }
        self.raw("]");
    }

    /// Appends names and what they stand for between braces.
    pub fn object<'n, T>(
        &mut self,
        entries: impl IntoIterator<Item = (&'n str, T)>,
        mut value: impl FnMut(&mut Self, T),
    ) {
        self.raw("{");
        for (place, (name, one)) in entries.into_iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            self.text(name);
            self.raw(":");
            value(self, one);
        }
        self.raw("}");
    }
}
