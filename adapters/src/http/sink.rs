//! Items posted one by one: those of a key behind each other, others at the same time.

use std::{collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sink},
};
use futures_util::{Stream, StreamExt, stream};
use hyper::{
    Method, Uri,
    header::{self, HeaderMap, HeaderName},
};
use tokio::time::Instant;

use super::{
    answer::unhoped,
    client::{Ask, Client},
    headers,
    target::Target,
};
use crate::at_once::{AT_ONCE, gathered};

/// Posts each body as it is, with its media type, the item's id as `idempotency-key` and its attributes as
/// `fourstroke-NAME`.
///
/// A status of the 200s takes the item. 408, 425, 429, the 500s, a lost connection and a timeout are retryable, and so is 409
/// with `Retry-After`; other 400s refuse it as poison; 401, 403, 407 and redirects are fatal.
pub struct HttpSink {
    client: Client,
    uri: Uri,
    ordered: bool,
}

/// Reads a sink's URL and options.
pub(super) fn read(resource: &Resource) -> Result<(Target, Uri), String> {
    let shown = resource.shown();
    if resource.url.contains(['{', '}']) {
        return Err(format!("`{shown}` has a brace; only a store has placeholders"));
    }
    if resource.fields.is_some() {
        return Err(format!("`fields` means nothing for the sink `{shown}`"));
    }
    let target = Target::read(resource, &resource.url)?;
    headers::read(resource)?;
    let uri = target.path.parse().map_err(|error| format!("`{shown}` is no URL: {error}"))?;
    Ok((target, uri))
}

impl HttpSink {
    /// Opens a sink; nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: the URL may not be used, a header may not be set.
    pub fn open(resource: &Resource, clock: Clock) -> Result<HttpSink, String> {
        let (target, uri) = read(resource)?;
        Ok(HttpSink { client: Client::new(resource, target, clock)?, uri, ordered: resource.ordered })
    }

    /// Sends one item.
    async fn post(&self, item: &Outgoing) -> Result<(), SendError> {
        // Enough to keep the connection and to say why not; what is longer or slower is cut off with its connection.
        const MOST: usize = 64 << 10;
        const PATIENCE: Duration = Duration::from_secs(1);
        let mut all = HeaderMap::new();
        all.insert(header::CONTENT_TYPE, headers::value(item.content_type));
        all.insert("idempotency-key", headers::value(&item.id));
        for (name, value) in &item.attributes {
            // Attributes are named by the core, in letters and dashes.
            if let Ok(name) = HeaderName::try_from(format!("{}{name}", headers::PREFIX)) {
                all.insert(name, headers::value(value));
            }
        }
        let ask = Ask {
            method: Method::POST,
            uri: self.uri.clone(),
            headers: all,
            body: Bytes::clone(&item.body),
            most: MOST,
            patience: Some(PATIENCE),
        };
        let answer = self.client.ask(ask).await?;
        if answer.status.is_success() { Ok(()) } else { Err(unhoped(&self.client, &answer)) }
    }

    /// Sends the items of one key, until one fails.
    fn post_in_order<'a>(
        &'a self,
        items: Vec<(usize, &'a Outgoing)>,
    ) -> impl Stream<Item = (usize, Result<(), SendError>)> + Send + 'a {
        stream::unfold((items.into_iter(), false), move |(mut items, held)| async move {
            let (place, item) = items.next()?;
            let answer = if held { Err(SendError::held()) } else { self.post(item).await };
            let held = held || matches!(&answer, Err(error) if error.kind != Kind::Poison);
            Some(((place, answer), (items, held)))
        })
    }

    /// Puts the items of each key behind each other.
    fn chains<'a>(&self, items: &'a [Outgoing]) -> Vec<Vec<(usize, &'a Outgoing)>> {
        let mut chains: Vec<Vec<(usize, &Outgoing)>> = Vec::new();
        let mut of_key: HashMap<&str, usize> = HashMap::new();
        for (place, item) in items.iter().enumerate() {
            let chain = match item.key.as_deref().filter(|_| self.ordered) {
                Some(key) => *of_key.entry(key).or_insert(chains.len()),
                None => chains.len(),
            };
            if chain == chains.len() {
                chains.push(Vec::new());
            }
            chains[chain].push((place, item));
        }
        chains
    }

    async fn post_all(&self, items: &[Outgoing], until: Option<Instant>) -> Vec<Option<Result<(), SendError>>> {
        let chains = self.chains(items).into_iter().map(|chain| Box::pin(self.post_in_order(chain)));
        let chains: Vec<_> = chains.collect();
        gathered(stream::iter(chains).flatten_unordered(AT_ONCE), items.len(), until).await
    }
}

#[async_trait]
impl Sink for HttpSink {
    async fn connect(&self) {
        self.client.connect().await;
    }

    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        self.post_all(items, None).await.into_iter().flatten().collect()
    }

    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Result<(), SendError>>> {
        self.post_all(items, Some(until)).await
    }
}

impl fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpSink {:?}", self.client)
    }
}
