//! The answer of a function whose event source mapping reports batch item failures, as AWS documents it for
//! [streams](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html) and
//! [queues](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).

use serde::{Deserialize, Serialize};

/// Says which records are delivered again. An empty list: none.
///
/// An event source mapping hears it where its `FunctionResponseTypes` holds `ReportBatchItemFailures`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// Of a stream, what is delivered again begins at the lowest of them.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// Names one record.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// Its sequence number or message id. Empty for one that does not say what it is: then all of the batch is delivered
    /// again.
    pub item_identifier: String,
}

impl<'a> FromIterator<&'a str> for BatchResponse {
    fn from_iter<I: IntoIterator<Item = &'a str>>(identifiers: I) -> BatchResponse {
        let failures = identifiers.into_iter().map(|id| BatchItemFailure { item_identifier: id.to_owned() });
        BatchResponse { batch_item_failures: failures.collect() }
    }
}
