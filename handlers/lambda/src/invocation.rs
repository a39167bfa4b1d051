//! One invocation: thawed, decoded, run, logged, answered. What is durable is so before the answer: nobody is asked for more time
//! behind it, and SIGTERM finds nothing undone.

use bytes::Bytes;
use fourstroke::{error::Error, event::Decoded, report::Report, warm};
use fourstroke_runtime::{Caller, logs};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::value::RawValue;
use tracing::{Instrument, info_span};

use crate::{
    deadline,
    init::Ready,
    source::Source,
    trigger::{self, Reply},
};

/// Why an invocation fails: all of it is asked for again.
#[derive(Debug)]
pub struct Failed(String);

impl From<Failed> for Diagnostic {
    fn from(Failed(why): Failed) -> Diagnostic {
        Diagnostic { error_type: "Fourstroke".to_owned(), error_message: why }
    }
}

impl Ready {
    /// Runs an invocation.
    ///
    /// # Errors
    /// The payload is no service's; nothing more will succeed until somebody acts; a service that only hears of failures is to
    /// ask again.
    pub async fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Reply, Failed> {
        warm::thaw();
        let (payload, context) = event.into_parts();
        let body = Bytes::from(Box::<str>::from(payload).into_string());
        let source = Source::of(&body);
        let payload = trigger::payload(body, &context.request_id);
        if let Some(reply) = self.triggers.preflight(source, &payload) {
            return Ok(reply);
        }
        let deadline = deadline::before(context.deadline());
        let events = self.triggers.decode(source, payload).map_err(|error| Failed(error.to_string()))?;
        let caller = caller(&events, &context);
        let trace_id = caller.map(|caller| caller.to_string());
        let span = info_span!("invocation", source = source.as_str(), request_id = context.request_id, trace_id);
        self.telemetry.belongs_to(&span, caller);
        let report = async {
            let report = self.pipeline.run(events, deadline).await;
            logs::batch(&report);
            report
        };
        let report = report.instrument(span).await;
        self.measure(&report);
        self.telemetry.flush().await;
        self.triggers.reply(source, &report).ok_or_else(|| Failed(why(&report)))
    }
}

/// Whoever called over HTTP may say which trace this is, else the platform does: for this invocation, where the environment has
/// another's if many run at the same time.
fn caller(events: &[Decoded], context: &Context) -> Option<Caller> {
    let header = match events {
        [only] => only.event().attribute("traceparent"),
        _ => None,
    };
    let said = header.and_then(|header| Caller::from_traceparent(header));
    said.or_else(|| Caller::from_xray(context.xray_trace_id.as_deref()?))
}

fn why(report: &Report) -> String {
    let first = || report.decisions.iter().find_map(|decision| decision.error.as_ref());
    report.fatal.as_ref().or_else(first).map_or_else(|| "some events are to be retried".to_owned(), Error::to_string)
}
