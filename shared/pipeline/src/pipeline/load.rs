//! A model with everything it is made of: read, checked against its pin, loaded.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};

use crate::{
    config::{Categories, Mistake, ModelConfig, Pin, Resource},
    identity,
    ports::{Model, Objects},
};

/// A model that fits its pin, with its category tables.
#[derive(Clone)]
pub(super) struct Loaded {
    pub model: Arc<dyn Model>,
    pub sha256: String,
    pub tables: Arc<[Vec<String>]>,
    /// Those of everything it was read from; none where it is never looked at again.
    pub etags: Vec<String>,
}

/// Reads and loads a model when its pipeline is opened.
///
/// # Errors
/// Every mistake, that of a reload with a fixed digest included.
pub(super) async fn open(config: &ModelConfig, objects: &dyn Objects) -> Result<Loaded, Vec<Mistake>> {
    let etags = match (&config.sha256, config.reload) {
        (_, None) => Vec::new(),
        (Some(Pin::Digest(digest)), Some(_)) => {
            let message = format!("`{}` is reloaded, but no other model has this digest", config.name.text);
            let help = "write `sha256: beside` and keep the digest in the model's .sha256, or leave `reload` out";
            return Err(vec![Mistake::new(digest.span.clone(), message).help(help)]);
        }
        (_, Some(_)) => etags(config, objects).await.map_err(|mistake| vec![mistake])?,
    };
    load(config, read(config, objects).await?, etags, objects).await
}

/// Returns the etags of everything a model is made of.
pub(super) async fn etags(config: &ModelConfig, objects: &dyn Objects) -> Result<Vec<String>, Mistake> {
    let etag = |at: Resource| async move { objects.etag(&at).await.map_err(|why| failed(&at, &why)) };
    try_join_all(parts(config).map(etag)).await
}

/// Reads everything a model is made of.
pub(super) async fn read(config: &ModelConfig, objects: &dyn Objects) -> Result<Vec<Bytes>, Vec<Mistake>> {
    let read = |at: Resource| async move { objects.read(&at).await.map_err(|why| failed(&at, &why)) };
    let mut mistakes = Vec::new();
    let read = join_all(parts(config).map(read)).await;
    let read: Vec<Bytes> =
        read.into_iter().filter_map(|read| read.map_err(|found| mistakes.push(found)).ok()).collect();
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// Makes a model of what was read: checks its digest, reads its tables, loads it.
pub(super) async fn load(
    config: &ModelConfig,
    read: Vec<Bytes>,
    etags: Vec<String>,
    objects: &dyn Objects,
) -> Result<Loaded, Vec<Mistake>> {
    let mut read = read.into_iter();
    let mut next = || read.next().unwrap_or_default();
    let bytes = next();
    let external: Vec<(String, Bytes)> = config.external_data.iter().map(|name| (name.text.clone(), next())).collect();
    let beside = matches!(config.sha256, Some(Pin::Beside)).then(&mut next);
    let mut mistakes = Vec::new();
    let mut tables = Vec::new();
    for (_, categories) in &config.categories {
        match categories {
            Categories::Inline(list) => tables.push(list.clone()),
            Categories::Table(at) => match serde_json::from_slice(&next()) {
                Ok(table) => tables.push(table),
                Err(error) => mistakes.push(failed(at, &format!("it must be a JSON array of strings: {error}"))),
            },
        }
    }
    let sha256 = identity::sha256_of([&*bytes].into_iter().chain(external.iter().map(|(_, data)| &**data)));
    let made = match check_pin(config, beside, &sha256) {
        Ok(()) => objects.model(bytes, external).await.map_err(|why| failed(&config.model, &why)),
        Err(mistake) => Err(mistake),
    };
    match made {
        Ok(model) if mistakes.is_empty() => Ok(Loaded { model, sha256, tables: tables.into(), etags }),
        Ok(_) => Err(mistakes),
        Err(mistake) => {
            mistakes.push(mistake);
            Err(mistakes)
        }
    }
}

fn check_pin(config: &ModelConfig, beside: Option<Bytes>, found: &str) -> Result<(), Mistake> {
    let (expected, span) = match (&config.sha256, beside) {
        (Some(Pin::Digest(digest)), _) => (digest.text.to_ascii_lowercase(), digest.span.clone()),
        (_, Some(bytes)) => {
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            (text.split_whitespace().next().unwrap_or_default().to_owned(), config.model.span.clone())
        }
        _ => return Ok(()),
    };
    if expected == found {
        return Ok(());
    }
    Err(Mistake::new(span, format!("the model `{}` is not the pinned one: its sha256 is {found}", config.name.text))
        .help("load the model that was pinned, or pin this one"))
}

/// Everything a model is made of: its file, its external data, the file with its digest, its category tables.
fn parts(config: &ModelConfig) -> impl Iterator<Item = Resource> {
    let at = &config.model;
    let folder = at.url.rfind(['/', ':']).map_or(0, |end| end + 1);
    let external = config.external_data.iter().map(move |name| Resource {
        at: format!("infer.{}.external_data", config.name.text),
        span: name.span.clone(),
        url: format!("{}{}", &at.url[..folder], name.text),
        ..at.clone()
    });
    let beside = matches!(config.sha256, Some(Pin::Beside))
        .then(|| Resource { url: format!("{}.sha256", at.url), ..at.clone() });
    let tables = config.categories.iter().filter_map(|(_, categories)| match categories {
        Categories::Table(at) => Some((**at).clone()),
        Categories::Inline(_) => None,
    });
    [at.clone()].into_iter().chain(external).chain(beside).chain(tables)
}

pub(super) fn failed(resource: &Resource, why: &str) -> Mistake {
    Mistake::new(resource.span.clone(), format!("`{}`: {why}", resource.at))
}
