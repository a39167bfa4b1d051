//! Bodies to fields: JSON, newline JSON and CSV, only the declared fields, each made to fit its type.

use bytes::Bytes;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use vrl::value::{KeyString, ObjectMap, Value};

use crate::{
    config::BodyFormat,
    error::{Code, Error, Stage},
    event::Event,
    types::Fields,
};

/// The largest body taken, in bytes.
const MAX_BODY: usize = 16 << 20;

/// The attribute a source gives the header line of a CSV file in.
pub(crate) const CSV_HEADER: &str = "csv-header";

/// Takes bodies apart.
pub(crate) struct Decoder {
    pub format: BodyFormat,
    pub fields: Option<Fields>,
}

/// One event of a body: the bytes it is in, and its fields.
pub(crate) type Part = (Bytes, Result<ObjectMap, Error>);

impl Decoder {
    /// Takes a body apart; one bad event does not fail the others. Never empty.
    pub fn decode(&self, event: &Event) -> Vec<Part> {
        let body = &event.body;
        if body.len() > MAX_BODY {
            let reason = format!("the body has {} bytes; {MAX_BODY} are allowed", body.len());
            return vec![(body.clone(), Err(Error::poison(Stage::Decode, Code::TOO_LARGE, reason)))];
        }
        let parts = match self.format {
            BodyFormat::Json => vec![(body.clone(), self.json(body))],
            BodyFormat::JsonLines => lines(body).map(|line| (line.clone(), self.json(&line))).collect(),
            BodyFormat::Csv => self.csv(event),
        };
        if parts.is_empty() {
            return vec![(body.clone(), Err(malformed("the body is empty")))];
        }
        parts
    }

    fn json(&self, body: &[u8]) -> Result<ObjectMap, Error> {
        let Some(fields) = &self.fields else {
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

    /// Reads rows. The columns are named by the source's header, by a first row that names every declared field that
    /// may not be null, or else are `event.fields` in order.
    fn csv(&self, event: &Event) -> Vec<Part> {
        let body = &event.body;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_ref());
        let mut header = match event.attribute(CSV_HEADER) {
            Some(line) => row(line.as_bytes()),
            None => None,
        };
        let mut parts = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            let start = reader.position().byte() as usize;
            let read = reader.read_record(&mut record);
            let end = reader.position().byte() as usize;
            let raw = body.slice(start.min(body.len())..end.min(body.len()));
            match read {
                Ok(false) => return parts,
                Ok(true) if header.is_none() && parts.is_empty() && self.is_header(&record) => {
                    header = Some(record.clone());
                }
                Ok(true) => parts.push((raw, self.cells(header.as_ref(), &record))),
                Err(error) => {
                    parts.push((raw, Err(malformed(format!("the row is not CSV: {error}")))));
                    if end <= start {
                        return parts;
                    }
                }
            }
        }
    }

    fn is_header(&self, row: &csv::StringRecord) -> bool {
        match &self.fields {
            Some(fields) => {
                let mut required = fields.0.iter().filter(|(_, declared)| !declared.nullable).peekable();
                required.peek().is_some() && required.all(|(name, _)| row.iter().any(|cell| cell == name))
            }
            None => true,
        }
    }

    fn cells(&self, header: Option<&csv::StringRecord>, row: &csv::StringRecord) -> Result<ObjectMap, Error> {
        if let Some(header) = header.filter(|header| header.len() != row.len()) {
            return Err(malformed(format!("the row has {} cells, the header {}", row.len(), header.len())));
        }
        let Some(fields) = &self.fields else {
            let header = header.ok_or_else(|| malformed("a row without a header, and no `event.fields` to name it"))?;
            return Ok(header
                .iter()
                .zip(row)
                .map(|(name, cell)| (KeyString::from(name), if cell.is_empty() { Value::Null } else { cell.into() }))
                .collect());
        };
        if header.is_none() && row.len() != fields.0.len() {
            let reason = format!("the row has {} cells, `event.fields` {} names", row.len(), fields.0.len());
            return Err(malformed(reason));
        }
        let mut read = ObjectMap::new();
        for (place, (name, declared)) in fields.0.iter().enumerate() {
            let column = match header {
                Some(header) => header.iter().position(|column| column == name),
                None => Some(place),
            };
            let Some(cell) = column.and_then(|column| row.get(column)) else { continue };
            let value = match cell {
                "" if declared.nullable => Value::Null,
                cell => declared.fit_text(cell).map_err(|found| type_error(name, &found))?,
            };
            read.insert(KeyString::from(name.as_str()), value);
        }
        complete(fields, read)
    }
}

/// Gives absent fields that may be null their null; any other absence is an error.
fn complete(fields: &Fields, mut read: ObjectMap) -> Result<ObjectMap, Error> {
    if read.len() == fields.0.len() {
        return Ok(read);
    }
    for (name, declared) in &fields.0 {
        if !read.contains_key(name.as_str()) {
            if !declared.nullable {
                let reason = format!("the field `{name}` is missing, and is declared as {declared}");
                return Err(Error::poison(Stage::Decode, Code::FIELD_MISSING, reason));
            }
            read.insert(KeyString::from(name.as_str()), Value::Null);
        }
    }
    Ok(read)
}

fn malformed(reason: impl Into<String>) -> Error {
    Error::poison(Stage::Decode, Code::MALFORMED, reason)
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

fn type_error(name: &str, found: &str) -> Error {
    Error::poison(Stage::Decode, Code::FIELD_TYPE, format!("the field `{name}` is {found}"))
}

fn row(line: &[u8]) -> Option<csv::StringRecord> {
    let mut record = csv::StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
    reader.read_record(&mut record).ok().filter(|read| *read).map(|_| record)
}

fn lines(body: &Bytes) -> impl Iterator<Item = Bytes> {
    body.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| body.slice_ref(line))
        .collect::<Vec<_>>()
        .into_iter()
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
