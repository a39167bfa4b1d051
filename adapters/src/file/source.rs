//! A file's lines or rows as events.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
};

use async_trait::async_trait;
use bytes::Bytes;
use bytestring::ByteString;
use fourstroke::{
    config::Resource,
    error::Kind,
    event::{Decoded, Event},
    ports::{Acknowledge, Batch, Source, SourceError},
    report::Report,
};
use tokio::sync::mpsc;

use super::{
    layout::{self, Content, Packing},
    line_reader::LineReader,
    reading::{self, LONGEST, Piece},
    row_reader::RowReader,
};

/// Gives each line or row as an event: id `path:line` with the path as the URL has it, group the path, body the exact
/// bytes without the line ending. Empty lines are passed over.
///
/// A row of a CSV file has the attribute `csv-header`: the file's first row. A line or row of more than 16 MiB comes as
/// undecodable, with its first 64 KiB. A file that is torn or damaged ends with a fatal error after all that could be
/// read of it. Ids of standard input are other ones each time, `-:1#4f0c…`, and marked as unstable.
#[derive(Debug)]
pub struct FileSource {
    batches: mpsc::Receiver<Message>,
    ended: bool,
}

/// What the reading thread says: some events, or that it has come to the end, or that it cannot go on.
type Message = Result<Option<Vec<Decoded>>, SourceError>;

impl FileSource {
    /// Opens a file in batches of 1,000 events.
    ///
    /// # Errors
    /// One sentence: the file is not there, may not be read, or is not what its name says.
    pub async fn open(resource: &Resource) -> Result<FileSource, String> {
        const BATCH: usize = 1_000;
        FileSource::open_in_batches_of(BATCH, resource).await
    }

    /// Opens a file in batches of at most so many events.
    ///
    /// # Errors
    /// As [`FileSource::open`].
    pub async fn open_in_batches_of(events: usize, resource: &Resource) -> Result<FileSource, String> {
        let live = layout::is_stdin(resource.rest());
        let (content, packing) = layout::of_source(resource)?;
        let place = resource.clone();
        let reader = tokio::task::spawn_blocking(move || Reader::open(place, live, content, packing)).await;
        let reader = reader.unwrap_or_else(|error| Err(error.to_string()))?;

        // One batch waits while one is being read and one is being worked on.
        let (give, batches) = mpsc::channel(1);
        // A thread of its own: a runtime that shuts down would wait for a blocking task, and that for standard input.
        let pump = std::thread::Builder::new().name("fourstroke-file".to_owned());
        pump.spawn(move || reader.pump(events.max(1), &give))
            .map_err(|error| format!("no thread could be started to read `{}`: {error}", resource.shown()))?;
        Ok(FileSource { batches, ended: false })
    }
}

#[async_trait]
impl Source for FileSource {
    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        let message = self.batches.recv().await.unwrap_or_else(|| {
            // Not the end of the file: that would have been said.
            Err(SourceError { kind: Kind::Fatal, reason: "the thread that reads the file has died".to_owned() })
        });
        self.ended = !matches!(message, Ok(Some(_)));
        Ok(message?.map(|events| Batch { events, acknowledge: Box::new(Nothing) }))
    }
}

/// Settles nothing: a file does not forget.
struct Nothing;

#[async_trait]
impl Acknowledge for Nothing {
    async fn settle(self: Box<Self>, _: &Report) -> Result<(), SourceError> {
        Ok(())
    }
}

/// Reads on its own thread.
struct Reader {
    resource: Resource,
    records: Records,
    name: ByteString,
    /// The input is typed or piped in: what has come is not held back until a batch is full.
    live: bool,
    /// Ends the ids of standard input: its lines are other events each time.
    once: Option<String>,
}

enum Records {
    Lines(LineReader),
    /// The header is empty until it is read.
    Rows {
        rows: Box<RowReader>,
        header: ByteString,
    },
}

impl Reader {
    fn open(resource: Resource, live: bool, content: Content, packing: Packing) -> Result<Reader, String> {
        let input = match live {
            true => reading::stdin(),
            false => {
                reading::open(&resource.read_path(), packing).map_err(|error| reading::explain(&resource, &error))?
            }
        };
        let records = match content {
            Content::Lines => Records::Lines(LineReader::new(input)),
            Content::Rows => Records::Rows { rows: Box::new(RowReader::new(input)), header: ByteString::new() },
        };
        let once = live.then(|| format!("#{:08x}", RandomState::new().build_hasher().finish() >> 32));
        let mut reader = Reader { name: resource.rest().into(), resource, records, live, once };
        // Opening must not wait for what is yet to be typed.
        if !live {
            reader.read_header()?;
        }
        Ok(reader)
    }

