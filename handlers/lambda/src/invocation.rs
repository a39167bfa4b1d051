//! One invocation: thawed, decoded, run, logged, answered. What is durable is so before the answer: nobody is asked for more time
//! behind it, and SIGTERM finds nothing undone.

use bytes::Bytes;
use fourstroke::{
    clock::Deadline,
    error::{Code, Error, Stage},
    event::Decoded,
    report::{Disposition, Report},
    warm,
};
use fourstroke_runtime::{Caller, logs};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::value::RawValue;
use tracing::{Instrument, error, info_span};

use crate::{
    deadline,
    init::Ready,
    source::recognise,
    trigger::{self, Reply},
};

/// Why an invocation fails: all of it is asked for again.
#[derive(Debug)]
pub struct Failed(Error);

impl From<Failed> for Diagnostic {
    fn from(Failed(why): Failed) -> Diagnostic {
        Diagnostic { error_type: why.code.as_str().to_owned(), error_message: why.to_string() }
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
        let source = self.source.unwrap_or_else(|| recognise(&body));
        let payload = trigger::payload(body, &context.request_id);
        if let Some(reply) = self.triggers.preflight(source, &payload) {
            return Ok(reply);
        }
        let decoded = self.triggers.decode(source, payload);
        let caller = caller(decoded.as_deref().unwrap_or_default(), &context);
        let trace_id = caller.map(|caller| caller.to_string());
        let span = info_span!("invocation", source = source.as_str(), request_id = context.request_id, trace_id);
        self.telemetry.belongs_to(&span, caller);
        let report = self.run(decoded, deadline::before(context.deadline())).instrument(span).await?;
        self.measure(&report);
        self.telemetry.flush().await;
        self.triggers.reply(source, &report).ok_or_else(|| Failed::of(&report))
    }

    async fn run(&self, decoded: Result<Vec<Decoded>, Error>, deadline: Deadline) -> Result<Report, Failed> {
        match decoded {
            Ok(events) => {
                let report = self.pipeline.run(events, deadline).await;
                logs::batch(&report);
                Ok(report)
            }
            Err(refused) => {
                error!(code = refused.code.as_str(), reason = refused.reason, "the payload is refused");
                Err(Failed(refused))
            }
        }
    }
}

impl Failed {
    /// Finds what made events wait: what is fatal, else what came first that does not wait for others itself.
    fn of(report: &Report) -> Failed {
        let retries = report.decisions.iter().filter(|decision| decision.disposition == Disposition::Retry);
        let errors: Vec<&Error> = retries.filter_map(|decision| decision.error.as_ref()).collect();
        let own = || errors.iter().find(|error| error.code != Code::HELD).or(errors.first()).copied();
        let nothing = || Error::retryable(Stage::Act, Code::DEADLINE, "nothing was decided");
        Failed(report.fatal.as_ref().or_else(own).cloned().unwrap_or_else(nothing))
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
