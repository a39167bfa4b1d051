//! The columns of a table that is written.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
};

use fourstroke::types::Fields;

use super::{reading::Input, row_reader::RowReader};

/// Holds the names of columns, and finds the place of each.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    /// Takes names in order: at least one, and none twice.
    pub(super) fn new(names: Vec<String>) -> Result<Columns, String> {
        if names.is_empty() {
            return Err("it names no columns".to_owned());
        }
        let places: HashMap<String, usize> = names.iter().cloned().zip(0..).collect();
        match names.iter().enumerate().find(|(place, name)| places[*name] != *place) {
            Some((_, name)) => Err(format!("the column `{name}` is named twice")),
            None => Ok(Columns { names, places }),
        }
    }

    /// Reads a file's header; none where the file has no whole row.
    pub(super) fn of_header(input: Input) -> io::Result<Option<Columns>> {
        let (mut rows, mut raw) = (RowReader::new(input), Vec::new());
        let found = rows.next(&mut raw)?;
        if found.is_none() || !raw.ends_with(b"\n") && !raw.ends_with(b"\r") {
            return Ok(None);
        }
        let names = rows.names().ok_or_else(|| "it is not UTF-8".to_owned());
        names.and_then(Columns::new).map(Some).map_err(|why| io::Error::other(format!("its header: {why}")))
    }

    /// Checks that these are the fields somebody declared, in whatever order.
    pub(super) fn agree_with(&self, fields: &Fields) -> io::Result<()> {
        let declared: HashSet<&str> = fields.names().collect();
        if declared == self.names.iter().map(String::as_str).collect() {
            return Ok(());
        }
        let declared: Vec<&str> = fields.names().collect();
        let declared = declared.join(", ");
        Err(io::Error::other(format!(
            "its columns are {self}, but `fields` names {declared}; make them the same, or move it away"
        )))
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}
