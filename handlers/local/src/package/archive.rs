//! A zip whose bytes depend on nothing but what is in it.

use std::{
    fs::{self, File},
    io::{self, Cursor, Read, Write},
    path::Path,
};

use fourstroke::identity::sha256;
use serde::Serialize;
use zip::{CompressionMethod, DateTime, System, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// What Lambda unpacks at most.
const LARGEST: usize = 250 << 20;

/// A zip being made, in memory: it is bounded.
pub struct Archive {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    files: Vec<Packed>,
    unpacked: usize,
}

/// A zip.
pub struct Zip {
    pub bytes: Vec<u8>,
    pub files: Vec<Packed>,
}

/// A file in it.
#[derive(Debug, Serialize)]
pub struct Packed {
    pub path: String,
    pub bytes: usize,
    pub sha256: String,
}

/// Why there is no zip.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    #[error("the package would hold more than 250 MB, the most that Lambda unpacks: keep large models in S3")]
    TooLarge,
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("{0}")]
    Zip(#[from] ZipError),
}

/// Reads a file of at most as much as a package may hold, and no pipe or device.
pub fn read(path: &Path) -> Result<Vec<u8>, Unfinished> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file").into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST {
        return Err(Unfinished::TooLarge);
    }
    Ok(bytes)
}

impl Archive {
    pub fn new() -> Archive {
        Archive { zip: ZipWriter::new(Cursor::default()), files: Vec::new(), unpacked: 0 }
    }

    /// Adds a file. All have the same time and owner; everybody may read them, as the function's user is nobody's.
    pub fn add(&mut self, name: &str, content: &[u8], executable: bool) -> Result<(), Unfinished> {
        self.unpacked += content.len();
        if self.unpacked > LARGEST {
            return Err(Unfinished::TooLarge);
        }
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::DEFAULT)
            .system(System::Unix)
            .unix_permissions(if executable { 0o755 } else { 0o644 });
        self.zip.start_file(name, options)?;
        self.zip.write_all(content)?;
        self.files.push(Packed { path: name.to_owned(), bytes: content.len(), sha256: sha256(content) });
        Ok(())
    }

    pub fn finish(self) -> Result<Zip, Unfinished> {
        Ok(Zip { bytes: self.zip.finish()?.into_inner(), files: self.files })
    }
}
