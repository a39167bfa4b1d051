//! Rows asked for one by one, many at the same time.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    Value,
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Delete, Item, Key, Put, PutOutcome, Sent, Store, StoreError},
};
use futures_util::{StreamExt, stream};
use hyper::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use tokio::time::Instant;

use super::{
    answer::unhoped,
    client::{Ask, Client},
    freshness, headers,
    target::Target,
    template::{Filled, Template},
};
use crate::{
    at_once::{AT_ONCE, gathered},
    connection::{Answer, Cut},
};

/// Gets one JSON object per key, each with version 1. It is only read: puts and deletes fail for good.
///
/// `https://HOST/customers/{id}?region={region}` with `key: [id, region]` has the key's parts put in, percent-encoded. 200
/// with an object of at most 1 MiB is a row, 204, 404 and 410 are none. A part that would be an empty piece of the path
/// finds nothing without being asked for; one that would lead to another path is poison. A row, and that there is none,
/// expires when `Cache-Control` or `Expires` says so.
pub struct HttpTable {
    client: Client,
    template: Template,
    /// How many parts a key has.
    parts: usize,
}

/// Reads a table's URL and options.
pub(super) fn read(resource: &Resource) -> Result<(Target, Template), String> {
    let read = Template::read(resource)?;
    headers::read(resource)?;
    Ok(read)
}

impl HttpTable {
    /// Opens a table; nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: the URL may not be used, its placeholders are not the names in `key:`, a header may not be set.
    pub fn open(resource: &Resource, clock: Clock) -> Result<HttpTable, String> {
        let (target, template) = read(resource)?;
        Ok(HttpTable { client: Client::new(resource, target, clock)?, template, parts: resource.key.len() })
    }

    async fn rows(&self, keys: &[Key], until: Option<Instant>) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        let rows = keys.iter().enumerate().map(|(place, key)| async move { (place, self.row(key).await) });
        let rows: Vec<_> = rows.collect();
        gathered(stream::iter(rows).buffer_unordered(AT_ONCE), keys.len(), until).await
    }

    async fn row(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        const MOST: usize = 1 << 20;
        // A key of other parts is nobody's.
        let Some(parts) = key.parts(self.parts) else { return Ok(None) };
        let path = match self.template.fill(&parts) {
            Filled::Path(path) => path,
            Filled::Nothing => return Ok(None),
            Filled::Astray => return Err(self.poison("a part of the key would lead to another path")),
        };
        let Ok(uri) = path.parse() else { return Err(self.poison("the key is too long for a URL")) };
        let mut all = HeaderMap::new();
        all.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let asked = self.client.clock.now();
        let ask = Ask { method: Method::GET, uri, headers: all, body: Bytes::new(), most: MOST, patience: None };
        let answer =
            self.client.ask(ask).await.map_err(|error| StoreError { kind: error.kind, reason: error.reason })?;
        match answer.status {
            StatusCode::OK => {
                let value = self.object(&answer)?;
                Ok(Some(Item { value, version: 1, expires: freshness::expires(&answer.headers, asked) }))
            }
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NO_CONTENT => {
                let until = freshness::expires(&answer.headers, asked);
                Ok(until.map(|until| Item { value: Value::Null, version: 1, expires: Some(until) }))
            }
            _ => {
                let error = unhoped(&self.client, &answer);
                Err(StoreError { kind: error.kind, reason: error.reason })
            }
        }
    }

    fn object(&self, answer: &Answer) -> Result<Value, StoreError> {
        let body = match &answer.body {
            Ok(body) => body,
            Err(Cut::TooLong) => return Err(self.poison("the answer is longer than 1 MiB")),
            Err(Cut::Broken) => return Err(self.failed(Kind::Retryable, "the answer did not come to its end")),
        };
        match serde_json::from_slice(body) {
            Ok(value @ Value::Object(_)) => Ok(value),
            Ok(_) => Err(self.poison("the answer is JSON, but no object")),
            Err(error) => Err(self.poison(&format!("the answer is no JSON: {error}"))),
        }
    }

    fn poison(&self, what: &str) -> StoreError {
        self.failed(Kind::Poison, what)
    }

    fn failed(&self, kind: Kind, what: &str) -> StoreError {
        StoreError { kind, reason: self.client.failed(kind, Sent::No, what).reason }
    }

    fn read_only(&self) -> StoreError {
        self.failed(Kind::Fatal, "a table behind HTTP is read-only")
    }
}

#[async_trait]
impl Store for HttpTable {
    async fn connect(&self) {
        self.client.connect().await;
    }

    async fn get(&self, keys: &[Key]) -> Vec<Result<Option<Item>, StoreError>> {
        self.rows(keys, None).await.into_iter().flatten().collect()
    }

    async fn get_by(&self, keys: &[Key], until: Instant) -> Vec<Option<Result<Option<Item>, StoreError>>> {
        self.rows(keys, Some(until)).await
    }

    fn is_table(&self) -> bool {
        true
    }

    async fn put(&self, puts: &[Put]) -> Vec<Result<PutOutcome, StoreError>> {
        puts.iter().map(|_| Err(self.read_only())).collect()
    }

    async fn delete(&self, deletes: &[Delete]) -> Vec<Result<PutOutcome, StoreError>> {
        deletes.iter().map(|_| Err(self.read_only())).collect()
    }

    async fn list(&self, _: &str) -> Result<Vec<(String, Item)>, StoreError> {
        Err(self.failed(Kind::Fatal, "a table behind HTTP cannot be listed"))
    }
}

impl fmt::Debug for HttpTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpTable {:?}", self.client)
    }
}
