//! One body per line.

use std::io::{self, BufRead, Read};

use super::reading::{Input, KEPT, LONGEST, Piece};

/// Reads lines. A line ends with `\n` or `\r\n`, which is not part of it; the last one may lack its ending. Empty lines
/// are passed over, but counted.
pub(super) struct LineReader {
    pub(super) input: Input,
    /// The number of the last line read, from 1.
    pub(super) line: u64,
}

impl LineReader {
    pub(super) fn new(input: Input) -> LineReader {
        LineReader { input, line: 0 }
    }

    /// Appends the next line to a buffer; `None` at the end. After an error the buffer is as it was.
    pub(super) fn next(&mut self, into: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        let start = into.len();
        loop {
            let limit = LONGEST as u64 + 1;
            let read = match self.input.by_ref().take(limit).read_until(b'\n', into) {
                Ok(0) => return Ok(None),
                Ok(read) => read,
                Err(error) => {
                    into.truncate(start);
                    return Err(error);
                }
            };
            self.line += 1;
            if read > LONGEST && into.last() != Some(&b'\n') {
                into.truncate(start + KEPT);
                self.input.skip_until(b'\n')?;
                return Ok(Some(Piece { start, end: into.len(), line: self.line, cut: true }));
            }
            let line = &into[start..];
            let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
            let end = start + line.len();
            if end > start {
                return Ok(Some(Piece { start, end, line: self.line, cut: false }));
            }
            into.truncate(start);
        }
    }
}
