//! What a killed process left half written at the end of a file. Appending behind it would spoil the next line too, and
//! in a compressed file everything behind.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::layout::{Content, Packing};

const OPEN_LINE: &str = "its last line has no line end; add one, or move the file away";
const RETURNS: &str = "its lines end in carriage returns alone; make them newlines, or move the file away";

/// What some programs write at the start of a text in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Moves a torn end to `PATH.torn`, appended to what is there.
///
/// Torn is the beginning of a JSON object without its newline as the last line, a last row without its newline that has an
/// open quote or too few cells, a last compressed part that ends too early. A table or a compressed file is read through
/// once to find it.
///
/// # Errors
/// Also a last line or row without its newline that is something else: who wrote it is not known.
pub(super) fn repair(mut file: &File, path: &Path, content: Content, packing: Packing) -> io::Result<()> {
    let length = file.metadata()?.len();
    let whole = match (packing, content) {
        (Packing::Plain, Content::Lines) => after_last_line(file, length)?,
        (Packing::Plain, Content::Rows) => after_last_row(file)?,
        (Packing::Gzip | Packing::Zstd, _) => after_last_part(file, packing)?,
    };
    if whole == length {
        return Ok(());
    }
    let mut beside = OsString::from(path);
    beside.push(".torn");
    let mut torn = OpenOptions::new().append(true).create(true).open(beside)?;
    file.seek(SeekFrom::Start(whole))?;
    io::copy(&mut file, &mut torn)?;
    if packing == Packing::Plain {
        torn.write_all(b"\n")?;
    }
    torn.sync_all()?;
    file.set_len(whole)
}

/// Returns where the last whole line ends.
///
/// # Errors
/// What follows is not half a line of ours.
pub(super) fn after_last_line(mut file: &File, length: u64) -> io::Result<u64> {
    let whole = after_last_newline(file, length)?;
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(whole))?;
    file.take(1).read_to_end(&mut first)?;
    match first[..] {
        [] | [b'{'] => Ok(whole),
        _ => Err(io::Error::other(OPEN_LINE)),
    }
}

fn after_last_newline(mut file: &File, length: u64) -> io::Result<u64> {
    const CHUNK: u64 = 64 << 10;
    let mut chunk = Vec::new();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        file.take(end - start).read_to_end(&mut chunk)?;
        if let Some(newline) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Returns where the last whole row ends. Where a quote is open can only be known from the beginning.
///
/// # Errors
/// What follows may be whole rows of somebody else.
pub(super) fn after_last_row(mut file: &File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::with_capacity(128 << 10, file);
    let mut rows = Rows::default();
    if input.fill_buf()?.starts_with(BOM) {
        input.consume(BOM.len());
        (rows.read, rows.whole) = (BOM.len() as u64, BOM.len() as u64);
    }
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return rows.end();
        }
        bytes.iter().for_each(|byte| rows.take(*byte));
        let taken = bytes.len();
        input.consume(taken);
    }
}

/// Where a byte stands.
#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Cell,
    Text,
    Quoted,
    /// Behind a quote in a quoted cell: it ends the cell, unless another follows.
    Quote,
}

/// Follows rows byte by byte.
#[derive(Default)]
struct Rows {
    at: At,
    read: u64,
    /// Where the last whole row ends.
    whole: u64,
    /// How many cells the first row has, once it is whole.
    columns: Option<usize>,
    /// How many commas stand between cells behind the last whole row.
    commas: usize,
    /// A carriage return stands there outside quotes.
    returned: bool,
}

impl Rows {
    fn take(&mut self, byte: u8) {
        self.read += 1;
        self.at = match (self.at, byte) {
            (At::Cell | At::Quote, b'"') => At::Quoted,
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (_, b',') => {
                self.commas += 1;
                At::Cell
            }
            (_, b'\r') => {
                self.returned = true;
                At::Cell
            }
            (_, b'\n') => {
                self.columns.get_or_insert(self.commas + 1);
                (self.whole, self.commas, self.returned) = (self.read, 0, false);
                At::Cell
            }
            _ => At::Text,
        };
    }

    /// Tells half a row, which an open quote or a missing cell shows, from one that only lacks its newline.
    fn end(self) -> io::Result<u64> {
        if self.read == self.whole || matches!(self.at, At::Quoted) {
            return Ok(self.whole);
        }
        if self.returned {
            return Err(io::Error::other(RETURNS));
        }
        match self.columns {
            Some(columns) if self.commas + 1 < columns => Ok(self.whole),
            _ => Err(io::Error::other(OPEN_LINE)),
        }
    }
}

/// Returns where the last gzip member or zstd frame ends that is whole.
fn after_last_part(mut file: &File, packing: Packing) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::with_capacity(128 << 10, file);
    let (mut whole, mut ends_in, mut last) = (0, None, Last(None));
    while !input.fill_buf()?.is_empty() {
        let read = match packing {
            Packing::Zstd => {
                let mut part = zstd::stream::read::Decoder::with_buffer(&mut input)?.single_frame();
                io::copy(&mut part, &mut last)
            }
            _ => io::copy(&mut flate2::bufread::GzDecoder::new(&mut input), &mut last),
        };
        match read {
            Ok(_) => (whole, ends_in) = (input.stream_position()?, last.0),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => {
                let reason = format!("it is damaged, or not compressed as its name says; move it away ({error})");
                return Err(io::Error::new(error.kind(), reason));
            }
        }
    }
    match ends_in {
        None | Some(b'\n') => Ok(whole),
        // It cannot be cut off in there, and what is appended would become one with it.
        Some(_) => Err(io::Error::other(OPEN_LINE)),
    }
}

/// Keeps the last byte written to it.
struct Last(Option<u8>);

impl Write for Last {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = bytes.last().copied().or(self.0);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
