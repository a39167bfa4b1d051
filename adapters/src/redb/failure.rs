//! What failed, in words, and whether trying again may help.

use std::io;

use fourstroke::{error::Kind, ports::StoreError};
use redb::Error;

/// Says what a failure of the file means for an item, and what to do.
pub(super) fn failure(error: &Error) -> StoreError {
    let fatal = |reason: &str| StoreError { kind: Kind::Fatal, reason: reason.to_owned() };
    match error {
        Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData => fatal("it is no redb file; name another path, or move it away"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => fatal(&error.to_string()),
            _ => retryable(error.to_string()),
        },
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
            retryable("another process has it open; give each process its own file")
        }
        Error::UpgradeRequired(format) => {
            fatal(&format!("it is in redb's format {format}, which is too old; move it away to begin with nothing"))
        }
        Error::Corrupted(why) => damaged_file(why),
        error => retryable(error.to_string()),
    }
}

/// Makes the error of something that may pass, or that nobody foresaw.
pub(super) fn retryable(reason: impl Into<String>) -> StoreError {
    StoreError { kind: Kind::Retryable, reason: reason.into() }
}

/// Makes the error of a change that will never be stored.
pub(super) fn poison(reason: String) -> StoreError {
    StoreError { kind: Kind::Poison, reason }
}

/// Says that a file cannot be understood.
pub(super) fn damaged_file(why: &str) -> StoreError {
    let reason = format!(
        "it is damaged, or of a newer format; restore it from a copy, or move it away to begin with nothing ({why})"
    );
    StoreError { kind: Kind::Fatal, reason }
}

/// Says that one item cannot be understood.
pub(super) fn damaged_item() -> StoreError {
    damaged_file("an item in it cannot be read")
}
