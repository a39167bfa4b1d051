//! A resource: a URL, or an object with `url` and what that service needs. What the URL means is the adapter's business.

use std::{collections::HashMap, fmt, ops::Range, path::PathBuf, time::Duration};

use crate::types::Fields;

/// The layout of what a resource holds or takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Bodies as they are: an action's data alone.
    #[default]
    Json,
    /// Actions as CloudEvents 1.0 in JSON, ids included.
    CloudEvents,
}

/// Every scheme there is, in this version or a later one.
const SCHEMES: [&str; 20] = [
    "kinesis",
    "sqs",
    "dynamodb",
    "eventhubs",
    "pubsub",
    "redis",
    "rediss",
    "mqtt",
    "mqtts",
    "https",
    "http",
    "s3",
    "gs",
    "az",
    "binding",
    "redb",
    "file",
    "memory",
    "stdout",
    "sns",
];

/// Where a source, store, sink, model or table is, and how to use it.
#[derive(Clone)]
pub struct Resource {
    /// The place in the pipeline file, such as `stores.weather`.
    pub at: String,
    /// Where that place is in the file's text, in bytes.
    pub span: Range<usize>,
    /// The variable that gave the URL, if one did.
    pub variable: Option<String>,
    /// The URL after variables were put in. It may hold a secret: show [`Resource::shown`] instead.
    pub url: String,
    /// The directory relative read paths start from: the pipeline file's.
    pub base: PathBuf,
    /// The columns that make a table's key, in the order of a lookup's key expressions.
    pub key: Vec<String>,
    /// The columns a lookup gives, and their types.
    pub fields: Option<Fields>,
    /// The layout of actions.
    pub format: Format,
    /// How long one call may take.
    pub timeout: Option<Duration>,
    /// Headers sent along; values may hold secrets.
    pub headers: HashMap<String, String>,
    /// False lifts the order per key.
    pub ordered: bool,
    /// Allowed in a cloud though its content dies with the instance.
    pub ephemeral: bool,
    /// Allowed to go unencrypted beyond this machine.
    pub insecure: bool,
    /// The hosts its URL may name, `*.` in front for all below; empty: the one it names.
    pub hosts: Vec<String>,
    /// Allowed to reach private addresses.
    pub private: bool,
    /// Takes what this sink has no room for.
    pub large: Option<Box<Resource>>,
}

impl Resource {
    /// Makes a resource of a URL alone, as a handler's command line gives it.
    pub fn new(at: impl Into<String>, url: impl Into<String>) -> Resource {
        Resource {
            at: at.into(),
            span: 0..0,
            variable: None,
            url: url.into(),
            base: PathBuf::new(),
            key: Vec::new(),
            fields: None,
            format: Format::default(),
            timeout: None,
            headers: HashMap::new(),
            ordered: true,
            ephemeral: false,
            insecure: false,
            hosts: Vec::new(),
            private: false,
            large: None,
        }
    }

    /// Returns the scheme: what stands before the first colon.
    pub fn scheme(&self) -> &str {
        self.url.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// Returns what stands behind the scheme and its colon.
    pub fn rest(&self) -> &str {
        self.url.split_once(':').map_or("", |(_, rest)| rest)
    }

    /// Returns a path to read, relative to the pipeline file.
    pub fn read_path(&self) -> PathBuf {
        self.base.join(self.rest())
    }

    /// Returns a path to write, relative to the working directory.
    pub fn write_path(&self) -> PathBuf {
        PathBuf::from(self.rest())
    }

    /// Returns the URL if it stands in the file, else at most a scheme that is known: values of variables are never
    /// printed.
    pub fn shown(&self) -> String {
        match &self.variable {
            None => self.url.clone(),
            Some(variable) if SCHEMES.contains(&self.scheme()) => format!("{}:… (from {variable})", self.scheme()),
            Some(variable) => format!("what {variable} gives"),
        }
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.at, self.shown())
    }
}
