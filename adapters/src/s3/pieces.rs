//! The lines of a call as objects: which items go in which, how each is packed and called.

use std::{
    io::{self, Write},
    ops::Range,
};

use bytes::Bytes;
use bytestring::ByteString;
use chrono::NaiveDate;
use flate2::{Compression, write::GzEncoder};
use fourstroke::{identity::sha256_of, ports::Outgoing};

use crate::framed::{Framed, line};

/// The lines of one object, which are in memory twice while they are packed.
const LONGEST: usize = 64 << 20;

/// Parts items, in their order, so that each part's lines make one object.
pub(super) fn parts(items: &[Outgoing]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (place, item) in items.iter().enumerate() {
        let line = item.body.len() + 1;
        match parts.last_mut() {
            Some(part) if bytes + line <= LONGEST => {
                part.end = place + 1;
                bytes += line;
            }
            _ => {
                parts.push(place..place + 1);
                bytes = line;
            }
        }
    }
    parts
}

/// One object to be put, and the answers of its items.
pub(super) struct Piece {
    /// Its lines, packed; none if no item can be a line.
    pub(super) packed: Option<Bytes>,
    /// Differs where its items do.
    pub(super) digest: String,
    pub(super) framed: Framed,
}

/// Frames and packs items.
pub(super) fn pack(items: &[(ByteString, Bytes)]) -> io::Result<Piece> {
    let bodies: Vec<&[u8]> = items.iter().map(|(_, body)| &**body).collect();
    let mut framed = Framed::of(&bodies, line);
    // Lines that are the same may say different things: ids tell two calls from one that is repeated.
    let ids = items.iter().flat_map(|(id, _)| [&id.as_bytes()[..], b"\n"]);
    let mut digest = sha256_of(ids.chain([&framed.bytes[..]]));
    digest.truncate(32);
    // Answers are waited for, and lines shrink well at any level.
    let mut gzip = GzEncoder::new(Vec::with_capacity(framed.bytes.len() / 8), Compression::fast());
    gzip.write_all(&framed.bytes)?;
    let packed = gzip.finish()?;
    let empty = std::mem::take(&mut framed.bytes).is_empty();
    Ok(Piece { packed: (!empty).then(|| packed.into()), digest, framed })
}

/// Names an object as tables of Hive's layout have it, which Athena, Glue and Spark read as partitions by day.
pub(super) fn key(prefix: &str, date: NaiveDate, digest: &str) -> String {
    let slash = if prefix.is_empty() { "" } else { "/" };
    format!("{prefix}{slash}date={date}/{digest}.jsonl.gz")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn item(id: &str, body: impl Into<Bytes>) -> (ByteString, Bytes) {
        (id.into(), body.into())
    }

    #[test]
    fn lines_are_packed_and_named_by_what_they_are() {
        let items = [item("1", "a"), item("2", "b\nc"), item("3", "d")];
        let piece = pack(&items).unwrap();
        let mut lines = String::new();
        flate2::read::GzDecoder::new(&piece.packed.clone().unwrap()[..]).read_to_string(&mut lines).unwrap();
        assert_eq!(lines, "a\nd\n");
        let answers = piece.framed.answers(Ok(()));
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        let again = pack(&items).unwrap();
        assert_eq!((again.digest, again.packed), (piece.digest.clone(), piece.packed));
        assert_eq!(piece.digest.len(), 32);
        let others = [item("1", "a"), item("2", "b\nc"), item("4", "d")];
        assert_ne!(pack(&others).unwrap().digest, piece.digest, "the same line of another event");
        assert!(pack(&[item("1", "")]).unwrap().packed.is_none());
    }

    #[test]
    fn an_object_is_called_by_its_day() {
        let date = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
        assert_eq!(key("", date, "d"), "date=2026-01-02/d.jsonl.gz");
        assert_eq!(key("a/b", date, "d"), "a/b/date=2026-01-02/d.jsonl.gz");
    }

    #[test]
    fn what_is_too_long_for_one_object_goes_in_several() {
        let of = |lengths: &[usize]| {
            let body = Bytes::from(vec![b'x'; LONGEST + 5]);
            let outgoing = |length: usize| Outgoing {
                id: "1".into(),
                key: None,
                content_type: "application/json",
                attributes: Vec::new(),
                body: body.slice(..length),
            };
            parts(&lengths.iter().map(|&length| outgoing(length)).collect::<Vec<_>>())
        };
        assert!(of(&[]).is_empty());
        assert_eq!(of(&[1, 2, 3]), vec![0..3]);
        assert_eq!(of(&[LONGEST - 3, 1, 1]), vec![0..2, 2..3]);
        assert_eq!(of(&[1, LONGEST + 5, 1]), vec![0..1, 1..2, 2..3]);
    }
}
