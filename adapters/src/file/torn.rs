//! What a killed process left half written at the end of a file. Appending behind it would spoil the next line too, and
//! in a compressed file everything behind.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::layout::Packing;

/// Moves a torn end to `PATH.torn`, appended to what is there.
///
/// A compressed file is read through once to find it.
pub(super) fn repair(mut file: &File, path: &Path, packing: Packing) -> io::Result<()> {
    let length = file.metadata()?.len();
    let whole = match packing {
        Packing::Plain => after_last_newline(file, length)?,
        Packing::Gzip | Packing::Zstd => after_last_part(file, packing)?,
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

/// Returns where the last gzip member or zstd frame ends that is whole.
fn after_last_part(mut file: &File, packing: Packing) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::with_capacity(128 << 10, file);
    let mut whole = 0;
    while !input.fill_buf()?.is_empty() {
        let read = match packing {
            Packing::Zstd => {
                let mut part = zstd::stream::read::Decoder::with_buffer(&mut input)?.single_frame();
                io::copy(&mut part, &mut io::sink())
            }
            _ => io::copy(&mut flate2::bufread::GzDecoder::new(&mut input), &mut io::sink()),
        };
        match read {
            Ok(_) => whole = input.stream_position()?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => {
                let reason = format!("it is damaged, or not compressed as its name says; move it away ({error})");
                return Err(io::Error::new(error.kind(), reason));
            }
        }
    }
    Ok(whole)
}
