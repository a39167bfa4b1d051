//! CSV rows to fields. The columns are named by the source's header, by a first row that names every declared field that
//! may not be null, or else are `event.fields` in order.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use csv::{ReaderBuilder, StringRecord};
use vrl::value::Value;

use super::{MAX_EVENTS, Part, Shape, complete, malformed, too_many, type_error};
use crate::{error::Error, record::Record, types::Fields};

/// The attribute a source gives the header line of a CSV file in.
pub(super) const HEADER: &str = "csv-header";

/// The header of the last event, as rows of one file all have the same.
#[derive(Default)]
pub(super) struct LastHeader(Option<(ByteString, Arc<Columns>)>);

/// A header, and where in it the declared fields are.
pub(super) struct Columns {
    names: StringRecord,
    of_fields: Vec<Option<usize>>,
}

impl Columns {
    fn new(names: StringRecord, fields: Option<&Fields>) -> Columns {
        let place = |name: &str| names.iter().position(|column| column == name);
        let of_fields = fields.map(|fields| fields.names().map(place).collect()).unwrap_or_default();
        Columns { names, of_fields }
    }
}

/// Reads the rows of a body, each an event.
pub(super) fn rows(
    shape: &Shape,
    header: Option<&ByteString>,
    body: &Bytes,
    last: &mut LastHeader,
) -> Result<Vec<Part>, Error> {
    let fields = shape.fields.as_ref();
    let mut columns = header.and_then(|line| named(line, fields, last));
    let mut reader = reader(body);
    let mut parts = Vec::new();
    let mut row = StringRecord::new();
    loop {
        let start = reader.position().byte() as usize;
        let read = reader.read_record(&mut row);
        let end = reader.position().byte() as usize;
        let raw = || body.slice(start.min(body.len())..end.min(body.len()));
        match read {
            Ok(false) => return Ok(parts),
            _ if parts.len() == MAX_EVENTS => return Err(too_many()),
            Ok(true) if columns.is_none() && parts.is_empty() && is_header(fields, &row) => {
                columns = Some(Arc::new(Columns::new(row.clone(), fields)));
            }
            Ok(true) => parts.push(Part::new(raw(), cells(shape, columns.as_deref(), &row))),
            Err(error) => {
                parts.push(Part::new(raw(), Err(malformed(format!("the row is not CSV: {error}")))));
                if end <= start {
                    return Ok(parts);
                }
            }
        }
    }
}

/// A buffer no larger than what is to be read: most bodies are one short row.
fn reader(body: &Bytes) -> csv::Reader<&[u8]> {
    const LARGEST: usize = 8 << 10;
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).buffer_capacity(body.len().clamp(1, LARGEST));
    builder.from_reader(body.as_ref())
}

fn named(line: &ByteString, fields: Option<&Fields>, last: &mut LastHeader) -> Option<Arc<Columns>> {
    if let Some((known, columns)) = &last.0
        && known == line
    {
        return Some(columns.clone());
    }
    let mut names = StringRecord::new();
    let read = ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes().as_ref()).read_record(&mut names);
    read.ok().filter(|read| *read)?;
    let columns = Arc::new(Columns::new(names, fields));
    last.0 = Some((line.clone(), columns.clone()));
    Some(columns)
}

fn is_header(fields: Option<&Fields>, row: &StringRecord) -> bool {
    match fields {
        Some(fields) => {
            let mut required = fields.0.iter().filter(|(_, declared)| !declared.nullable).peekable();
            required.peek().is_some() && required.all(|(name, _)| row.iter().any(|cell| cell == name))
        }
        None => true,
    }
}

fn cells(shape: &Shape, columns: Option<&Columns>, row: &StringRecord) -> Result<Record, Error> {
    if let Some(columns) = columns.filter(|columns| columns.names.len() != row.len()) {
        return Err(malformed(format!("the row has {} cells, the header {}", row.len(), columns.names.len())));
    }
    let mut read = Record::new(shape.layout.clone());
    let Some(fields) = &shape.fields else {
        let columns = columns.ok_or_else(|| malformed("a row without a header, and no `event.fields` to name it"))?;
        for (name, cell) in columns.names.iter().zip(row) {
            read.insert(name, if cell.is_empty() { Value::Null } else { cell.into() });
        }
        return Ok(read);
    };
    if columns.is_none() && row.len() != fields.0.len() {
        let reason = format!("the row has {} cells, `event.fields` {} names", row.len(), fields.0.len());
        return Err(malformed(reason));
    }
    for (place, (name, declared)) in fields.0.iter().enumerate() {
        let column = match columns {
            Some(columns) => columns.of_fields[place],
            None => Some(place),
        };
        let Some(cell) = column.and_then(|column| row.get(column)) else { continue };
        let value = match cell {
            "" if declared.nullable => Value::Null,
            cell => declared.fit_text(cell).map_err(|found| type_error(name, &found))?,
        };
        read.set(place, value);
    }
    complete(fields, read)
}
