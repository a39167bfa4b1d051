//! Files to read and to be read back.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use fourstroke::config::Resource;
use tempfile::TempDir;

/// Makes a file in a directory, compressed as its name says.
pub fn write(directory: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, pack(name, content)).unwrap();
    path
}

/// Compresses as a name says.
pub fn pack(name: &str, content: &[u8]) -> Vec<u8> {
    if name.ends_with(".gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    } else if name.ends_with(".zst") {
        zstd::encode_all(content, 1).unwrap()
    } else {
        content.to_vec()
    }
}

/// Reads a file back, decompressed as its name says.
pub fn unpack(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let mut content = Vec::new();
    if bytes.is_empty() {
        return content;
    }
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut content).map(|_| ()).unwrap(),
        Some("zst") => content = zstd::decode_all(&bytes[..]).unwrap(),
        _ => content = bytes,
    }
    content
}

/// Makes the resource of a file.
pub fn resource(path: &Path) -> Resource {
    Resource::new("test", format!("file:{}", path.display()))
}
