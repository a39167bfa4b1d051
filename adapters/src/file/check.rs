//! What is wrong with a file to append to, found without touching it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Seek},
    path::{Path, is_separator},
};

use fourstroke::config::Resource;

use super::{
    columns::Columns,
    layout::{self, Content, Packing},
    reading, torn,
};
use crate::place;

/// Checks that a file could be appended to. Nothing is made or changed.
///
/// Not found out: another process that appends to it, a compressed file that is damaged behind its beginning, and a
/// missing file in a directory that may not be written.
///
/// # Errors
/// One sentence: its name says nothing of its content, it may not be written, it is a directory or would be in a file,
/// its header differs from `fields`, its last line has no end and is not half a JSON object or half a row, or its rows end
/// in carriage returns alone.
pub fn check_sink(resource: &Resource) -> Result<(), String> {
    let (content, packing) = layout::to_write(resource)?;
    let path = resource.write_path();
    let found = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if metadata.is_file() => existing(&path, resource, content, packing),
        // Opening a pipe would wait for its reader.
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => missing(&path, resource),
        Err(error) => Err(error),
    };
    found.map_err(|error| cannot(&resource.shown(), &error))
}

/// Says in one sentence that a file cannot be appended to.
pub(super) fn cannot(shown: &str, error: &io::Error) -> String {
    format!("`{shown}` cannot be appended to: {error}")
}

/// Says what is wrong with the name of a file to append to, wherever that will be.
///
/// # Errors
/// One sentence: it says nothing of the file's content, or names none.
pub fn check_name(resource: &Resource) -> Result<(), String> {
    layout::to_write(resource).map(drop)
}

fn existing(path: &Path, resource: &Resource, content: Content, packing: Packing) -> io::Result<()> {
    let file = OpenOptions::new().read(true).append(true).open(path)?;
    match (content, packing) {
        (Content::Lines, Packing::Plain) => drop(torn::after_last_line(&file, file.metadata()?.len())?),
        (Content::Rows, Packing::Plain) => drop(torn::after_last_row(&file)?),
        (_, Packing::Gzip | Packing::Zstd) => {}
    }
    let (Content::Rows, Some(fields)) = (content, &resource.fields) else { return Ok(()) };
    (&file).rewind()?;
    match reading::unpack(file, packing).and_then(Columns::of_header) {
        Ok(Some(columns)) => columns.agree_with(fields),
        Ok(None) => Ok(()),
        // Torn before its header was whole, which opening it repairs.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(error),
    }
}

fn missing(path: &Path, resource: &Resource) -> io::Result<()> {
    if resource.rest().ends_with(is_separator) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    place::missing(path)
}
