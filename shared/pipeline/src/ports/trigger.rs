//! One platform's invocation: its payload taken apart, its reply formed. Pure; no I/O.

use bytes::Bytes;

use crate::{
    error::Error,
    event::{Attributes, Decoded},
    report::Report,
};

/// Holds what a platform sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// The body.
    pub body: Bytes,
    /// Headers or attributes.
    pub attributes: Attributes,
}

/// Takes a payload apart and answers it.
pub trait Trigger: Send + Sync {
    /// What the platform wants to hear.
    type Reply;

    /// Takes the payload apart. One bad record becomes [`Decoded::Undecodable`].
    ///
    /// # Errors
    /// Only when the payload as a whole is not what the platform sends.
    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error>;

    /// Forms the platform's answer, so that every `retry` is asked for again and nothing else is.
    fn reply(&self, report: &Report) -> Self::Reply;
}
