//! Bodies behind each other in one write: what sinks of lines and rows write, and how they answer.

use std::io;

use fourstroke::{
    error::Kind,
    ports::{SendError, Sent},
};

/// Holds what one call writes, and each item's answer once it is written.
#[derive(Debug)]
pub(crate) struct Framed {
    /// Whole lines or rows, to be written at once.
    pub(crate) bytes: Vec<u8>,
    refusals: Vec<Option<SendError>>,
}

impl Framed {
    /// Puts each body behind the last. One that `frame` gives a reason against is refused as poison; `frame` must have
    /// appended nothing for it.
    pub(crate) fn of<B: AsRef<[u8]>>(
        bodies: &[B],
        mut frame: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), String>,
    ) -> Framed {
        let mut bytes = Vec::with_capacity(bodies.iter().map(|body| body.as_ref().len() + 1).sum());
        let refusals = bodies.iter().map(|body| {
            let reason = frame(body.as_ref(), &mut bytes).err()?;
            Some(SendError { kind: Kind::Poison, sent: Sent::No, reason })
        });
        let refusals = refusals.collect();
        Framed { bytes, refusals }
    }

    /// Answers each item: as refused, else as the write ended.
    pub(crate) fn answers(self, written: Result<(), SendError>) -> Vec<Result<(), SendError>> {
        let answer = |refusal: Option<SendError>| refusal.map_or_else(|| written.clone(), Err);
        self.refusals.into_iter().map(answer).collect()
    }
}

/// Frames a body as a line. One that would not be read back as it is gets refused: it holds a newline, ends in a
/// carriage return, or is empty.
pub(crate) fn line(body: &[u8], into: &mut Vec<u8>) -> Result<(), String> {
    let misfit = match body {
        [] => "an empty body cannot stand on a line of its own",
        [.., b'\r'] => "a body that ends in a carriage return cannot stand on a line of its own",
        body if body.contains(&b'\n') => "a body with a newline cannot stand on one line",
        _ => {
            into.extend_from_slice(body);
            into.push(b'\n');
            return Ok(());
        }
    };
    Err(misfit.to_owned())
}

/// Takes the result of a thread that may have panicked.
pub(crate) fn joined<T>(result: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    result.unwrap_or_else(|error| Err(io::Error::other(error)))
}
