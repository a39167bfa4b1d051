//! Ids for events whose platform gives them none.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes an id no other event has: `invocation#4f0c…`.
pub(crate) fn id(name: &str) -> String {
    format!("{name}#{:016x}", RandomState::new().build_hasher().finish())
}
