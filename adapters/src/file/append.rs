//! The file behind a sink.

use std::{
    borrow::Cow,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Seek, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use fourstroke::{
    error::Kind,
    ports::{SendError, Sent},
};

use super::{
    layout::{Content, Packing},
    reading::{self, Input},
    torn,
};

/// Appends to one file, which no other process appends to.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    packing: Packing,
    /// Not a pipe or a device: it has a length, and can be cut.
    regular: bool,
    /// Where the file must be cut before it is written to again: a failed write could not be taken back.
    cut_at: Option<u64>,
}

impl Appender {
    /// Opens a file, making it and its directories, and cuts off what a killed process left half written.
    pub(super) fn open(path: &Path, content: Content, packing: Packing) -> io::Result<Appender> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let regular = file.metadata()?.is_file();
        if regular {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::other("another process appends to it; give each process its own file"));
                }
                // A file system without locks is used without.
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            torn::repair(&file, path, content, packing)?;
        }
        Ok(Appender { file, packing, regular, cut_at: None })
    }

    /// Reads what is there, from the beginning; a pipe or a device holds nothing.
    pub(super) fn read(&self) -> io::Result<Option<Input>> {
        if !self.regular {
            return Ok(None);
        }
        // Not opened anew: on some systems the lock would keep us out too.
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        reading::unpack(file, self.packing).map(Some)
    }

    /// Writes whole lines at once, or nothing.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), SendError> {
        let failed = |sent, error: io::Error| SendError { kind: kind(&error), sent, reason: error.to_string() };
        let packed = pack(self.packing, lines).map_err(|error| failed(Sent::No, error))?;
        let before = self.length().map_err(|error| failed(Sent::No, error))?;
        self.file.write_all(&packed).map_err(|error| match before {
            Some(before) if self.file.set_len(before).is_ok() => failed(Sent::No, error),
            before => {
                self.cut_at = before;
                failed(Sent::Unknown, error)
            }
        })
    }

    /// Returns the length of what is whole, cutting off what is not.
    fn length(&mut self) -> io::Result<Option<u64>> {
        if let Some(end) = self.cut_at {
            self.file.set_len(end)?;
            self.cut_at = None;
        }
        Ok(if self.regular { Some(self.file.metadata()?.len()) } else { None })
    }
}

impl Drop for Appender {
    /// Unlocks the file at once: closing it would not, while a child process being started still has it open.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Tells what only somebody can mend from what may pass by itself, such as a full disk.
fn kind(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Fatal,
        _ => Kind::Retryable,
    }
}

/// Makes of lines what stands in the file: a part that can be read on its own.
fn pack(packing: Packing, lines: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    match packing {
        Packing::Plain => Ok(Cow::Borrowed(lines)),
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(lines)?;
            encoder.finish().map(Cow::Owned)
        }
        Packing::Zstd => zstd::bulk::compress(lines, zstd::DEFAULT_COMPRESSION_LEVEL).map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_written_is_fatal_and_a_full_disk_is_not() {
        let of = |reason: io::ErrorKind| kind(&reason.into());
        assert_eq!(of(io::ErrorKind::PermissionDenied), Kind::Fatal);
        assert_eq!(of(io::ErrorKind::ReadOnlyFilesystem), Kind::Fatal);
        assert_eq!(of(io::ErrorKind::StorageFull), Kind::Retryable);
    }
}
