//! One body per line: what line sinks write, and how they answer.

use std::io;

use fourstroke::{
    error::Kind,
    ports::{Outgoing, SendError, Sent},
};

/// Holds the lines of one call, and each item's answer once they are written.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Whole lines, to be written at once.
    pub(crate) bytes: Vec<u8>,
    refusals: Vec<Option<SendError>>,
}

impl Lines {
    /// Puts each body on a line. A body that would not be read back as it is gets refused as poison: one that holds a
    /// newline, ends in a carriage return, or is empty.
    pub(crate) fn of(items: &[Outgoing]) -> Lines {
        let mut bytes = Vec::with_capacity(items.iter().map(|item| item.body.len() + 1).sum());
        let refusals = items.iter().map(|item| {
            let reason = misfit(&item.body)?;
            Some(SendError { kind: Kind::Poison, sent: Sent::No, reason: reason.to_owned() })
        });
        let refusals: Vec<Option<SendError>> = refusals.collect();
        for (item, _) in items.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none()) {
            bytes.extend_from_slice(&item.body);
            bytes.push(b'\n');
        }
        Lines { bytes, refusals }
    }

    /// Answers each item: as refused, else as the write ended.
    pub(crate) fn answers(self, written: Result<(), SendError>) -> Vec<Result<(), SendError>> {
        let answer = |refusal: Option<SendError>| refusal.map_or_else(|| written.clone(), Err);
        self.refusals.into_iter().map(answer).collect()
    }
}

fn misfit(body: &[u8]) -> Option<&'static str> {
    match body {
        [] => Some("an empty body cannot stand on a line of its own"),
        [.., b'\r'] => Some("a body that ends in a carriage return cannot stand on a line of its own"),
        body if body.contains(&b'\n') => Some("a body with a newline cannot stand on one line"),
        _ => None,
    }
}

/// Takes the result of a thread that may have panicked.
pub(crate) fn joined<T>(result: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    result.unwrap_or_else(|error| Err(io::Error::other(error)))
}
