//! Avro's bytes to values, by a plan. What a body says about lengths and counts is believed only as far as it has bytes,
//! and the number of values and their depth are bounded.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use vrl::value::{KeyString, ObjectMap, Value};

use super::{
    super::{malformed, too_large},
    plan::{Node, Plan},
    wire::{Meaning, Text},
};
use crate::error::Error;

/// The most values of one body. Some take no bytes at all.
const MAX_VALUES: usize = 1 << 22;
const MAX_DEPTH: usize = 64;

/// The bytes of a body, and how far they were read.
pub(super) struct Input<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

/// What is left of what one body may make.
pub(super) struct Budget(usize);

impl Budget {
    /// Allows as many values as a body of so many bytes can mean: not many more than it has bytes.
    pub fn of(bytes: usize) -> Budget {
        const FEW: usize = 1 << 12;
        const TIMES: usize = 16;
        Budget(MAX_VALUES.min(FEW + TIMES * bytes))
    }
}

/// A record's fields, or what is wrong with them though its end is known.
pub(super) type Fields = Result<ObjectMap, Error>;

/// Reads one record.
///
/// # Errors
/// That the bytes are no such record: where it ends is not known then.
pub(super) fn record(plan: &Plan, input: &mut Input<'_>, budget: &mut Budget) -> Result<Fields, Error> {
    let mut reading = Reading { plan, input, budget, wrong: None };
    let read = reading.value(0, 0)?;
    Ok(match (reading.wrong, read) {
        (Some(error), _) => Err(error),
        (None, Value::Object(fields)) => Ok(fields),
        (None, _) => Err(malformed("the schema's top is no record")),
    })
}

struct Reading<'a, 'b> {
    plan: &'a Plan,
    input: &'a mut Input<'b>,
    budget: &'a mut Budget,
    /// The first value that cannot be taken.
    wrong: Option<Error>,
}

