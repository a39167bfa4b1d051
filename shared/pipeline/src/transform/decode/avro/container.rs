//! Avro object container files: the writer's schema, then blocks of records, each block compressed by itself.

use std::sync::Arc;

use apache_avro::Schema;
use bytes::Bytes;

use super::{
    super::{FEW, MAX_EVENTS, Part, Shape, compressed, malformed, too_large, too_many},
    Avro,
    plan::Plan,
    read::{Budget, Input, record},
};
use crate::error::Error;

pub(super) const MAGIC: &[u8] = b"Obj\x01";

/// The longest schema a body may bring along.
const MAX_SCHEMA: usize = 1 << 20;

/// The writer's schema of the last container: those of one stream mostly have the same.
#[derive(Default)]
pub(crate) struct LastWriter(Option<(Bytes, Arc<Plan>)>);

/// Reads every record, each in its own bytes, which are those of its writer without the container.
pub(super) fn records(avro: &Avro, shape: &Shape, body: &Bytes, last: &mut LastWriter) -> Result<Vec<Part>, Error> {
    let mut input = Input { bytes: body, at: MAGIC.len() };
    let (mut schema, mut codec) = (None, Bytes::from_static(b"null"));
    metadata(&mut input, |name, value| match name {
        b"avro.schema" => schema = Some(body.slice_ref(value)),
        b"avro.codec" => codec = body.slice_ref(value),
        _ => {}
    })?;
    let schema = schema.ok_or_else(|| malformed("the container has no `avro.schema`"))?;
    let sync = input.take(16)?;
    let plan = plan(avro, &schema, last)?;
    let mut parts = Vec::new();
    let mut budget = Budget::of(body.len());
    let most = compressed::most(body);
    let mut left = most;
    while input.at < body.len() {
        let count = input.length()?;
        let size = input.length()?;
        let packed = input.take(size)?;
        if input.take(16)? != sync {
            return Err(malformed("the container's blocks do not end as its header says"));
        }
        let block = unpacked(&codec, body.slice_ref(packed), left, most)?;
        left -= block.len();
        // A record without bytes would make any number of events of nothing.
        if count > block.len() {
            return Err(malformed(format!("a block has {count} records in {} bytes", block.len())));
        }
        let mut records = Input { bytes: &block, at: 0 };
        for _ in 0..count {
            if parts.len() == MAX_EVENTS.min(FEW + body.len()) {
                return Err(too_many());
            }
            let start = records.at;
            let read = record(&plan, &mut records, &mut budget)?;
            parts.push(Part::new(block.slice(start..records.at), read.and_then(|read| avro.fit(shape, read))));
        }
        if records.at < block.len() {
            return Err(malformed("a block goes on behind its last record"));
        }
    }
    Ok(parts)
}

/// Reads the header's map of bytes.
fn metadata<'a>(input: &mut Input<'a>, mut each: impl FnMut(&'a [u8], &'a [u8])) -> Result<(), Error> {
    loop {
        let count = input.long()?;
        if count < 0 {
            input.length()?;
        }
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count.unsigned_abs() {
            let length = input.length()?;
            let name = input.take(length)?;
            let length = input.length()?;
            each(name, input.take(length)?);
        }
    }
}

fn plan(avro: &Avro, schema: &Bytes, last: &mut LastWriter) -> Result<Arc<Plan>, Error> {
    if let Some((known, plan)) = &last.0
        && known == schema
    {
        return Ok(plan.clone());
    }
    if schema.len() > MAX_SCHEMA {
        return Err(too_large(format!("the container's schema has {} bytes; {MAX_SCHEMA} are allowed", schema.len())));
    }
    let wrong = |reason: String| malformed(format!("the container's schema: {reason}"));
    let text = std::str::from_utf8(schema).map_err(|error| wrong(error.to_string()))?;
    let writer = Schema::parse_str(text).map_err(|error| wrong(error.to_string()))?;
    let plan = Arc::new(Plan::new(&writer, &avro.schema, |name| avro.fields.get(name).is_some()).map_err(wrong)?);
    last.0 = Some((Bytes::copy_from_slice(schema), plan.clone()));
    Ok(plan)
}

fn unpacked(codec: &[u8], packed: Bytes, left: usize, most: usize) -> Result<Bytes, Error> {
    let read = match codec {
        b"null" => Ok(packed),
        b"deflate" => compressed::bounded(flate2::bufread::DeflateDecoder::new(&packed[..]), left).map(Bytes::from),
        b"zstandard" => compressed::zstandard(&packed, left).map(Bytes::from),
        other => {
            let name = String::from_utf8_lossy(other);
            return Err(malformed(format!(
                "the container's codec `{name}` is not read; null, deflate and zstandard are"
            )));
        }
    };
    let read = read.map_err(|error| malformed(format!("a block cannot be decompressed: {error}")))?;
    if read.len() > left {
        return Err(too_large(format!("the container holds more than {most} bytes")));
    }
    Ok(read)
}
