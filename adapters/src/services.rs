//! Every service a pipeline file may name by its scheme, which handlers link it, and the words for one that cannot be opened: here,
//! or where the file will be deployed to.

use std::fmt;

use fourstroke::config::{Resource, did_you_mean};

use crate::target;

/// What a resource is opened as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Where events come from.
    Source,
    /// Where state is kept, or a table.
    Store,
    /// Where actions, decisions and dead letters go.
    Sink,
    /// A file that is read whole, such as a model.
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

/// A platform's binary, in this version or a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// The laptop tool.
    Local,
    /// AWS Lambda.
    Lambda,
    /// Azure Functions.
    AzureFunctions,
    /// Google Cloud Run.
    CloudRun,
    /// A process that runs on.
    Worker,
}

use Handler::{AzureFunctions, CloudRun, Lambda, Local, Worker};

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Local => "handlers/local",
            Lambda => "handlers/lambda",
            AzureFunctions => "handlers/azure-functions",
            CloudRun => "handlers/cloud-run",
            Worker => "handlers/worker",
        })
    }
}

struct Service {
    schemes: &'static [&'static str],
    feature: &'static str,
    /// Linked into this binary.
    built: bool,
    /// Those that link it.
    handlers: &'static [Handler],
    /// What it can be opened as; nothing yet: it is not in this version.
    offers: &'static [Use],
}

const EVERY: &[Handler] = &[Local, Lambda, AzureFunctions, CloudRun, Worker];
const LASTING: &[Handler] = &[Local, Worker];
const AWS: &[Handler] = &[Lambda, Worker];
const AZURE: &[Handler] = &[AzureFunctions, Worker];
const GOOGLE: &[Handler] = &[CloudRun, Worker];
const CLOUDS: &[Handler] = &[Lambda, AzureFunctions, CloudRun, Worker];

const fn here(schemes: &'static [&'static str], built: bool, offers: &'static [Use]) -> Service {
    Service { schemes, feature: schemes[0], built, handlers: EVERY, offers }
}

const fn later(schemes: &'static [&'static str], feature: &'static str, handlers: &'static [Handler]) -> Service {
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
    later(&["binding"], "binding", &[AzureFunctions]),
    later(&["az"], "az", AZURE),
    later(&["pubsub"], "pubsub", GOOGLE),
    later(&["gs"], "gs", GOOGLE),
    later(&["redis", "rediss"], "redis", CLOUDS),
    later(&["mqtt", "mqtts"], "mqtt", &[Worker]),
];

/// Finds a resource's service, if that can be opened so at all.
///
/// # Errors
/// One sentence: there is no such service, or it is none to be used so.
fn service(resource: &Resource, wanted: Use) -> Result<&'static Service, String> {
    if !resource.url.contains(':') {
        // Without a scheme the whole value of a variable would count as one.
        let what = resource
            .variable
            .as_ref()
            .map_or_else(|| format!("`{}`", resource.url), |name| format!("the value of {name}"));
        return Err(format!("{what} has no scheme; write `file:` before a path"));
    }
    let (scheme, shown) = (resource.scheme(), resource.shown());
    let Some(service) = SERVICES.iter().find(|service| service.schemes.contains(&scheme)) else {
        let known: Vec<String> = SERVICES.iter().flat_map(|service| service.schemes).map(|s| format!("{s}:")).collect();
        let help = did_you_mean(&format!("{}:", scheme.to_ascii_lowercase()), known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("known are {}", known.join(", ")));
        return Err(format!("`{shown}` has an unknown scheme; {help}"));
    };
    let Service { feature, handlers, offers, .. } = service;
    if offers.is_empty() {
        let handlers = listed(handlers);
        Err(format!("`{shown}` is not in this version yet; it will be the feature `{feature}`, in {handlers}"))
    } else if !offers.contains(&wanted) {
        let offers: Vec<String> = offers.iter().map(Use::to_string).collect();
        Err(format!("`{shown}` cannot be {wanted}; `{scheme}:` can be {}", offers.join(" or ")))
    } else {
        Ok(service)
    }
}

/// Says in one sentence why a resource cannot be opened as that.
pub(crate) fn refusal(resource: &Resource, wanted: Use) -> String {
    match service(resource, wanted) {
        Err(why) => why,
        Ok(Service { feature, handlers, built, .. }) => {
            debug_assert!(!built, "a service that is built has its arm in `open`");
            let (shown, have) = (resource.shown(), if handlers.len() == 1 { "has" } else { "have" });
            let handlers = listed(handlers);
            format!(
                "`{shown}` needs the feature `{feature}`, which this binary was built without; {handlers} {have} it"
            )
        }
    }
}

