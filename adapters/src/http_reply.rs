//! The answer to an HTTP request that brought events, whichever platform it came through.

use fourstroke::{
    Value,
    error::{Error, Stage},
    report::{Decision, Disposition, Report},
};
use serde::Serialize;

/// Holds status and body of an answer.
pub(crate) struct HttpReply {
    pub status: u16,
    /// JSON.
    pub body: String,
}

/// Says how one event ended.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    decision_id: &'a str,
    disposition: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<Chosen<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Chosen<'a> {
    name: &'a str,
    data: &'a Value,
}

impl HttpReply {
    /// Answers one event with its own status, and several with 200 and a list in which each has its own.
    pub fn of(report: &Report) -> HttpReply {
        let json = |status, body: Result<String, _>| {
            // Values of expressions are always JSON.
            let body = body.unwrap_or_else(|_: serde_json::Error| "null".to_owned());
            HttpReply { status, body }
        };
        let fatal = report.fatal.is_some();
        match &report.decisions[..] {
            // Nothing was decided, so nothing is done.
            [] => json(again(fatal), Ok("{}".to_owned())),
            [decision] => json(status(decision, fatal), serde_json::to_string(&entry(decision))),
            decisions => {
                let entries = decisions.iter().map(|decision| {
                    let status = Some(status(decision, fatal));
                    Entry { status, ..entry(decision) }
                });
                json(200, serde_json::to_string(&entries.collect::<Vec<_>>()))
            }
        }
    }

    /// Tells whether the client should come again.
    pub fn is_again(&self) -> bool {
        self.status == 503
    }
}

fn status(decision: &Decision, fatal: bool) -> u16 {
    match decision.disposition {
        Disposition::Passed | Disposition::Skipped | Disposition::Acted => 200,
        Disposition::DeadLettered => 422,
        Disposition::Retry => again(fatal),
    }
}

/// What only somebody's act will mend is not worth coming again for at once.
fn again(fatal: bool) -> u16 {
    if fatal { 500 } else { 503 }
}

fn entry(decision: &Decision) -> Entry<'_> {
    let (id, disposition) = (&*decision.id, decision.disposition.as_str());
    let bare = Entry { status: None, decision_id: id, disposition, actions: None, code: None, reason: None };
    let error = decision.error.as_ref();
    match decision.disposition {
        Disposition::Passed | Disposition::Skipped | Disposition::Acted => {
            let actions = decision.actions.iter();
            let actions = actions.map(|action| Chosen { name: &action.name, data: &action.data }).collect();
            Entry { actions: Some(actions), ..bare }
        }
        Disposition::DeadLettered => {
            // Of the client's own event; what tables and sinks say is not its business.
            let own = |error: &&Error| matches!(error.stage, Stage::Decode | Stage::Transform);
            let reason = error.filter(own).map(|error| &*error.reason);
            Entry { code: error.map(|error| error.code.as_str()), reason, ..bare }
        }
        // The reason is about stores and sinks: not the client's business.
        Disposition::Retry => Entry { code: error.map(|error| error.code.as_str()), ..bare },
    }
}
