//! Files opened for reading, decompressed on the way, and the words for one that cannot be read.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use fourstroke::config::Resource;

use super::layout::Packing;

/// The most that is read of a file that must fit in memory, after decompression.
pub(super) const LARGEST: u64 = 1 << 30;

/// The longest line or row that becomes an event, in bytes.
pub(super) const LONGEST: usize = 16 << 20;

/// How much is kept of a longer one.
pub(super) const KEPT: usize = 64 << 10;

/// Decompressed bytes.
pub(super) type Input = BufReader<Box<dyn Read + Send>>;

/// One line or row, as a place in the buffer it was read into.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line it starts on, from 1.
    pub(super) line: u64,
    /// It was longer than [`LONGEST`], and only its beginning is here.
    pub(super) cut: bool,
}

/// Opens a file and reads its first bytes, so that one that is no file, or is not compressed as its name says, is found
/// out now.
pub(super) fn open(path: &Path, packing: Packing) -> io::Result<Input> {
    let mut input = unpack(File::open(path)?, packing)?;
    input.fill_buf()?;
    Ok(input)
}

/// Opens a file that must fit in memory.
pub(super) fn open_bounded(path: &Path, packing: Packing) -> io::Result<Input> {
    let input = open(path, packing)?;
    Ok(buffered(Bounded::new(input)))
}

/// Opens standard input.
pub(super) fn stdin() -> Input {
    buffered(io::stdin())
}

/// Decompresses an open file.
pub(super) fn unpack(file: File, packing: Packing) -> io::Result<Input> {
    let metadata = file.metadata()?;
    // An empty file is empty, however it is named; a pipe only looks so.
    let packing = if metadata.is_file() && metadata.len() == 0 { Packing::Plain } else { packing };
    let file = BufReader::with_capacity(BUFFER, file);
    Ok(match packing {
        Packing::Gzip => buffered(MultiGzDecoder::new(file)),
        Packing::Zstd => buffered(zstd::stream::read::Decoder::with_buffer(file)?),
        Packing::Plain => buffered(file),
    })
}

const BUFFER: usize = 128 << 10;

fn buffered(reader: impl Read + Send + 'static) -> Input {
    BufReader::with_capacity(BUFFER, Box::new(reader))
}

/// Fails once more than [`LARGEST`] bytes were read.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R) -> Bounded<R> {
        Bounded { inner, left: LARGEST }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(read)
    }
}

/// Says in one sentence why a file cannot be read.
pub(super) fn explain(resource: &Resource, error: &io::Error) -> String {
    let shown = resource.shown();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("`{shown}` does not exist; a path to read is relative to the pipeline file's directory")
        }
        io::ErrorKind::PermissionDenied => format!("`{shown}` may not be read: permission denied"),
        io::ErrorKind::IsADirectory => format!("`{shown}` is a directory; name a file"),
        io::ErrorKind::FileTooLarge => {
            format!("`{shown}` holds more than {} GiB, which is more than is kept in memory", LARGEST >> 30)
        }
        _ if of_a_packing(resource) => format!("`{shown}` is torn or not compressed as its name says: {error}"),
        _ => format!("`{shown}` cannot be read: {error}"),
    }
}

/// Says where in a file something is, without a path that came from a variable.
pub(super) fn place(resource: &Resource, line: u64) -> String {
    match resource.variable {
        None => format!("{}:{line}", resource.rest()),
        Some(_) => format!("{}, line {line}", resource.shown()),
    }
}

fn of_a_packing(resource: &Resource) -> bool {
    super::layout::of(resource.rest()).1 != Packing::Plain
}