/// Says what another handler would refuse about a resource, as far as that can be known without it: nothing is opened, made or
/// connected to, and no service's SDK is needed.
///
/// # Errors
/// One sentence: that handler does not link the service, the service is none to be used so, an option means nothing for it, its
/// URL is wrong.
pub fn check_for(handler: Handler, resource: &Resource, wanted: Use) -> Result<(), String> {
    check_options(resource)?;
    let Service { handlers, .. } = service(resource, wanted)?;
    if !handlers.contains(&handler) {
        let scheme = resource.scheme();
        return Err(format!("{handler} does not link `{scheme}:`, which is for {}", listed(handlers)));
    }
    match (resource.scheme(), wanted) {
        ("dynamodb", _) => target::dynamodb::Target::read(resource).map(drop),
        ("kinesis", _) => target::kinesis::of_sink(resource).map(drop),
        ("s3", Use::Object) => target::s3::of_object(resource).map(drop),
        ("s3", _) => target::s3::of_sink(resource).map(drop),
        ("sqs", _) => target::sqs::of_sink(resource).map(drop),
        ("memory" | "stdout", _) => alone(resource),
        #[cfg(feature = "file")]
        ("file", Use::Sink) => crate::file::check_name(resource),
        #[cfg(feature = "http")]
        ("https" | "http", Use::Sink) => crate::http::check_sink(resource),
        #[cfg(feature = "http")]
        ("https" | "http", Use::Store) => crate::http::check_table(resource),
        _ => Ok(()),
    }
}

/// Tells whether a store is a table of somebody's own by its URL and options, where only opening it would tell else.
pub fn is_table(resource: &Resource) -> bool {
    let dynamodb = || target::dynamodb::Target::read(resource).is_ok_and(|target| !target.key.is_empty());
    resource.scheme() == "dynamodb" && dynamodb()
}

/// Refuses a name behind a scheme that has none: `memory:state` in two places would not be one store.
pub(crate) fn alone(resource: &Resource) -> Result<(), String> {
    match resource.rest() {
        "" => Ok(()),
        _ => Err(format!("`{}` must end with the colon: `{}:` takes no name", resource.shown(), resource.scheme())),
    }
}

fn listed(handlers: &[Handler]) -> String {
    let words: Vec<String> = handlers.iter().map(Handler::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path, process::Command};

    use serde_json::Value;

    use super::*;

    /// The features of this package that a handler's manifest names.
    fn linked(handler: Handler) -> BTreeSet<String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../{handler}/Cargo.toml"));
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"]);
        let output = cargo.arg(&manifest).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let manifest = manifest.canonicalize().unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let of = |package: &&Value| Path::new(package["manifest_path"].as_str().unwrap()) == manifest;
        let dependencies = packages.iter().find(of).unwrap()["dependencies"].as_array().unwrap();
        let adapters = dependencies.iter().find(|on| on["name"] == "fourstroke-adapters").unwrap();
        adapters["features"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_handler_links_what_is_said_of_it() {
        for handler in [Local, Lambda] {
            let linked = linked(handler);
            for service in SERVICES.iter().filter(|service| !service.offers.is_empty()) {
                let said = service.handlers.contains(&handler);
                assert_eq!(said, linked.contains(service.feature), "{handler} and {}", service.feature);
            }
        }
    }

    #[test]
    fn what_another_handler_would_refuse_is_known_without_it() {
        let check = |url: &str, wanted| check_for(Lambda, &Resource::new("x", url), wanted);
        for (url, wanted) in [
            ("dynamodb://state", Use::Store),
            ("dynamodb://customers?key=id", Use::Store),
            ("kinesis://actions", Use::Sink),
            ("sqs://123456789012/queue.fifo", Use::Sink),
            ("s3://bucket/dead-letters", Use::Sink),
            ("s3://bucket/model.onnx", Use::Object),
            ("file:customers.csv", Use::Store),
            ("memory:", Use::Sink),
        ] {
            assert_eq!(check(url, wanted), Ok(()), "{url}");
        }
        for (url, wanted, why) in [
            (
                "redb:state.redb",
                Use::Store,
                "handlers/lambda does not link `redb:`, which is for handlers/local and handlers/worker",
            ),
            ("dynamodb://ab", Use::Store, "names no table"),
            ("dynamodb://state", Use::Sink, "cannot be a sink"),
            ("kinesis:actions", Use::Sink, "names no stream"),
            ("kinesis://actions", Use::Object, "cannot be a file to read"),
            ("sqs://a b", Use::Sink, "names no queue"),
            ("s3://Bucket", Use::Sink, "names no bucket"),
            ("s3://bucket/", Use::Object, "names no object"),
            ("memory:state", Use::Store, "takes no name"),
            ("eventhubs://ns/hub", Use::Sink, "not in this version yet"),
            ("dynamo://x", Use::Store, "did you mean `dynamodb:`?"),
            ("actions", Use::Sink, "has no scheme"),
        ] {
            let sentence = check(url, wanted).unwrap_err();
            assert!(sentence.contains(why), "{url}: {sentence}");
        }
        let mut resource = Resource::new("x", "kinesis://actions");
        resource.private = true;
        assert!(check_for(Lambda, &resource, Use::Sink).unwrap_err().contains("`private` means nothing"));
    }
}