impl Reading<'_, '_> {
    fn value(&mut self, node: usize, depth: usize) -> Result<Value, Error> {
        if depth == MAX_DEPTH {
            return Err(too_large(format!("the body is nested deeper than {MAX_DEPTH} levels")));
        }
        let left = self.budget.0.checked_sub(1);
        self.budget.0 = left.ok_or_else(|| too_large("the body holds far more values than bytes".to_owned()))?;
        // Objects and arrays are JSON in expressions, which knows no moments.
        let inside = depth > 1;
        let plan = self.plan;
        match &plan.0[node] {
            Node::Null => Ok(Value::Null),
            Node::Boolean => match self.input.take(1)? {
                [0] => Ok(Value::Boolean(false)),
                [1] => Ok(Value::Boolean(true)),
                other => Err(malformed(format!("the byte {other:02x?} is no boolean"))),
            },
            Node::Whole(bits, meaning) => {
                let number = self.input.long()?;
                if *bits == 32 && i32::try_from(number).is_err() {
                    return Err(malformed(format!("{number} is no `int`")));
                }
                let value = moment(number, *meaning, inside);
                Ok(self.or_wrong(value, || format!("{number} is out of range")))
            }
            Node::Float => self.input.array().map(|bytes| self.float(f32::from_le_bytes(bytes).into())),
            Node::Double => self.input.array().map(|bytes| self.float(f64::from_le_bytes(bytes))),
            Node::Bytes(size, text) => {
                let size = match size {
                    Some(size) => *size,
                    None => self.input.length()?,
                };
                let value = worded(self.input.take(size)?, *text);
                Ok(self.or_wrong(value, || match text {
                    Text::Decimal(_) => "a decimal has more than 38 digits".to_owned(),
                    Text::Utf8 | Text::Base64 => "a text is not UTF-8".to_owned(),
                    Text::Uuid => "a UUID has not 16 bytes".to_owned(),
                }))
            }
            Node::Enum(symbols) => {
                let place = self.input.long()?;
                let symbol = usize::try_from(place).ok().and_then(|place| symbols.get(place));
                let symbol = symbol.ok_or_else(|| malformed(format!("there is no symbol {place}")))?.clone();
                Ok(self.or_wrong(symbol, || format!("the writer's symbol {place} is not one of ours")))
            }
            Node::Array(items) => {
                let mut array = Vec::new();
                self.blocks(|reading| {
                    array.push(reading.value(*items, depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::Array(array))
            }
            Node::Map(types) => {
                let mut map = ObjectMap::new();
                self.blocks(|reading| {
                    let length = reading.input.length()?;
                    let name = std::str::from_utf8(reading.input.take(length)?).map(KeyString::from);
                    let value = reading.value(*types, depth + 1)?;
                    match name {
                        Ok(name) => drop(map.insert(name, value)),
                        Err(_) => reading.note("a map's key is not UTF-8".to_owned()),
                    }
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
            Node::Union(branches) => {
                let branch = self.input.long()?;
                let found = usize::try_from(branch).ok().and_then(|branch| branches.get(branch));
                let found = found.ok_or_else(|| malformed(format!("the union has no branch {branch}")))?;
                self.value(*found, depth)
            }
            Node::Record(record) => {
                let mut fields = ObjectMap::new();
                for (name, node) in &record.fields {
                    let value = self.value(*node, depth + 1)?;
                    if let Some(name) = name {
                        fields.insert(name.clone(), value);
                    }
                }
                let defaults = record.defaults.iter();
                fields.extend(defaults.map(|(name, value)| (name.clone(), value.clone())));
                Ok(Value::Object(fields))
            }
            Node::Same(node) => self.value(*node, depth),
            Node::Nowhere(reason) => Err(malformed(reason.clone())),
        }
    }

    /// Reads the items of an array or map: blocks, each with its count, until one is empty.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        loop {
            let count = self.input.long()?;
            if count < 0 {
                // The block's bytes, for readers that skip it.
                self.input.length()?;
            }
            match count.unsigned_abs() {
                0 => return Ok(()),
                count => (0..count).try_for_each(|_| item(self))?,
            }
        }
    }

    /// NaN is no value; infinity is one that no field takes.
    fn float(&mut self, number: f64) -> Value {
        if number.is_infinite() {
            self.note("a number is infinite".to_owned());
        }
        if number.is_finite() { Value::from_f64_or_zero(number) } else { Value::Null }
    }

    fn or_wrong(&mut self, value: Option<Value>, reason: impl FnOnce() -> String) -> Value {
        value.unwrap_or_else(|| {
            self.note(reason());
            Value::Null
        })
    }

    fn note(&mut self, reason: String) {
        self.wrong.get_or_insert_with(|| malformed(reason));
    }
}

impl<'a> Input<'a> {
    /// Takes so many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| malformed(format!("the body ends early: {count} bytes more were to come")))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let taken = self.take(N)?;
        Ok(std::array::from_fn(|place| taken[place]))
    }

    /// Reads a whole number: seven bits a byte, the sign in the lowest.
    pub fn long(&mut self) -> Result<i64, Error> {
        let mut number = 0u64;
        for place in 0..10 {
            let byte = self.take(1)?[0];
            if place == 9 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err(malformed("a number has more than 64 bits"))
    }

    /// Reads a number that is a length.
    pub fn length(&mut self) -> Result<usize, Error> {
        let length = self.long()?;
        usize::try_from(length).map_err(|_| malformed(format!("{length} cannot be a length")))
    }
}

/// Makes of a whole number what it stands for; a moment inside an object or array is RFC 3339 text.
pub(super) fn moment(number: i64, meaning: Meaning, inside: bool) -> Option<Value> {
    let time = match meaning {
        Meaning::Number => return Some(Value::Integer(number)),
        Meaning::Float => return Some(Value::from_f64_or_zero(number as f64)),
        Meaning::Date => {
            let days = Days::new(number.unsigned_abs());
            let epoch = NaiveDate::default();
            let date = if number < 0 { epoch.checked_sub_days(days) } else { epoch.checked_add_days(days) };
            return date.map(|date| Value::from(date.to_string()));
        }
        Meaning::Millis => DateTime::from_timestamp_millis(number)?,
        Meaning::Micros => DateTime::from_timestamp_micros(number)?,
        Meaning::Nanos => DateTime::from_timestamp_nanos(number),
    };
    Some(if inside { Value::from(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)) } else { Value::Timestamp(time) })
}

/// Makes text of bytes.
pub(super) fn worded(bytes: &[u8], text: Text) -> Option<Value> {
    Some(match text {
        Text::Utf8 => std::str::from_utf8(bytes).ok()?.into(),
        Text::Base64 => STANDARD.encode(bytes).into(),
        Text::Uuid => {
            let hex = u128::from_be_bytes(bytes.try_into().ok()?);
            let hex = format!("{hex:032x}");
            format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]).into()
        }
        Text::Decimal(scale) => decimal(bytes, scale)?.into(),
    })
}

/// Writes a number in two's complement, the highest byte first, with so many digits behind the point.
fn decimal(bytes: &[u8], scale: usize) -> Option<String> {
    const MOST: usize = 38;
    let filler = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut number = [filler; 16];
    number[16usize.checked_sub(bytes.len())?..].copy_from_slice(bytes);
    let number = i128::from_be_bytes(number);
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale.min(MOST) + 1);
    if number.unsigned_abs() >= 10_u128.pow(MOST as u32) || scale > MOST {
        return None;
    }
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}
