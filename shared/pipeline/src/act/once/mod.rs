//! Acting once: what is kept about an event whose decision holds a `once` action, and what may be done when it is found.
//! How a batch goes through it is `pipeline/once.rs`'s.

mod entry;
mod protocol;

#[cfg(test)]
mod model;

pub(crate) use entry::{Entry, Lease, key};
pub(crate) use protocol::{Claim, End, Found, Sending, claim, end};
