//! Whole objects, such as models and their category tables, and what tells whether they changed.

use std::time::Duration;

use bytes::Bytes;
use fourstroke::{clock::Clock, config::Resource};
use hyper::{
    Method, StatusCode,
    header::{CONTENT_LENGTH, ETAG, HeaderMap, LAST_MODIFIED},
};

use super::{
    answer::unhoped,
    client::{Ask, Client},
    sink,
};
use crate::connection::{Answer, Cut};

/// The longest object: as long as a model may be, and its parts.
const LARGEST: usize = 1 << 30;
/// As long as reading one may take where the resource says nothing.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Reads a whole object of at most 1 GiB with GET.
///
/// # Errors
/// One sentence: the URL may not be used, the answer is not 200, or did not come to its end.
pub async fn read(resource: &Resource) -> Result<Bytes, String> {
    let answer = ask(resource, Method::GET, LARGEST).await?;
    answer.body.map_err(|cut| match cut {
        Cut::TooLong => format!("`{}` is longer than 1 GiB", resource.shown()),
        Cut::Broken => format!("`{}` did not come to its end", resource.shown()),
    })
}

/// Asks with HEAD for what differs whenever the object has other content: its `ETag`, else its `Last-Modified` and length.
///
/// # Errors
/// One sentence: the URL may not be used, the answer is not 200, or says neither.
pub async fn etag(resource: &Resource) -> Result<String, String> {
    let answer = ask(resource, Method::HEAD, 0).await?;
    let text = |name| answer.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let modified = || Some(format!("{} {}", text(LAST_MODIFIED)?, text(CONTENT_LENGTH).unwrap_or_default()));
    let without = || format!("`{}` has neither ETag nor Last-Modified: it cannot be reloaded", resource.shown());
    text(ETAG).or_else(modified).ok_or_else(without)
}

async fn ask(resource: &Resource, method: Method, most: usize) -> Result<Answer, String> {
    let mut resource = resource.clone();
    resource.timeout.get_or_insert(TIMEOUT);
    let (target, uri) = sink::read(&resource)?;
    let client = Client::new(&resource, target, Clock::system())?;
    let ask = Ask { method, uri, headers: HeaderMap::new(), body: Bytes::new(), most, patience: None };
    let answer = client.ask(ask).await.map_err(|error| error.reason)?;
    match answer.status {
        StatusCode::OK => Ok(answer),
        _ => Err(unhoped(&client, &answer).reason),
    }
}
