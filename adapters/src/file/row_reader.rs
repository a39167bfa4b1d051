//! CSV, a row at a time: its raw bytes and its cells. Quoted cells may hold newlines.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader};

use super::reading::{Input, KEPT, LONGEST, Piece};

/// Reads rows. Empty lines are passed over, but counted.
pub(super) struct RowReader {
    pub(super) input: Input,
    parser: Reader,
    /// The cells of the last row, unquoted, one behind the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
    columns: usize,
}

impl RowReader {
    pub(super) fn new(input: Input) -> RowReader {
        RowReader { input, parser: Reader::new(), cells: vec![0; 1024], ends: vec![0; 32], columns: 0 }
    }

    /// Returns the number of the line that is read next, from 1.
    pub(super) fn line(&self) -> u64 {
        self.parser.line()
    }

    /// Returns the cells of the last row.
    pub(super) fn cells(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let start = |cell: usize| cell.checked_sub(1).map_or(0, |before| self.ends[before]);
        (0..self.columns).map(move |cell| &self.cells[start(cell)..self.ends[cell]])
    }

    /// Returns the cells of the last row as text; none if they are not UTF-8.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        self.cells().map(|cell| String::from_utf8(cell.to_vec()).ok()).collect()
    }

    /// Appends the raw bytes of the next row to a buffer, without the line ending; `None` at the end. After an error the
    /// buffer is as it was.
    pub(super) fn next(&mut self, into: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        let start = into.len();
        let first_line = self.parser.line();
        let (mut written, mut ended, mut cut) = (0, 0, false);
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => {
                    into.truncate(start);
                    return Err(error);
                }
            };
            let (result, taken, out, ends) =
                self.parser.read_record(bytes, &mut self.cells[written..], &mut self.ends[ended..]);
            if !cut {
                into.extend_from_slice(&bytes[..taken]);
            }
            self.input.consume(taken);
            written += out;
            ended += ends;
            if into.len() - start > LONGEST {
                into.truncate(start + KEPT);
                cut = true;
            }
            if cut {
                // The rest of the row, perhaps of the file where a quote was never closed, is read over.
                (written, ended) = (0, 0);
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => {
                    into.truncate(start);
                    return Ok(None);
                }
            }
        }
        self.columns = ended;
        // The parser leaves the second half of a `\r\n`, and empty lines, to the row behind.
        let row = &into[start..];
        let before = row.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let lines_before = row[..before].iter().filter(|byte| **byte == b'\n').count() as u64;
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        let end = start + row.len();
        Ok(Some(Piece { start: start + before, end, line: first_line + lines_before, cut }))
    }
}
