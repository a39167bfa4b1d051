//! JSON as the log writes it: what is the same in every entry is copied, not serialised.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
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

    /// Appends a time, RFC 3339 with milliseconds.
    pub fn time(&mut self, time: DateTime<Utc>) {
        let (year, month, day) = (time.year(), time.month(), time.day());
        if !(0..=9999).contains(&year) || time.nanosecond() >= 1_000_000_000 {
            // Before the year 0, after 9999, or in a leap second.
            return self.text(&time.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        self.raw("\"");
        self.digits(year.unsigned_abs(), 1_000, "-");
        self.digits(month, 10, "-");
        self.digits(day, 10, "T");
        self.digits(time.hour(), 10, ":");
        self.digits(time.minute(), 10, ":");
        self.digits(time.second(), 10, ".");
        self.digits(time.timestamp_subsec_millis(), 100, "Z\"");
    }

    /// Appends a number in as many digits as its highest place has, and what follows.
    fn digits(&mut self, number: u32, highest: u32, then: &str) {
        let mut place = highest;
        while place > 0 {
            self.0.push(b'0' + (number / place % 10) as u8);
            place /= 10;
        }
        self.raw(then);
    }

    /// Appends a field of a record.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Null => self.raw("null"),
            Value::Integer(number) => self.any(number),
            Value::Float(number) => self.any(&number.into_inner()),
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::Json;

    proptest! {
        #[test]
        fn times_are_as_chrono_writes_them(seconds in -70_000_000_000_i64..300_000_000_000, nanos in 0_u32..1_999_999_999) {
            let Some(time) = DateTime::from_timestamp(seconds, nanos) else { return Ok(()) };
            let mut written = Vec::new();
            Json(&mut written).time(time);
            let expected = format!("\"{}\"", time.to_rfc3339_opts(SecondsFormat::Millis, true));
            prop_assert_eq!(String::from_utf8(written).unwrap(), expected);
        }

        #[test]
        fn text_is_as_serde_writes_it(text in "[a-z\"\\\\\n\u{0}é🦀]{0,12}") {
            let mut written = Vec::new();
            Json(&mut written).text(&text);
            prop_assert_eq!(written, serde_json::to_vec(&text).unwrap());
        }
    }
}
