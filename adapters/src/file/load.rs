//! A table's rows, read from its file and checked.

use std::collections::{HashMap, hash_map::Entry};

use fourstroke::{
    config::Resource,
    ports::Key,
    types::{Base, FieldType},
};
use vrl::value::{KeyString, ObjectMap, Value};

use super::{
    layout::{Content, Packing},
    line_reader::LineReader,
    reading::{self, Input, LONGEST, Piece, explain, place},
    row_reader::RowReader,
};

/// The type of a column nobody declared one for.
const ANY: FieldType = FieldType { base: Base::Any, nullable: true };

/// Reads all rows by key.
pub(super) fn load(resource: &Resource, content: Content, packing: Packing) -> Result<HashMap<Key, Value>, String> {
    let input = reading::open_bounded(&resource.read_path(), packing).map_err(|error| explain(resource, &error))?;
    let mut loader = Loader { resource, rows: HashMap::new() };
    match content {
        Content::Lines => loader.lines(input)?,
        Content::Rows => loader.rows(input)?,
    }
    Ok(loader.rows.into_iter().map(|(key, (value, _))| (key, value)).collect())
}

struct Loader<'a> {
    resource: &'a Resource,
    /// With the line each stands on, to name it when the key comes again.
    rows: HashMap<Key, (Value, u64)>,
}

impl Loader<'_> {
    fn rows(&mut self, input: Input) -> Result<(), String> {
        let mut rows = RowReader::new(input);
        let mut raw = Vec::new();
        let header = rows.next(&mut raw).map_err(|error| explain(self.resource, &error))?;
        if header.is_none() {
            return Err(format!("`{}` is empty; its first row must name the columns", self.resource.shown()));
        }
        let header = rows.names().ok_or_else(|| format!("the header of `{}` is not UTF-8", self.resource.shown()))?;
        let column = |wanted: &str| {
            let found = header.iter().position(|name| name == wanted);
            found.ok_or_else(|| self.no_column(wanted, &header))
        };
        let keys: Vec<usize> = self.resource.key.iter().map(|name| column(name)).collect::<Result<_, _>>()?;
        let values: Vec<(usize, FieldType)> = match &self.resource.fields {
            Some(fields) => {
                let typed = fields.0.iter().map(|(name, declared)| Ok((column(name)?, *declared)));
                typed.collect::<Result<_, String>>()?
            }
            None => (0..header.len()).map(|column| (column, ANY)).collect(),
        };

        loop {
            raw.clear();
            let next = rows.next(&mut raw).map_err(|error| explain(self.resource, &error))?;
            let Some(Piece { line, cut, .. }) = next else { return Ok(()) };
            self.whole(line, cut)?;
            let cells: Vec<&[u8]> = rows.cells().collect();
            if cells.len() != header.len() {
                let at = place(self.resource, line);
                return Err(format!("{at}: {} cells, where the header names {} columns", cells.len(), header.len()));
            }
            let text = |column: usize| {
                let text = std::str::from_utf8(cells[column]);
                text.map_err(|_| self.misfit(line, &header[column], "a cell that is not UTF-8"))
            };
            let parts: Vec<&str> = keys.iter().map(|column| text(*column)).collect::<Result<_, _>>()?;
            let mut row = ObjectMap::new();
            for (column, declared) in &values {
                let name = &header[*column];
                let value = match text(*column)? {
                    "" if declared.base != Base::String => Value::Null,
                    text => declared.fit_text(text).map_err(|found| self.misfit(line, name, &found))?,
                };
                row.insert(KeyString::from(name.as_str()), value);
            }
            self.insert(&parts, row, line)?;
        }
    }

    fn lines(&mut self, input: Input) -> Result<(), String> {
        let mut lines = LineReader::new(input);
        let mut raw = Vec::new();
        loop {
            raw.clear();
            let next = lines.next(&mut raw).map_err(|error| explain(self.resource, &error))?;
            let Some(Piece { start, end, line, cut }) = next else { return Ok(()) };
            self.whole(line, cut)?;
            let value = serde_json::from_slice(&raw[start..end]);
            let value = value.map_err(|error| format!("{}: no JSON: {error}", place(self.resource, line)))?;
            let Value::Object(mut object) = value else {
                return Err(format!("{}: not a JSON object", place(self.resource, line)));
            };
            let parts: Vec<String> =
                self.resource.key.iter().map(|name| self.key_part(&object, name, line)).collect::<Result<_, _>>()?;
            let row = match &self.resource.fields {
                None => object,
                Some(fields) => {
                    let mut row = ObjectMap::new();
                    for (name, declared) in &fields.0 {
                        let value = match object.remove(name.as_str()) {
                            None | Some(Value::Null) => Value::Null,
                            Some(value) => declared.fit(value).map_err(|found| self.misfit(line, name, &found))?,
                        };
                        row.insert(KeyString::from(name.as_str()), value);
                    }
                    row
                }
            };
            self.insert(&parts, row, line)?;
        }
    }

    fn key_part(&self, object: &ObjectMap, name: &str, line: u64) -> Result<String, String> {
        match object.get(name) {
            Some(Value::Integer(number)) => Ok(number.to_string()),
            Some(Value::Boolean(value)) => Ok(value.to_string()),
            Some(value) => {
                let text = value.to_str().map(str::to_owned);
                text.ok_or_else(|| self.misfit(line, name, "a key must be a text, a whole number, or true or false"))
            }
            None => {
                let names: Vec<String> = object.keys().map(ToString::to_string).collect();
                Err(format!("{}: {}", place(self.resource, line), self.no_column(name, &names)))
            }
        }
    }

    fn insert<P: AsRef<str>>(&mut self, parts: &[P], row: ObjectMap, line: u64) -> Result<(), String> {
        if let Some(empty) = parts.iter().position(|part| part.as_ref().is_empty()) {
            return Err(self.misfit(line, &self.resource.key[empty], "a key must not be empty"));
        }
        match self.rows.entry(Key::of_parts(parts)) {
            Entry::Vacant(entry) => {
                entry.insert((Value::Object(row), line));
                Ok(())
            }
            Entry::Occupied(entry) => {
                let key: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
                let (at, first) = (place(self.resource, line), entry.get().1);
                Err(format!("{at}: the key `{}` is on line {first} already; a table has each key once", key.join(", ")))
            }
        }
    }

    fn whole(&self, line: u64, cut: bool) -> Result<(), String> {
        match cut {
            false => Ok(()),
            true => Err(format!("{}: longer than {} MiB", place(self.resource, line), LONGEST >> 20)),
        }
    }

    fn misfit(&self, line: u64, column: &str, found: &str) -> String {
        format!("{}, column `{column}`: {found}", place(self.resource, line))
    }

    fn no_column(&self, wanted: &str, names: &[String]) -> String {
        let shown = self.resource.shown();
        format!("`{shown}` has no column `{wanted}`; it has {}", names.join(", "))
    }
}
