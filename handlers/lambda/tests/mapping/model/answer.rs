//! What an answer says to a mapping that reports batch item failures.

use serde_json::Value;

/// What it makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Everything is done.
    Success,
    /// What stands before this place of the batch is done.
    Partial(usize),
    /// Nothing is: it names no record, or one that is not of the batch.
    Failure,
}

/// Reads an answer; `place_of` knows where a sequence number stands in the batch.
pub fn read(answer: &Value, place_of: impl Fn(&str) -> Option<usize>) -> Answer {
    let failures = match answer.get("batchItemFailures") {
        Some(Value::Array(failures)) => failures,
        // Nothing, null, an empty text, list or object: success.
        _ => return Answer::Success,
    };
    let places = failures.iter().map(|failure| place_of(failure.get("itemIdentifier")?.as_str()?));
    match places.collect::<Option<Vec<usize>>>() {
        None => Answer::Failure,
        Some(places) => places.into_iter().min().map_or(Answer::Success, Answer::Partial),
    }
}
