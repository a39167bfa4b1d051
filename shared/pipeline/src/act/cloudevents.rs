//! Actions as CloudEvents 1.0 in JSON (structured mode), <https://github.com/cloudevents/spec>.

use serde::Serialize;
use vrl::value::Value;

use super::Rule;
use crate::report::Decision;

/// Extension attributes have lower-case names without `-` or `_`, as the specification asks.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    subject: &'a str,
    datacontenttype: &'static str,
    decisionid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitionkey: Option<&'a str>,
    data: &'a Value,
}

/// Encodes an action. The id is the idempotency key, so that a repeated action is the same CloudEvent.
pub(super) fn encode(
    pipeline: &str,
    rule: &Rule,
    decision: &Decision,
    id: &str,
    key: Option<&str>,
    data: &Value,
) -> Result<Vec<u8>, serde_json::Error> {
    let facts = decision.record.facts();
    serde_json::to_vec(&CloudEvent {
        specversion: "1.0",
        id,
        source: format!("/fourstroke/{pipeline}"),
        r#type: format!("fourstroke.{}", rule.name),
        time: facts.time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        subject: &facts.id,
        datacontenttype: "application/json",
        decisionid: &decision.id,
        partitionkey: key,
        data,
    })
}
