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

/// The variables that Lambda sets itself: a function that is to have others under these names is not made.
///
/// Source: "Defined runtime environment variables", AWS Lambda developer guide.
pub const RESERVED: [&str; 17] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
];

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

/// Tells whether a browser may call itself that: a scheme and a host, perhaps a port, and no path. `*` is all of them.
pub fn is_origin(origin: &str) -> bool {
    let plain = |c: char| !c.is_ascii_uppercase() && !c.is_whitespace() && !"/?#@*".contains(c);
    let host = |host: &str| !host.is_empty() && host.chars().all(plain);
    origin == "*" || origin.split_once("://").is_some_and(|(scheme, rest)| host(scheme) && host(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_of_a_few_words() {
        for source in Source::TAKEN {
            assert_eq!(Source::said(source.as_str()), Ok(Some(source)));
        }
        assert_eq!(Source::said(""), Ok(None));
        for unknown in ["other_http", "Kinesis", "aws:kinesis"] {
            assert!(Source::said(unknown).unwrap_err().contains("known are kinesis, dynamodb, sqs"), "{unknown}");
        }
    }

    #[test]
    fn an_origin_is_told_from_a_url() {
        assert_eq!(origins(" https://a.example ,, * ").collect::<Vec<_>>(), ["https://a.example", "*"]);
        for fine in ["*", "https://shop.example", "http://localhost:3000", "capacitor://localhost"] {
            assert!(is_origin(fine), "{fine}");
        }
        for wrong in ["shop.example", "https://shop.example/", "https://", "https://Shop.example", "https://*.example"]
        {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