    /// Reads the first row, where there are rows.
    fn read_header(&mut self) -> Result<(), String> {
        let Records::Rows { rows, header } = &mut self.records else { return Ok(()) };
        let bytes = first_row(rows).map_err(|error| reading::explain(&self.resource, &error))?;
        *header = ByteString::try_from(bytes)
            .map_err(|_| format!("the header of `{}` is not UTF-8", self.resource.shown()))?;
        Ok(())
    }

    /// Gives batch after batch until the end, an error, or until nobody wants more.
    fn pump(mut self, events: usize, give: &mpsc::Sender<Message>) {
        if self.live
            && let Err(reason) = self.read_header()
        {
            let _ = give.blocking_send(Err(SourceError { kind: Kind::Fatal, reason }));
            return;
        }
        loop {
            let (batch, end) = self.batch(events);
            if !batch.is_empty() && give.blocking_send(Ok(Some(batch))).is_err() {
                return;
            }
            if let Some(end) = end {
                // Whoever no longer listens need not hear of it.
                let _ = give.blocking_send(end.map(|()| None));
                return;
            }
        }
    }

    /// Reads up to so many events into one buffer, and says how it ended if it did.
    fn batch(&mut self, events: usize) -> (Vec<Decoded>, Option<Result<(), SourceError>>) {
        // Keeps a batch of long lines small.
        const FULL: usize = 8 << 20;
        let mut buffer = Vec::new();
        let mut pieces = Vec::new();
        let end = loop {
            let next = match &mut self.records {
                Records::Lines(lines) => lines.next(&mut buffer),
                Records::Rows { rows, .. } => rows.next(&mut buffer),
            };
            match next {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => break Some(Ok(())),
                Err(error) => break Some(Err(self.broken(&error))),
            }
            if pieces.len() >= events || buffer.len() >= FULL || self.would_wait() {
                break None;
            }
        };
        let buffer = Bytes::from(buffer);
        (pieces.iter().map(|piece| self.event(&buffer, piece)).collect(), end)
    }

    fn would_wait(&self) -> bool {
        let buffered = match &self.records {
            Records::Lines(lines) => lines.input.buffer(),
            Records::Rows { rows, .. } => rows.input.buffer(),
        };
        // What is passed over, empty lines and the rest of a `\r\n`, promises no event.
        let ahead = buffered.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(buffered.len());
        self.live && !buffered[ahead..].contains(&b'\n')
    }

    fn event(&self, buffer: &Bytes, piece: &Piece) -> Decoded {
        let id = format!("{}:{}{}", self.name, piece.line, self.once.as_deref().unwrap_or_default());
        let mut event = Event::new(id, buffer.slice(piece.start..piece.end)).in_group(self.name.clone());
        event.stable_id = !self.live;
        event.position = (!self.live).then(|| piece.line.to_string().into());
        if let Records::Rows { header, .. } = &self.records {
            event.attributes.push(("csv-header".into(), header.clone()));
        }
        if !piece.cut {
            return Decoded::Event(event);
        }
        let reason = format!("longer than {} MiB; only the first bytes are kept", LONGEST >> 20);
        Decoded::Undecodable { event, reason }
    }

    fn broken(&self, error: &io::Error) -> SourceError {
        let line = match &self.records {
            Records::Lines(lines) => lines.line,
            Records::Rows { rows, .. } => rows.line() - 1,
        };
        let place = reading::place(&self.resource, line);
        let reason = format!("the file is torn or damaged behind {place}; all up to there was read: {error}");
        SourceError { kind: Kind::Fatal, reason }
    }
}

/// Reads the first row as it stands; an empty file has an empty one.
fn first_row(rows: &mut RowReader) -> io::Result<Bytes> {
    let mut raw = Vec::new();
    let piece = rows.next(&mut raw)?;
    let header = piece.map_or(&b""[..], |piece| &raw[piece.start..piece.end]);
    Ok(Bytes::copy_from_slice(header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header)))
}
