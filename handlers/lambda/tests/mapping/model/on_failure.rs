//! What the on-failure destination is told of a batch that was given up.

use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{
    settings::Destination,
    stream::{Place, Stream},
};

/// Why it was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    RetryAttemptsExhausted {
        /// The function failed itself, and did not answer what had failed.
        function_error: bool,
    },
    RecordAgeExceeded,
}

/// A batch that was given up.
#[derive(Clone, Debug)]
pub struct Discarded {
    pub places: Vec<Place>,
    pub condition: Condition,
    pub invocations: u32,
    pub at: Duration,
}

impl Discarded {
    /// Writes the document.
    pub fn document(&self, stream: &Stream, destination: Destination) -> Value {
        let date = |at| {
            let date = DateTime::from_timestamp_millis(i64::try_from(stream.date_ms(at)).expect("a date"));
            date.expect("a date").format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
        };
        let (first, last) = (self.places[0], self.places[self.places.len() - 1]);
        let condition = match self.condition {
            Condition::RetryAttemptsExhausted { .. } => "RetryAttemptsExhausted",
            Condition::RecordAgeExceeded => "RecordAgeExceeded",
        };
        let mut document = json!({
            "requestContext": {
                "requestId": format!("{:08x}-0000-4000-8000-{:012x}", first.0, first.1),
                "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:orders",
                "condition": condition,
                // Also of what was never invoked.
                "approximateInvokeCount": self.invocations.max(1),
            },
            "version": "1.0",
            "timestamp": date(self.at),
            "KinesisBatchInfo": {
                "shardId": Stream::shard_id(first.0),
                "startSequenceNumber": Stream::sequence_number(first),
                "endSequenceNumber": Stream::sequence_number(last),
                "approximateArrivalOfFirstRecord": date(stream.record(first).arrived),
                "approximateArrivalOfLastRecord": date(stream.record(last).arrived),
                "batchSize": self.places.len(),
                "streamArn": stream.arn(),
            },
        });
        if let Condition::RetryAttemptsExhausted { function_error } = self.condition {
            let error = function_error.then_some("Unhandled");
            document["responseContext"] =
                json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": error });
        }
        if destination == Destination::S3 {
            let payload = stream.payload(self.places.iter().copied());
            document["payload"] = serde_json::from_str(&payload).expect("JSON");
        }
        document
    }
}
