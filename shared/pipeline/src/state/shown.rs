//! What is kept about a subject, as JSON for people and programs to read.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};
use vrl::value::Value;

use crate::{
    act::{limit, once::Entry},
    enrich,
};

/// Shows the value of an item that is kept under this sort key. Moments are RFC 3339; what an item does not look like that its
/// key says, as after a change of form, is shown as it is.
///
/// ```
/// use fourstroke::{Value, state::shown};
/// let counted = Value::Array(vec![1_380_585_600_000_i64.into(), "7a1be009".into()]);
/// let shown = shown("limit#offer", &Value::Array(vec![counted]));
/// assert_eq!(shown[0]["at"], "2013-10-01T00:00:00.000Z");
/// ```
pub fn shown(sort: &str, value: &Value) -> Json {
    let kind = sort.split_once('#').map_or(sort, |(kind, _)| kind);
    let known = match kind {
        "once" => once(value),
        "limit" => limit::Counted::from_value(value).map(|counted| counted.shown()),
        "window" => enrich::shown(value),
        "decision" => note(value),
        _ => None,
    };
    known.unwrap_or_else(|| plain(value))
}

/// An entry of the ledger as it is, but for its moments.
fn once(value: &Value) -> Option<Json> {
    let entry = Entry::from_value(value)?;
    let mut shown = plain(value);
    shown["decided_at"] = moment(entry.decided_at);
    // A lease that was given back ended when time began.
    shown["leased_until"] =
        if entry.leased_until > DateTime::UNIX_EPOCH { moment(entry.leased_until) } else { Json::Null };
    Some(shown)
}

/// When something was decided, as an outcome needs it.
fn note(value: &Value) -> Option<Json> {
    let at = |name: &str| millis(value.as_object()?.get(name)?.as_integer()?);
    Some(json!({ "decided_at": at("decided_at")?, "event_time": at("event_time") }))
}

/// Bytes are no text: only how many they are is shown.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bytes(bytes) => json!({ "bytes": bytes.len() }),
        value => serde_json::to_value(value).unwrap_or_default(),
    }
}

/// Writes milliseconds since 1970 as RFC 3339; none where no such moment is.
pub(crate) fn millis(millis: i64) -> Option<Json> {
    DateTime::from_timestamp_millis(millis).map(moment)
}

/// Writes a moment as RFC 3339.
pub(crate) fn moment(at: DateTime<Utc>) -> Json {
    at.to_rfc3339_opts(SecondsFormat::Millis, true).into()
}

/// Writes milliseconds as the pipeline file does: `1h`.
pub(crate) fn duration(millis: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match UNITS.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit)) {
        Some((unit, letter)) => format!("{}{letter}", millis / unit),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_what_its_key_says_is_shown_as_it_is() {
        let text = Value::from("text");
        for sort in ["once#7a1b", "limit#offer", "window#airport", "decision", "", "anything"] {
            assert_eq!(shown(sort, &text), json!("text"), "{sort}");
            assert_eq!(shown(sort, &Value::Bytes(vec![9; 3].into())), json!({ "bytes": 3 }), "{sort}");
        }
    }

    #[test]
    fn a_note_for_outcomes_has_its_moments() {
        let mut note = vrl::value::ObjectMap::new();
        note.insert("decided_at".into(), 1_380_585_600_500_i64.into());
        note.insert("event_time".into(), Value::Null);
        let expected = json!({ "decided_at": "2013-10-01T00:00:00.500Z", "event_time": null });
        assert_eq!(shown("decision", &Value::Object(note)), expected);
    }
}
