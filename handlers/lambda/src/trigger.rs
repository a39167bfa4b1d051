//! From a payload to events by the service's trigger, and from a report to the answer that service wants.

use bytes::Bytes;
use fourstroke::{
    error::{Code, Error, Stage},
    event::Decoded,
    ports::{Payload, Trigger},
    report::Report,
};
use fourstroke_adapters::{
    dynamodb::DynamoDbTrigger,
    event_bridge::EventBridgeTrigger,
    function_url::{Cors, FunctionUrlTrigger, Response},
    iot::{IotTrigger, Whole},
    kinesis::{BatchResponse, KinesisTrigger},
    sns::SnsTrigger,
    sqs::SqsTrigger,
};
use fourstroke_runtime::lambda::Source;
use serde::Serialize;

/// The triggers of every service that may invoke a function.
pub struct Triggers {
    function_url: FunctionUrlTrigger,
}

/// What the function returns.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To a stream or a queue: what is to be delivered again.
    Batch(BatchResponse),
    /// To a caller over HTTP.
    Http(Response),
    /// To services that look at failures alone.
    Done(()),
}

impl Triggers {
    /// Makes them; pages of these origins may call a function URL.
    pub fn new(cors: Cors) -> Triggers {
        Triggers { function_url: FunctionUrlTrigger::new(cors) }
    }

    /// Answers what needs no pipeline.
    pub fn preflight(&self, source: Source, payload: &Payload) -> Option<Reply> {
        (source == Source::FunctionUrl).then(|| self.function_url.preflight(payload))?.map(Reply::Http)
    }

    /// Takes a payload apart.
    ///
    /// # Errors
    /// It is not what the service sends.
    pub fn decode(&self, source: Source, payload: Payload) -> Result<Vec<Decoded>, Error> {
        match source {
            Source::Kinesis => KinesisTrigger.decode(payload),
            Source::DynamoDb => DynamoDbTrigger.decode(payload),
            Source::Sqs => SqsTrigger.decode(payload),
            Source::Sns => SnsTrigger.decode(payload),
            Source::EventBridge => EventBridgeTrigger.decode(payload),
            Source::FunctionUrl => self.function_url.decode(payload),
            Source::OtherHttp => {
                let reason = "a request comes in payload format 2.0: use an HTTP API or a function URL, not a REST API or a load \
                              balancer";
                Err(Error::fatal(Stage::Decode, Code::UNDECODABLE, reason))
            }
            Source::Direct => IotTrigger.decode(payload),
        }
    }

    /// Forms the answer; none: the invocation must fail, so that all of it comes again.
    pub fn reply(&self, source: Source, report: &Report) -> Option<Reply> {
        let whole = |whole: Whole| (whole == Whole::Done).then_some(Reply::Done(()));
        match source {
            // The caller hears of it.
            Source::FunctionUrl | Source::OtherHttp => Some(Reply::Http(self.function_url.reply(report))),
            _ if report.fatal.is_some() => None,
            Source::Kinesis => Some(Reply::Batch(KinesisTrigger.reply(report))),
            Source::DynamoDb => Some(Reply::Batch(DynamoDbTrigger.reply(report))),
            Source::Sqs => Some(Reply::Batch(SqsTrigger.reply(report))),
            Source::Sns => whole(SnsTrigger.reply(report)),
            Source::EventBridge => whole(EventBridgeTrigger.reply(report)),
            Source::Direct => whole(IotTrigger.reply(report)),
        }
    }
}

/// Makes a payload of a body that belongs to an invocation.
pub fn payload(body: Bytes, request_id: &str) -> Payload {
    Payload { body, attributes: vec![(IotTrigger::REQUEST_ID.into(), request_id.into())] }
}
