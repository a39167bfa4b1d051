//! Compressed bodies, known by their first bytes, which no text begins with. What comes out is bounded, and so is the
//! memory it takes.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

use super::{MAX_BODY, malformed, too_large};
use crate::error::Error;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// zstd asks for memory as its frames say, before the first byte is out: no more than the largest body has bytes.
const MAX_WINDOW_LOG: u32 = MAX_BODY.ilog2();

/// Returns how many bytes a body may be decompressed to. Text seldom shrinks to a thirtieth; what shrinks to far less is
/// made to fill the memory, many such bodies to a batch.
pub(super) fn most(body: &[u8]) -> usize {
    const SMALL: usize = 64 << 10;
    const TIMES: usize = 100;
    MAX_BODY.min(SMALL + TIMES * body.len())
}

/// Decompresses a body that is gzip or zstd, of one member or several. None: it is neither.
pub(super) fn opened(body: &[u8]) -> Result<Option<Bytes>, Error> {
    let most = most(body);
    let read = if body.starts_with(GZIP) {
        bounded(MultiGzDecoder::new(body), most)
    } else if body.starts_with(ZSTD) {
        zstandard(body, most)
    } else {
        return Ok(None);
    };
    match read {
        Ok(bytes) if bytes.len() > most => {
            let reason = format!("the body is compressed, to {} bytes, and holds more than {most}", body.len());
            Err(too_large(reason))
        }
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(error) => {
            let kind = if body.starts_with(GZIP) { "gzip" } else { "zstd" };
            Err(malformed(format!("the body begins as {kind} does, but cannot be decompressed: {error}")))
        }
    }
}

/// Decompresses zstd frames.
pub(super) fn zstandard(packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    bounded(decoder, most)
}

/// Reads to the end, or to one byte more than is allowed.
pub(super) fn bounded(reader: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
