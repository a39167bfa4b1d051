//! Values as bytes. Not JSON: a float must come back to the last bit, a timestamp as one, and bytes need not be text.

use bytes::Bytes;
use chrono::DateTime;
use vrl::value::{ObjectMap, Value};

/// The deepest nesting of arrays and objects.
const DEEPEST: usize = 128;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const BYTES: u8 = 6;
const TIMESTAMP: u8 = 7;
const ARRAY: u8 = 8;
const OBJECT: u8 = 9;

/// Writes a value as a tag, and what the tag says: numbers little-endian, lengths before what is counted. It may become so
/// many bytes.
///
/// # Errors
/// It is too large, too deep, or holds a regular expression.
pub(crate) fn encode(value: &Value, most: usize) -> Result<Vec<u8>, String> {
    let mut into = Bounded { bytes: Vec::new(), most };
    into.write(value, DEEPEST)?;
    Ok(into.bytes)
}

struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Bounded {
    fn write(&mut self, value: &Value, deeper: usize) -> Result<(), String> {
        match value {
            Value::Null => self.bytes.push(NULL),
            Value::Boolean(false) => self.bytes.push(FALSE),
            Value::Boolean(true) => self.bytes.push(TRUE),
            Value::Integer(integer) => self.fixed(INTEGER, integer.to_le_bytes()),
            Value::Float(float) => self.fixed(FLOAT, float.into_inner().to_le_bytes()),
            Value::String(text) => self.sized(TEXT, text.as_bytes())?,
            Value::Bytes(bytes) => self.sized(BYTES, bytes)?,
            Value::Timestamp(time) => {
                self.fixed(TIMESTAMP, time.timestamp().to_le_bytes());
                self.bytes.extend(time.timestamp_subsec_nanos().to_le_bytes());
            }
            Value::Array(items) => {
                let deeper = one_deeper(deeper)?;
                self.fixed(ARRAY, length(items.len())?);
                for item in items {
                    self.write(item, deeper)?;
                }
            }
            Value::Object(members) => {
                let deeper = one_deeper(deeper)?;
                self.fixed(OBJECT, length(members.len())?);
                for (name, member) in members {
                    self.sized(TEXT, name.as_bytes())?;
                    self.write(member, deeper)?;
                }
            }
            Value::Regex(_) => return Err("a regular expression cannot be stored".to_owned()),
        }
        // A list of nulls grows by tags alone.
        self.within(self.bytes.len())
    }

    fn fixed<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.bytes.push(tag);
        self.bytes.extend(bytes);
    }

    fn sized(&mut self, tag: u8, bytes: &[u8]) -> Result<(), String> {
        self.within(self.bytes.len().saturating_add(bytes.len()))?;
        self.fixed(tag, length(bytes.len())?);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn within(&self, size: usize) -> Result<(), String> {
        if size > self.most {
            return Err(format!("the value is larger than {} KiB, the most that is stored", self.most >> 10));
        }
        Ok(())
    }
}

fn one_deeper(deeper: usize) -> Result<usize, String> {
    deeper.checked_sub(1).ok_or_else(|| format!("the value is nested deeper than {DEEPEST}, the most that is stored"))
}

fn length(length: usize) -> Result<[u8; 4], String> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(|error| error.to_string())
}

/// Reads a value back; none where the bytes are not one.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Value> {
    let value = read(&mut bytes, DEEPEST)?;
    bytes.is_empty().then_some(value)
}

fn read(from: &mut &[u8], deeper: usize) -> Option<Value> {
    Some(match take::<1>(from)? {
        [NULL] => Value::Null,
        [FALSE] => Value::Boolean(false),
        [TRUE] => Value::Boolean(true),
        [INTEGER] => Value::Integer(i64::from_le_bytes(take(from)?)),
        [FLOAT] => Value::from_f64_or_zero(f64::from_le_bytes(take(from)?)),
        [TEXT] => text(from)?.into(),
        [BYTES] => Value::Bytes(Bytes::copy_from_slice(run(from)?)),
        [TIMESTAMP] => {
            let seconds = i64::from_le_bytes(take(from)?);
            Value::Timestamp(DateTime::from_timestamp(seconds, u32::from_le_bytes(take(from)?))?)
        }
        [ARRAY] => {
            let deeper = deeper.checked_sub(1)?;
            let items = (0..count(from)?).map(|_| read(from, deeper));
            Value::Array(items.collect::<Option<_>>()?)
        }
        [OBJECT] => {
            let deeper = deeper.checked_sub(1)?;
            let members = (0..count(from)?).map(|_| {
                let [TEXT] = take::<1>(from)? else { return None };
                let name = text(from)?.into();
                Some((name, read(from, deeper)?))
            });
            Value::Object(members.collect::<Option<ObjectMap>>()?)
        }
        _ => return None,
    })
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

fn count(from: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(take(from)?)).ok()
}

fn run<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = count(from)?;
    let (taken, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(taken)
}

fn text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(run(from)?).ok()
}
