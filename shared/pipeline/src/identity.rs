//! Stable ids: the decision's, and each action's idempotency key. Neither holds the pipeline's version, or a
//! deploy during a redelivery would act twice.

use sha2::{Digest, Sha256};

/// Returns SHA-256(pipeline name, event id) in lower-case hex.
///
/// ```
/// let id = fourstroke::identity::decision_id("flight-delays", "UA1545");
/// assert_eq!(id, fourstroke::identity::decision_id("flight-delays", "UA1545"));
/// assert_eq!(id.len(), 64);
/// ```
pub fn decision_id(pipeline: &str, event_id: &str) -> String {
    hash(&[pipeline.as_bytes(), event_id.as_bytes()])
}

/// Returns SHA-256(pipeline name, event id, action name) in lower-case hex.
pub fn idempotency_key(pipeline: &str, event_id: &str, action: &str) -> String {
    hash(&[pipeline.as_bytes(), event_id.as_bytes(), action.as_bytes()])
}

/// Hashes parts, each behind its length, so that no two lists of parts give the same input.
pub(crate) fn hash(parts: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    hex(&sha.finalize())
}

/// Returns the SHA-256 of bytes in lower-case hex, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    sha256_of([bytes])
}

/// Returns the SHA-256 of parts behind each other, as of one.
pub fn sha256_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    parts.into_iter().for_each(|part| digest.update(part));
    hex(&digest.finalize())
}

/// Returns the first 64 bits of the SHA-256 of parts, each behind its length: the same on every machine.
pub(crate) fn digest64(parts: &[&[u8]]) -> u64 {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    let digest = sha.finalize();
    u64::from_be_bytes(std::array::from_fn(|place| digest[place]))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}
