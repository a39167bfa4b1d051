//! Avro, <https://avro.apache.org/docs/1.12.0/specification/>: a record alone, one behind its schema's fingerprint, or a
//! container of many. Schemas are parsed by `apache-avro`; bytes are read here, with bounds, straight into values.

mod container;
mod default;
mod fields;
mod plan;
mod read;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};

use apache_avro::{Schema, rabin::Rabin};
use bytes::Bytes;
use vrl::value::ObjectMap;

pub(crate) use container::LastWriter;
pub(crate) use fields::Unfit;

use self::{
    plan::Plan,
    read::{Budget, Input},
};
use super::{Part, Shape, complete, malformed, type_error};
use crate::{
    error::{Code, Error, Stage},
    record::Record,
    types::Fields,
};

/// What stands before a fingerprint: the single-object encoding.
const SINGLE_OBJECT: &[u8] = b"\xc3\x01";

/// Our schema, and how bytes written by it are read.
pub(crate) struct Avro {
    schema: Schema,
    plan: Plan,
    fingerprint: Vec<u8>,
    /// `event.fields`, else those of the schema.
    pub fields: Fields,
}

impl Avro {
    /// Reads a schema. Without declared fields, all of its own are.
    ///
    /// # Errors
    /// What is wrong with the schema, or with each declared field.
    pub fn new(text: &[u8], declared: Option<&Fields>) -> Result<Avro, Vec<Unfit>> {
        let wrong = |reason: String| vec![Unfit { field: None, reason, help: None }];
        let text = std::str::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
        let schema = catch_unwind(|| Schema::parse_str(text)).map_err(|_| wrong("it cannot be read".to_owned()))?;
        let schema = schema.map_err(|error| wrong(error.to_string()))?;
        let fields = fields::fields(&schema, declared)?;
        let plan = Plan::new(&schema, &schema, |name| fields.get(name).is_some()).map_err(wrong)?;
        let fingerprint = schema.fingerprint::<Rabin>().bytes;
        Ok(Avro { plan, fingerprint, fields, schema })
    }

    /// Takes a body apart.
    pub fn events(&self, shape: &Shape, body: &Bytes, last: &mut LastWriter) -> Result<Vec<Part>, Error> {
        let read = || match body.strip_prefix(container::MAGIC) {
            Some(_) => container::records(self, shape, body, last),
            None => self.alone(shape, body).map(|read| vec![Part::new(body.clone(), read)]),
        };
        // A container brings a schema of its own for a library to read.
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(malformed("reading the body panicked")))
    }

    /// Reads one record. It may begin by chance as a fingerprint does: then it is whole without one.
    fn alone(&self, shape: &Shape, body: &[u8]) -> Result<Result<Record, Error>, Error> {
        let Some(rest) = body.strip_prefix(SINGLE_OBJECT) else { return self.whole(shape, body) };
        match rest.strip_prefix(&self.fingerprint[..]) {
            Some(datum) => self.whole(shape, datum),
            None => self.whole(shape, body).map_err(|error| match rest.first_chunk::<8>() {
                Some(found) => {
                    let found = u64::from_le_bytes(*found);
                    malformed(format!("the body is of another schema, whose fingerprint is {found:016x}"))
                }
                None => error,
            }),
        }
    }

    fn whole(&self, shape: &Shape, datum: &[u8]) -> Result<Result<Record, Error>, Error> {
        let mut input = Input { bytes: datum, at: 0 };
        let read = read::record(&self.plan, &mut input, &mut Budget::of(datum.len()))?;
        match datum.len() - input.at {
            0 => Ok(read.and_then(|read| self.fit(shape, read))),
            more => Err(malformed(format!("{more} bytes stand behind the record"))),
        }
    }

    /// Makes a record of the values, each fitting its field.
    fn fit(&self, shape: &Shape, mut read: ObjectMap) -> Result<Record, Error> {
        let mut record = Record::new(shape.layout.clone());
        for (place, (name, declared)) in self.fields.0.iter().enumerate() {
            let Some(value) = read.remove(name.as_str()) else { continue };
            if value.is_null() && !declared.nullable {
                let reason = format!("the field `{name}` is null or NaN, and is declared as {declared}");
                return Err(Error::poison(Stage::Decode, Code::FIELD_MISSING, reason));
            }
            record.set(place, declared.fit(value).map_err(|found| type_error(name, &found))?);
        }
        complete(&self.fields, record)
    }
}
