//! A table, and how it is asked.

use std::{collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use fourstroke::{config::Resource, error::Kind, ports::StoreError};
use futures_util::{Stream, StreamExt, stream};

use super::item::Attributes;
use crate::{
    at_once::AT_ONCE,
    aws::{self, Fault},
};

/// As many keys as a BatchGetItem takes.
const BATCH: usize = 100;

/// A table as one resource names it.
pub(super) struct Service {
    pub(super) client: Client,
    pub(super) table: String,
    /// The names of the key's attributes.
    key: Vec<String>,
    /// What the key must be, in words.
    keys: String,
    shown: String,
}

/// What is read of each item, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// Sees every write that was answered before; costs twice as much.
    pub(super) consistent: bool,
    /// The attributes that are wanted, key included; none: all.
    pub(super) attributes: Option<Vec<String>>,
}

/// Which item it is: the texts of its key.
type Identity = Vec<String>;

pub(super) type Read = Result<Option<Attributes>, StoreError>;

impl Service {
    pub(super) fn new(
        resource: &Resource,
        account: &SdkConfig,
        table: String,
        key: Vec<String>,
        keys: String,
    ) -> Service {
        let client = Client::new(&aws::within(account, &bounded(resource)));
        Service { client, table, key, keys, shown: resource.shown() }
    }

    /// Makes a first connection.
    pub(super) async fn connect(&self) {
        let call = self.client.get_item().table_name(&self.table);
        let call = self.key.iter().fold(call, |call, name| call.key(name, AttributeValue::S("-".to_owned())));
        // It fails as it is meant to.
        let _ = call.customize().mutate_request(aws::only_connect).send().await;
    }

    /// Reads items by their keys, each of which has its place; gives them as they come. Keys are distinct.
    pub(super) fn read(&self, keys: Vec<(usize, Attributes)>, reading: &Reading) -> impl Stream<Item = (usize, Read)> {
        let chunks: Vec<_> = keys.chunks(BATCH).map(|chunk| self.read_chunk(chunk.to_vec(), reading)).collect();
        stream::iter(chunks).buffer_unordered(AT_ONCE).flat_map(stream::iter)
    }

    async fn read_chunk(&self, keys: Vec<(usize, Attributes)>, reading: &Reading) -> Vec<(usize, Read)> {
        let places: Vec<(usize, Identity)> = keys.iter().map(|(place, key)| (*place, self.identity(key))).collect();
        let keys = keys.into_iter().map(|(_, key)| key).collect();
        let mut found = match self.batch_get(keys, reading).await {
            Ok(found) => found,
            Err(error) => return places.into_iter().map(|(place, _)| (place, Err(error.clone()))).collect(),
        };
        places.into_iter().map(|(place, identity)| (place, found.remove(&identity).unwrap_or(Ok(None)))).collect()
    }

    /// Asks once. What is not there is left out.
    async fn batch_get(&self, keys: Vec<Attributes>, reading: &Reading) -> Result<HashMap<Identity, Read>, StoreError> {
        let mut asked = KeysAndAttributes::builder().consistent_read(reading.consistent).set_keys(Some(keys));
        if let Some(attributes) = &reading.attributes {
            // Under names of ours: theirs may be reserved words.
            let names: Vec<String> = (0..attributes.len()).map(|place| format!("#{place}")).collect();
            asked = asked.projection_expression(names.join(", "));
            asked = asked.set_expression_attribute_names(Some(names.into_iter().zip(attributes.clone()).collect()));
        }
        let asked = asked.build().map_err(|error| self.failed(Kind::Fatal, &error.to_string()))?;
        let call = self.client.batch_get_item().request_items(&self.table, asked);
        let answer = call.customize().mutate_request(aws::repeatable).send().await;
        let answer = answer.map_err(|error| self.fault(&error))?;
        let mut found = HashMap::new();
        for unread in answer.unprocessed_keys.iter().flat_map(HashMap::values).flat_map(|unread| &unread.keys) {
            let why = "it was not read: throttled, or too much for one answer";
            found.insert(self.identity(unread), Err(self.failed(Kind::Retryable, why)));
        }
        for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
            found.insert(self.identity(&item), Ok(Some(item)));
        }
        Ok(found)
    }

    fn identity(&self, attributes: &Attributes) -> Identity {
        let text = |name| match attributes.get(name) {
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
            _ => String::new(),
        };
        self.key.iter().map(text).collect()
    }

    /// Classifies the error of a call.
    pub(super) fn fault<E>(&self, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let fault = Fault::of(&self.shown, error);
        if error.code() != Some("ValidationException") {
            return fault.into();
        }
        // Keys and sizes are looked at before: no item is at fault, and none of them would fare better.
        let reason = format!("{}; {}", fault.reason, self.keys);
        StoreError { kind: Kind::Fatal, reason }
    }

    /// Makes the error of what does not come from a call.
    pub(super) fn failed(&self, kind: Kind, what: &str) -> StoreError {
        StoreError { kind, reason: format!("`{}`: {what}", self.shown) }
    }
}

/// A table answers in milliseconds: who waits longer for one item keeps all the others of a batch waiting, and leaves no time to ask
/// again.
fn bounded(resource: &Resource) -> Resource {
    const ATTEMPT: Duration = Duration::from_secs(1);
    Resource { timeout: resource.timeout.or(Some(ATTEMPT)), ..resource.clone() }
}
