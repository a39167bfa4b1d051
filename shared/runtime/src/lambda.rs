//! What the environment of a function on AWS Lambda says beside what a pipeline file refers to: read by the handler, and checked
//! before a deploy.

/// The variable that names the pipeline file, relative to the package.
pub const PIPELINE: &str = "PIPELINE";
/// The pipeline file where that does not say.
pub const DEFAULT_PIPELINE: &str = "pipeline.yaml";
/// The variable that names the one service the function is invoked by; without it every payload says itself what it is, and
/// whoever can invoke the function chooses.
pub const SOURCE: &str = "SOURCE";
/// The variable with the origins whose pages may call a function URL, with commas between them; `*`: all.
pub const ORIGINS: &str = "CORS_ORIGINS";

/// What invokes a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Amazon Kinesis Data Streams.
    Kinesis,
    /// DynamoDB Streams.
    DynamoDb,
    /// Amazon SQS, standard or FIFO.
    Sqs,
    /// Amazon SNS.
    Sns,
    /// A rule of Amazon EventBridge.
    EventBridge,
    /// A function URL, or an HTTP API.
    FunctionUrl,
    /// A REST API, or a load balancer: HTTP in another form than is taken.
    OtherHttp,
    /// A rule of AWS IoT Core, or whoever else sends the event itself.
    Direct,
}

impl Source {
    /// Those that are taken.
    pub const TAKEN: [Source; 7] = [
        Source::Kinesis,
        Source::DynamoDb,
        Source::Sqs,
        Source::Sns,
        Source::EventBridge,
        Source::FunctionUrl,
        Source::Direct,
    ];

    /// Returns the word used in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Kinesis => "kinesis",
            Source::DynamoDb => "dynamodb",
            Source::Sqs => "sqs",
            Source::Sns => "sns",
            Source::EventBridge => "event_bridge",
            Source::FunctionUrl => "function_url",
            Source::OtherHttp => "other_http",
            Source::Direct => "direct",
        }
    }

    /// Reads the value of [`SOURCE`]; an empty one says nothing.
    ///
    /// # Errors
    /// It names nothing that is taken.
    pub fn said(value: &str) -> Result<Option<Source>, String> {
        if value.is_empty() {
            return Ok(None);
        }
        let source = Source::TAKEN.into_iter().find(|source| source.as_str() == value);
        let known = || Source::TAKEN.map(Source::as_str).join(", ");
        source
            .map(Some)
            .ok_or_else(|| format!("{SOURCE} names no service that invokes functions; known are {}", known()))
    }

    /// Tells whether it gives an event the same id each time it is delivered. Over HTTP only a caller may.
    pub fn has_stable_ids(self) -> bool {
        !matches!(self, Source::FunctionUrl | Source::OtherHttp)
    }
}

/// Reads the value of [`ORIGINS`].
pub fn origins(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|origin| !origin.is_empty())
}
