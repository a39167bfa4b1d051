//! JSON objects as CSV rows.

use std::{io, sync::Arc};

use bytes::Bytes;
use fourstroke::types::Fields;

use super::{
    columns::Columns,
    json_object::{JsonObject, cell},
};
use crate::framed::Framed;

/// Makes rows, the first behind a header if the file has none. A copy is committed once its rows are written: until then
/// the header is not, and nothing has named the columns.
#[derive(Clone, Debug)]
pub(super) struct RowWriter {
    columns: Option<Arc<Columns>>,
    has_header: bool,
}

impl RowWriter {
    /// Writes rows behind a header, if there is one.
    pub(super) fn new(header: Option<Columns>) -> RowWriter {
        RowWriter { has_header: header.is_some(), columns: header.map(Arc::new) }
    }

    /// Takes declared fields for the columns; those that are known already must be the same.
    pub(super) fn declare(&mut self, fields: &Fields) -> io::Result<()> {
        if let Some(columns) = &self.columns {
            return columns.agree_with(fields);
        }
        let columns = Columns::new(fields.names().map(str::to_owned).collect());
        self.columns = Some(Arc::new(columns.map_err(io::Error::other)?));
        Ok(())
    }

    /// Makes a row of each body.
    pub(super) fn frame(&mut self, bodies: &[Bytes]) -> Framed {
        Framed::of(bodies, |body, into| self.row(body, into))
    }

    fn row(&mut self, body: &[u8], into: &mut Vec<u8>) -> Result<(), String> {
        let object = serde_json::from_slice(body).map_err(|error| format!("a row must be a JSON object: {error}"))?;
        let JsonObject(members) = object;
        let columns = match &self.columns {
            Some(columns) => columns.clone(),
            None => Arc::new(Columns::new(members.iter().map(|(key, _)| key.clone()).collect())?),
        };
        let mut cells = vec![None; columns.names().len()];
        for (key, value) in members {
            let place = columns.place(&key);
            let place = place.ok_or_else(|| format!("the key `{key}` is not a column; the columns are {columns}"))?;
            let cell = cell(value).map_err(|error| format!("the key `{key}`: {error}"))?;
            if cells[place].replace(cell).is_some() {
                return Err(format!("the key `{key}` is there twice; the columns are {columns}"));
            }
        }
        if !self.has_header {
            write(columns.names(), into).map_err(|error| error.to_string())?;
        }
        write(cells.iter().map(|cell| cell.as_deref().unwrap_or_default()), into).map_err(|error| error.to_string())?;
        (self.columns, self.has_header) = (Some(columns), true);
        Ok(())
    }
}

fn write<C: AsRef<[u8]>>(cells: impl IntoIterator<Item = C>, into: &mut Vec<u8>) -> csv::Result<()> {
    // One for each row, so a small one.
    let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 10).from_writer(into);
    writer.write_record(cells)?;
    Ok(writer.flush()?)
}
