//! Every scheme a pipeline file may name, and the words for one that cannot be opened here.

use std::fmt;

use fourstroke::config::{Resource, did_you_mean};

/// What a resource is opened as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Source,
    Store,
    Sink,
    Object,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Use::Source => "a source",
            Use::Store => "a store",
            Use::Sink => "a sink",
            Use::Object => "a file to read",
        })
    }
}

struct Service {
    schemes: &'static [&'static str],
    feature: &'static str,
    /// Linked into this binary.
    built: bool,
    /// The handlers that link it.
    handlers: &'static str,
    /// What it can be opened as; nothing yet: it is not in this version.
    offers: &'static [Use],
}

const EVERY: &str = "every handler";
const LASTING: &str = "handlers/local and handlers/worker";
const AWS: &str = "handlers/lambda and handlers/worker";
const AZURE: &str = "handlers/azure-functions and handlers/worker";
const GOOGLE: &str = "handlers/cloud-run and handlers/worker";
const WORKER: &str = "handlers/worker";
const CLOUDS: &str = "handlers/lambda, handlers/azure-functions, handlers/cloud-run and handlers/worker";

const fn here(schemes: &'static [&'static str], built: bool, offers: &'static [Use]) -> Service {
    Service { schemes, feature: schemes[0], built, handlers: EVERY, offers }
}

const fn later(schemes: &'static [&'static str], feature: &'static str, handlers: &'static str) -> Service {
    Service { schemes, feature, built: false, handlers, offers: &[] }
}

const SERVICES: [Service; 16] = [
    here(&["file"], cfg!(feature = "file"), &[Use::Source, Use::Store, Use::Sink, Use::Object]),
    Service {
        feature: "http",
        ..here(&["https", "http"], cfg!(feature = "http"), &[Use::Store, Use::Sink, Use::Object])
    },
    here(&["memory"], cfg!(feature = "memory"), &[Use::Source, Use::Store, Use::Sink]),
    here(&["stdout"], cfg!(feature = "stdout"), &[Use::Sink]),
    Service { handlers: LASTING, ..here(&["redb"], cfg!(feature = "redb"), &[Use::Store]) },
    Service { handlers: AWS, ..here(&["kinesis"], cfg!(feature = "kinesis"), &[Use::Sink]) },
    Service { handlers: AWS, ..here(&["sqs"], cfg!(feature = "sqs"), &[Use::Sink]) },
    Service { handlers: AWS, ..here(&["dynamodb"], cfg!(feature = "dynamodb"), &[Use::Store]) },
    Service { handlers: AWS, ..here(&["s3"], cfg!(feature = "s3"), &[Use::Sink, Use::Object]) },
    later(&["eventhubs"], "event_hubs", AZURE),
    later(&["binding"], "binding", "handlers/azure-functions"),
    later(&["az"], "az", AZURE),
    later(&["pubsub"], "pubsub", GOOGLE),
    later(&["gs"], "gs", GOOGLE),
    later(&["redis", "rediss"], "redis", CLOUDS),
    later(&["mqtt", "mqtts"], "mqtt", WORKER),
];

/// Says in one sentence why a resource cannot be opened as that.
pub(crate) fn refusal(resource: &Resource, wanted: Use) -> String {
    if !resource.url.contains(':') {
        // Without a scheme the whole value of a variable would count as one.
        let what = resource
            .variable
            .as_ref()
            .map_or_else(|| format!("`{}`", resource.url), |name| format!("the value of {name}"));
        return format!("{what} has no scheme; write `file:` before a path");
    }
    let (scheme, shown) = (resource.scheme(), resource.shown());
    let Some(service) = SERVICES.iter().find(|service| service.schemes.contains(&scheme)) else {
        let known: Vec<String> = SERVICES.iter().flat_map(|service| service.schemes).map(|s| format!("{s}:")).collect();
        let help = did_you_mean(&format!("{}:", scheme.to_ascii_lowercase()), known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("known are {}", known.join(", ")));
        return format!("`{shown}` has an unknown scheme; {help}");
    };
    let Service { feature, handlers, offers, .. } = service;
    if offers.is_empty() {
        format!("`{shown}` is not in this version yet; it will be the feature `{feature}`, in {handlers}")
    } else if !offers.contains(&wanted) {
        let offers: Vec<String> = offers.iter().map(Use::to_string).collect();
        format!("`{shown}` cannot be {wanted}; `{scheme}:` can be {}", offers.join(" or "))
    } else {
        debug_assert!(!service.built, "a service that is built has its arm in `open`");
        format!("`{shown}` needs the feature `{feature}`, which this binary was built without; {handlers} has it")
    }
}

/// Refuses options that mean nothing for the resource's scheme, so that none is thought to be in force.
pub(crate) fn check_options(resource: &Resource) -> Result<(), String> {
    let scheme = resource.scheme();
    let known = SERVICES.iter().any(|service| service.schemes.contains(&scheme));
    // An unknown scheme has its own refusal.
    if !known || matches!(scheme, "https" | "http") {
        return Ok(());
    }
    let takes_timeout = matches!(scheme, "kinesis" | "dynamodb" | "s3" | "sqs");
    let given = [
        ("headers", !resource.headers.is_empty()),
        ("timeout", resource.timeout.is_some() && !takes_timeout),
        ("insecure", resource.insecure),
        ("hosts", !resource.hosts.is_empty()),
        ("private", resource.private),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!("`{key}` means nothing for `{scheme}:`; it is for `https:`")),
        None => Ok(()),
    }
}
