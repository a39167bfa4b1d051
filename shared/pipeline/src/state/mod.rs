//! Keyed state, as `once`, `limit`, `window` and `outcome` use a store: all keys of a batch in one call, and the core's retries.
//! What the items mean is theirs.

mod change;
mod key;
mod read;
pub(crate) mod shown;

pub(crate) use change::{Change, Changed, change};
pub(crate) use key::write_key;
pub(crate) use read::read;
pub use shown::shown;

use crate::{
    error::{Code, Error, Kind, Stage},
    ports::StoreError,
};

/// Says what a store's failure means for an event: fatal where nobody can use the store, else what the store says.
pub(crate) fn failed(stage: Stage, code: Code, what: &str, error: StoreError) -> Error {
    let code = if error.kind == Kind::Fatal { Code::STORE_FATAL } else { code };
    Error { kind: error.kind, stage, code, reason: format!("{what}: {}", error.reason) }
}

/// Says that a store gave fewer answers than it was asked for.
fn no_answer() -> StoreError {
    StoreError { kind: Kind::Retryable, reason: "the store gave no answer".to_owned() }
}

fn panicked() -> StoreError {
    StoreError { kind: Kind::Retryable, reason: "the store panicked".to_owned() }
}
