//! What an error of the SDK means: classified here, where it is still typed.

use std::{error::Error, fmt::Debug};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use fourstroke::{
    error::Kind,
    ports::{SendError, Sent, StoreError},
};

/// Why a call, or one item of it, did not succeed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) sent: Sent,
    pub(crate) reason: String,
}

/// Nothing changes until somebody acts: access, names, keys.
const FATAL: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AuthFailure",
    "AuthorizationHeaderMalformed",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidAddress",
    "InvalidBucketName",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "InvalidToken",
    "KMS.AccessDeniedException",
    "KMS.DisabledException",
    "KMS.InvalidKeyUsageException",
    "KMS.InvalidStateException",
    "KMS.NotFoundException",
    "KMS.OptInRequired",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "KMSOptInRequired",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsInvalidKeyUsage",
    "KmsInvalidState",
    "KmsNotFound",
    "KmsOptInRequired",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NoSuchBucket",
    "PermanentRedirect",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The request can never be right: for this item nothing will change.
const POISON: &[&str] = &[
    "AWS.SimpleQueueService.BatchRequestTooLong",
    "BatchRequestTooLong",
    "EntityTooLarge",
    "InvalidArgument",
    "InvalidArgumentException",
    "InvalidMessageContents",
    "ItemCollectionSizeLimitExceededException",
    "InvalidParameterValue",
    "SerializationException",
    "ValidationError",
    "ValidationException",
];

/// The service took nothing: come back later, some with new credentials.
const LATER: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "KMS.ThrottlingException",
    "KMSThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
];

impl Fault {
    /// Classifies the error of a call; `what` is the resource as it may be shown.
    pub(crate) fn of<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Fault
    where
        E: ProvideErrorMetadata + Error + Debug + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let (meta, status) = (answer.err().meta(), answer.raw().status().as_u16());
                let (code, message) = (meta.code().unwrap_or_default(), meta.message().unwrap_or_default());
                let (kind, sent) = meaning(code, status);
                Fault { kind, sent, reason: said(what, code, status, message) }
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                let (kind, sent) = meaning("", status);
                Fault { kind, sent, reason: said(what, "", status, "the answer cannot be read") }
            }
            SdkError::TimeoutError(_) => Fault::new(what, Kind::Retryable, Sent::Unknown, "no answer in time"),
            // It was not even put together: an endpoint that is none, most likely.
            SdkError::ConstructionFailure(_) => {
                Fault { kind: Kind::Fatal, sent: Sent::No, ..Fault::of_causes(what, error) }
            }
            error => Fault::of_causes(what, error),
        }
    }

    /// Classifies what a service says of one item of a call.
    pub(crate) fn of_item(what: &str, code: &str, message: &str) -> Fault {
        let (kind, sent) = meaning(code, 0);
        Fault { kind, sent, reason: said(what, code, 0, message) }
    }

    /// Says that a call could not even be put together.
    pub(crate) fn of_building(what: &str, error: &dyn Error) -> Fault {
        Fault::new(what, Kind::Poison, Sent::No, &error.to_string())
    }

    pub(crate) fn new(what: &str, kind: Kind, sent: Sent, reason: &str) -> Fault {
        Fault { kind, sent, reason: format!("`{what}`: {reason}") }
    }

    fn of_causes(what: &str, error: &(dyn Error + 'static)) -> Fault {
        let causes: Vec<&(dyn Error + 'static)> =
            std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source()).collect();
        let lost = causes.iter().find_map(|cause| cause.downcast_ref::<SendError>());
        if let Some(SendError { kind, sent, reason }) = lost {
            return Fault::new(what, *kind, *sent, reason);
        }
        let credentials = causes.iter().find_map(|cause| cause.downcast_ref::<CredentialsError>());
        let last = causes.last().map(ToString::to_string).unwrap_or_default();
        match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)) => {
                Fault::new(what, Kind::Fatal, Sent::No, &format!("there are no credentials: {last}"))
            }
            Some(_) => Fault::new(what, Kind::Retryable, Sent::No, &format!("no credentials came: {last}")),
            None => Fault::new(what, Kind::Retryable, Sent::Unknown, &last),
        }
    }
}

fn meaning(code: &str, status: u16) -> (Kind, Sent) {
    match () {
        () if LATER.contains(&code) => (Kind::Retryable, Sent::No),
        () if FATAL.contains(&code) => (Kind::Fatal, Sent::No),
        () if POISON.contains(&code) => (Kind::Poison, Sent::No),
        () if status == 429 => (Kind::Retryable, Sent::No),
        () if status == 401 || status == 403 => (Kind::Fatal, Sent::No),
        () => (Kind::Retryable, Sent::Unknown),
    }
}

fn said(what: &str, code: &str, status: u16, message: &str) -> String {
    let code = if code.is_empty() { format!("status {status}") } else { code.to_owned() };
    match message {
        "" => format!("`{what}`: {code}"),
        message => format!("`{what}`: {code}: {message}"),
    }
}

impl From<Fault> for SendError {
    fn from(Fault { kind, sent, reason }: Fault) -> SendError {
        SendError { kind, sent, reason }
    }
}

impl From<Fault> for StoreError {
    fn from(Fault { kind, reason, .. }: Fault) -> StoreError {
        StoreError { kind, reason }
    }
}
