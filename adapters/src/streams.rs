//! What Kinesis and DynamoDB Streams have in common.

use chrono::{DateTime, Utc};
use fourstroke::{event::Event, report::Report};

use crate::batch_response::BatchResponse;

/// Asks for each group from its first event that is to be retried on.
pub(crate) fn response(report: &Report) -> BatchResponse {
    report.replay_from().into_iter().map(sequence_number).collect()
}

/// Finds a record's sequence number in its event's id, which is `group/sequence number`, with or without more behind it.
fn sequence_number(event: &Event) -> &str {
    let group = event.group.as_deref().unwrap_or_default();
    let within = event.id.strip_prefix(group).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    within.split('/').next().unwrap_or_default()
}

/// Checks that a sequence number is a whole number.
pub(crate) fn checked_sequence_number(number: &str) -> Result<&str, String> {
    match !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(number),
        false => Err(format!("the sequence number is {number:?}, which is no number")),
    }
}

/// Reads the seconds since 1970 as both say them: a whole number or with milliseconds.
pub(crate) fn time(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis((seconds * 1e3).round() as i64)
}
