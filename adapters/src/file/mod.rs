//! `file:PATH`: lines and rows as a source, a lookup table, or what a sink appends to.
//!
//! The name says what is inside: `.jsonl`, `.ndjson` and `.json` hold one body per line, `.csv` one row per event;
//! behind that `.gz` or `.zst` may follow. A sink takes a name without an ending too, for lines: `/dev/stderr`. `file:-`
//! is standard input, one body per line, `file:-.csv` is standard input with a header and rows; both are only sources.
//!
//! All reading, writing and (de)compressing happens off the asynchronous threads.

mod append;
mod check;
mod columns;
mod json_object;
mod layout;
mod line_reader;
mod load;
mod reading;
mod row_reader;
mod row_writer;
mod sink;
mod source;
mod table;
mod target;
mod torn;

use std::{
    io::{self, Read},
    path::Path,
};

use bytes::Bytes;
use fourstroke::config::Resource;

pub use check::{check_name, check_sink};
pub use sink::FileSink;
pub use source::FileSource;
pub use table::FileTable;

use crate::framed::joined;

/// Tells whether a source gives rows, each with the header as attribute, and not bodies; none where its name does not say.
pub fn gives_rows(resource: &Resource) -> Option<bool> {
    layout::of_source(resource).ok().map(|(content, _)| content == layout::Content::Rows)
}

/// Reads a whole file of at most 1 GiB, as it is: nothing is decompressed.
///
/// # Errors
/// One sentence: the file is not there, may not be read, or is larger.
pub async fn read(resource: &Resource) -> Result<Bytes, String> {
    layout::named_file(resource)?;
    let path = resource.read_path();
    let bytes = tokio::task::spawn_blocking(move || read_whole(&path)).await;
    joined(bytes).map(Bytes::from).map_err(|error| reading::explain(resource, &error))
}

/// Returns when a file was last written, how large it is and which one it is, which tells one content from another: one
/// written in place may be as old and large as before to the clock's grain, one moved there is another file.
///
/// # Errors
/// One sentence: the file is not there, or may not be looked at.
pub async fn etag(resource: &Resource) -> Result<String, String> {
    layout::named_file(resource)?;
    let path = resource.read_path();
    let written = tokio::task::spawn_blocking(move || {
        let found = std::fs::metadata(path)?;
        let since = found.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&found);
        #[cfg(not(unix))]
        let number = 0;
        Ok(format!("{}-{}-{number}", since.as_nanos(), found.len()))
    });
    joined(written.await).map_err(|error| reading::explain(resource, &error))
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let expected = usize::try_from(file.metadata()?.len().min(reading::LARGEST)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(expected);
    reading::Bounded::new(file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Tells whether a resource is standard input.
pub fn is_stdin(resource: &Resource) -> bool {
    layout::is_stdin(resource.rest())
}
