//! What a sink has open: the file, and for a table its columns.

use std::{io, path::Path};

use bytes::Bytes;
use fourstroke::{ports::SendError, types::Fields};

use super::{
    append::Appender,
    columns::Columns,
    layout::{Content, Packing},
    row_writer::RowWriter,
};
use crate::framed::{Framed, line};

/// Makes lines or rows of bodies and appends them.
#[derive(Debug)]
pub(super) struct Target {
    appender: Appender,
    /// None where lines are written.
    rows: Option<RowWriter>,
}

impl Target {
    /// Opens a file, and reads the header of a table.
    pub(super) fn open(path: &Path, content: Content, packing: Packing) -> io::Result<Target> {
        let appender = Appender::open(path, content, packing)?;
        let rows = match content {
            Content::Lines => None,
            Content::Rows => {
                let header = appender.read()?.map(Columns::of_header).transpose()?.flatten();
                Some(RowWriter::new(header))
            }
        };
        Ok(Target { appender, rows })
    }

    /// Takes declared fields for the columns of a table; those that are known already must be the same.
    pub(super) fn declare(&mut self, fields: &Fields) -> io::Result<()> {
        self.rows.as_mut().map_or(Ok(()), |rows| rows.declare(fields))
    }

    /// Writes all bodies at once, apart from those that do not fit, or nothing.
    pub(super) fn send(&mut self, bodies: &[Bytes]) -> Vec<Result<(), SendError>> {
        let mut rows = self.rows.clone();
        let framed = match &mut rows {
            None => Framed::of(bodies, line),
            Some(rows) => rows.frame(bodies),
        };
        if framed.bytes.is_empty() {
            return framed.answers(Ok(()));
        }
        let written = self.appender.append(&framed.bytes);
        if written.is_ok() {
            self.rows = rows;
        }
        framed.answers(written)
    }
}
