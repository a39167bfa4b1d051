//! The JSON AWS Lambda hands over, read without copying what has no escapes.

use std::{borrow::Cow, ops::Deref};

use bytes::Bytes;
use bytestring::ByteString;
use fourstroke::error::{Code, Error, Stage};
use serde::Deserialize;

/// Holds a JSON string: a part of its payload, but where it has escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    /// Gives it as a slice of the payload it was read from.
    pub fn within(self, payload: &ByteString) -> ByteString {
        match self.0 {
            Cow::Borrowed(text) => payload.slice_ref(text),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Checks once that a payload is text, so that nothing read from it has to be checked again.
///
/// # Errors
/// It is not UTF-8, and so no JSON.
pub(crate) fn text(body: Bytes) -> Result<ByteString, Error> {
    ByteString::try_from(body).map_err(|error| refused(format!("the payload is not UTF-8: {error}")))
}

/// Says where JSON is not what it should be. What serde says of it quotes it, and a refused payload is told to logs.
pub(crate) fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Refuses a payload as a whole.
pub(crate) fn refused(reason: impl Into<String>) -> Error {
    Error::poison(Stage::Decode, Code::UNDECODABLE, reason)
}
