//! A model of the event source mapping between a Kinesis stream and a function, as AWS documents it: a machine without threads, chance
//! or a clock of its own. Whoever drives it says what time it is, invokes what it gives out, and tells it how that ended.
//!
//! What it is made from:
//! [polling and batching](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html),
//! [its settings](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html),
//! [partial batch responses](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html),
//! [discarded batches](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html),
//! [batching windows](https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html) and
//! [stream scaling](https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html).
//! Where these leave something open, `recorded.rs` has what AWS was seen to do, and the model follows that.
//!
//! - A shard's records of the same partition key go the same lane, of as many as `ParallelizationFactor` says; a lane has one batch at
//!   a time, in order. A child shard begins when its parents have ended.
//! - A batch is ready once it has `BatchSize` records, would exceed 6 MB with the next one, or its window is over.
//! - Success moves past the batch. A partial response moves up to the lowest sequence number it names; the rest is a batch of its own,
//!   whose attempts begin anew. One that names the batch's first record has moved nothing: that was an attempt.
//! - A function error takes the batch as a whole: halved if `BisectBatchOnFunctionError` says so, which counts as no attempt.
//! - Records beyond `MaximumRecordAgeInSeconds`, and batches that have had `MaximumRetryAttempts`, go to the on-failure destination.
//! - What the stream no longer keeps is gone.
//! - Its checkpoint in a shard is the first record not done with. A poller that is replaced begins there again.
//!
//! Open in both: whether a response that names nothing known halves the batch (here it does not), whether neighbouring batches may
//! share an on-failure document (here each has its own), and how long retries wait (here a quarter of a second, doubled each time up to
//! a minute: within a minute that is eight invocations. As many were recorded, but from a moment on that nobody wrote down).

mod answer;
mod lane;
mod mapping;
mod on_failure;
mod settings;
mod stream;

pub use mapping::{Invocation, Mapping, Outcome};
pub use on_failure::Condition;
pub use settings::{Destination, Settings};
pub use stream::{Place, Record, Shard, Stream};
