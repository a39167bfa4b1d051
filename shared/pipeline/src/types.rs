//! Declared field types: `string`, `"float?"` and so on; what they mean to expressions, and how values are made to fit.

use std::fmt;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use vrl::value::{Kind, Value, kind::Collection};

/// The base of a declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// UTF-8 text.
    String,
    /// 64-bit signed integer.
    Integer,
    /// 64-bit float; whole numbers that are exactly a float are taken too.
    Float,
    /// True or false.
    Boolean,
    /// RFC 3339 text, or epoch seconds (below 10^11) or milliseconds.
    Timestamp,
    /// An object of anything.
    Object,
    /// An array of anything.
    Array,
    /// Anything but null.
    Any,
}

impl Base {
    /// Every base with its name in the pipeline file.
    pub const ALL: [(Base, &'static str); 8] = [
        (Base::String, "string"),
        (Base::Integer, "integer"),
        (Base::Float, "float"),
        (Base::Boolean, "boolean"),
        (Base::Timestamp, "timestamp"),
        (Base::Object, "object"),
        (Base::Array, "array"),
        (Base::Any, "any"),
    ];

    fn name(self) -> &'static str {
        Base::ALL.iter().find(|(base, _)| *base == self).map_or("any", |(_, name)| name)
    }
}

/// A declared type: a base, and whether null (or absence) is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// What it holds.
    pub base: Base,
    /// Written with a `?` behind the base.
    pub nullable: bool,
}

impl FieldType {
    /// Reads `float`, `"float?"` and so on.
    ///
    /// ```
    /// use fourstroke::types::{Base, FieldType};
    /// assert_eq!(FieldType::parse("float?"), Some(FieldType { base: Base::Float, nullable: true }));
    /// assert_eq!(FieldType::parse("flota"), None);
    /// ```
    pub fn parse(text: &str) -> Option<FieldType> {
        let (name, nullable) = match text.strip_suffix('?') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let (base, _) = Base::ALL.iter().find(|(_, known)| *known == name)?;
        Some(FieldType { base: *base, nullable })
    }

    /// Returns the type expressions see.
    pub fn kind(self) -> Kind {
        let kind = match self.base {
            Base::String => Kind::bytes(),
            Base::Integer => Kind::integer(),
            Base::Float => Kind::float(),
            Base::Boolean => Kind::boolean(),
            Base::Timestamp => Kind::timestamp(),
            Base::Object => Kind::object(Collection::json()),
            Base::Array => Kind::array(Collection::json()),
            Base::Any => Kind::json().or_timestamp(),
        };
        if self.nullable { kind.or_null() } else { kind }
    }

    /// Makes a value fit.
    ///
    /// # Errors
    /// What was found, when it cannot be made to fit without loss.
    pub fn fit(self, value: Value) -> Result<Value, String> {
        let found = match (self.base, value) {
            (_, Value::Null) if self.nullable => return Ok(Value::Null),
            (_, Value::Null) => return Err(format!("null, where {self} is declared")),
            (Base::Integer, Value::Integer(number)) => return Ok(Value::Integer(number)),
            (Base::Float, Value::Integer(number)) if (number as f64) as i128 == i128::from(number) => {
                return Ok(Value::from_f64_or_zero(number as f64));
            }
            (Base::Float, Value::Float(number)) if number.is_finite() => return Ok(Value::Float(number)),
            (Base::Boolean, Value::Boolean(value)) => return Ok(Value::Boolean(value)),
            (Base::Object, Value::Object(value)) => return Ok(Value::Object(value)),
            (Base::Array, Value::Array(value)) => return Ok(Value::Array(value)),
            (Base::Any, value) => return Ok(value),
            (Base::String, value @ (Value::String(_) | Value::Bytes(_))) => match value.to_str() {
                Some(_) => return Ok(value),
                None => value,
            },
            (Base::Timestamp, value) => match timestamp(&value) {
                Some(time) => return Ok(Value::Timestamp(time)),
                None => value,
            },
            (_, value) => value,
        };
        Err(format!("{}, where {self} is declared", describe(&found)))
    }

    /// Makes a cell of a table without types fit; an empty one is null.
    ///
    /// # Errors
    /// What was found, when it is not of this type.
    pub fn fit_text(self, text: &str) -> Result<Value, String> {
        let value = match self.base {
            _ if text.is_empty() && (self.nullable || self.base != Base::String) => Some(Value::Null),
            Base::String | Base::Timestamp | Base::Any => Some(Value::from(ByteString::from(text))),
            Base::Integer => text.parse::<i64>().ok().map(Value::from),
            // A whole number stays one, so that `fit` refuses it where a float would round it, as it does in JSON.
            Base::Float => match text.parse::<i64>() {
                Ok(number) => Some(Value::Integer(number)),
                Err(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::from_f64_or_zero),
            },
            Base::Boolean => match text {
                "true" | "TRUE" | "True" => Some(Value::Boolean(true)),
                "false" | "FALSE" | "False" => Some(Value::Boolean(false)),
                _ => None,
            },
            Base::Object | Base::Array => serde_json::from_str(text).ok(),
        };
        match value {
            Some(value) => self.fit(value),
            None => Err(format!("{text:?}, where {self} is declared")),
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.base.name(), if self.nullable { "?" } else { "" })
    }
}

/// Declared fields in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(String, FieldType)>);

impl Fields {
    /// Returns the type of a field.
    pub fn get(&self, name: &str) -> Option<FieldType> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, declared)| *declared)
    }

    /// Returns the names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the type expressions see: an object of just these fields.
    pub fn kind(&self) -> Kind {
        let mut known = Collection::empty();
        for (name, declared) in &self.0 {
            known = known.with_known(name.as_str(), declared.kind());
        }
        Kind::object(known)
    }
}

/// Reads a moment: a timestamp, RFC 3339 text, or epoch seconds (below 10^11) or milliseconds.
///
/// ```
/// use fourstroke::types::timestamp;
/// assert_eq!(timestamp(&"2013-10-01T00:00:00Z".into()), timestamp(&1380585600.into()));
/// ```
pub fn timestamp(value: &Value) -> Option<DateTime<Utc>> {
    const SECONDS_BELOW: f64 = 1e11;
    match value {
        Value::Timestamp(time) => Some(*time),
        Value::Integer(number) if (number.unsigned_abs() as f64) < SECONDS_BELOW => {
            DateTime::from_timestamp(*number, 0)
        }
        Value::Integer(number) => DateTime::from_timestamp_millis(*number),
        Value::Float(number) if number.is_finite() => {
            let millis = if number.abs() < SECONDS_BELOW { number.into_inner() * 1e3 } else { number.into_inner() };
            DateTime::from_timestamp_micros((millis * 1e3) as i64)
        }
        value => timestamp_of_text(value.to_str()?),
    }
}

/// Reads RFC 3339.
pub(crate) fn timestamp_of_text(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// Names what a value is, shortening long ones, for messages.
pub(crate) fn describe(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::Object(_) => return "an object".to_owned(),
        Value::Array(_) => return "an array".to_owned(),
        Value::Float(number) => format!("{number:?}"),
        value => value.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
