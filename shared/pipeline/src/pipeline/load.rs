//! A model with everything it is made of: read, checked against its pin, loaded.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use crate::{
    config::{Categories, Mistake, ModelConfig, Name, Pin, Resource},
    identity,
    ports::{Model, Objects},
};

/// A model that fits its pin, with its category tables.
#[derive(Clone)]
pub(super) struct Loaded {
    pub model: Arc<dyn Model>,
    pub sha256: String,
    pub tables: Arc<[Vec<String>]>,
    /// Those of what says that there is another; none where nobody asks.
    pub etags: Vec<String>,
}

/// Reads and loads a model when its pipeline is opened.
///
/// # Errors
/// Every mistake, that of a reload with a fixed digest included.
pub(super) async fn open(config: &ModelConfig, objects: &dyn Objects) -> Result<Loaded, Vec<Mistake>> {
    let mut mistakes: Vec<Mistake> = config.external_data.iter().filter_map(|name| not_beside(config, name)).collect();
    if !mistakes.is_empty() {
        // Nothing elsewhere is even looked for.
        return Err(mistakes);
    }
    let mut etags = Vec::new();
    match (&config.sha256, config.reload) {
        (_, None) => {}
        (Some(Pin::Digest(digest)), Some(_)) => {
            let message = format!("`{}` is reloaded, but no other model has this digest", config.name.text);
            let help = "write `sha256: beside` and keep the digest in the model's .sha256, or leave `reload` out";
            mistakes.push(Mistake::new(digest.span.clone(), message).help(help));
        }
        (_, Some(_)) => match self::etags(config, objects).await {
            Ok(found) => etags = found,
            Err(found) => mistakes.extend(found),
        },
    }
    let loaded = load(config, read(config, objects).await, etags, objects).await;
    match loaded {
        Ok(loaded) if mistakes.is_empty() => Ok(loaded),
        loaded => {
            mistakes.extend(loaded.err().into_iter().flatten());
            Err(mistakes)
        }
    }
}

/// Returns the etags of what says that there is another model: its file, and the one with its digest. What else it is made
/// of is written before them.
pub(super) async fn etags(config: &ModelConfig, objects: &dyn Objects) -> Result<Vec<String>, Vec<Mistake>> {
    let asked = [config.model.clone()].into_iter().chain(config.digest());
    let asked = asked.map(|at| async move { objects.etag(&at).await.map_err(|why| failed(&at, &why)) });
    let mut mistakes = Vec::new();
    let etags = join_all(asked).await.into_iter().filter_map(|etag| etag.map_err(|found| mistakes.push(found)).ok());
    let etags = etags.collect();
    if mistakes.is_empty() { Ok(etags) } else { Err(mistakes) }
}

/// Reads everything a model is made of: its file, its external data, the file with its digest, its category tables.
pub(super) async fn read(config: &ModelConfig, objects: &dyn Objects) -> Vec<Result<Bytes, Mistake>> {
    let read = |at: Resource| async move { objects.read(&at).await.map_err(|why| failed(&at, &why)) };
    join_all(config.objects().into_iter().map(read)).await
}

/// Makes a model of what was read: checks its digest, reads its tables, loads it.
///
/// # Errors
/// Every mistake, those of the reading included.
pub(super) async fn load(
    config: &ModelConfig,
    read: Vec<Result<Bytes, Mistake>>,
    etags: Vec<String>,
    objects: &dyn Objects,
) -> Result<Loaded, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut read = read.into_iter();
    let mut next = || read.next()?.map_err(|mistake| mistakes.push(mistake)).ok();
    let bytes = next();
    let external: Option<Vec<(String, Bytes)>> = {
        // All of them are taken, also behind one that is not there.
        let external: Vec<_> = config.external_data.iter().map(|name| Some((name.text.clone(), next()?))).collect();
        external.into_iter().collect()
    };
    let digest = config.digest().and_then(|_| next());
    let tables: Vec<Option<Bytes>> = config
        .categories
        .iter()
        .map(|(_, categories)| match categories {
            Categories::Table(_) => next(),
            Categories::Inline(_) => None,
        })
        .collect();
    let (tables, of_tables) = lists(config, tables);
    mistakes.extend(of_tables);
    let made = match bytes.zip(external) {
        None => None,
        Some((bytes, external)) => match make(config, bytes, external, digest, objects).await {
            Ok(made) => Some(made),
            Err(mistake) => {
                mistakes.push(mistake);
                None
            }
        },
    };
    match made {
        Some((model, sha256)) if mistakes.is_empty() => Ok(Loaded { model, sha256, tables, etags }),
        _ => Err(mistakes),
    }
}

async fn make(
    config: &ModelConfig,
    bytes: Bytes,
    external: Vec<(String, Bytes)>,
    digest: Option<Bytes>,
    objects: &dyn Objects,
) -> Result<(Arc<dyn Model>, String), Mistake> {
    let at = &config.model;
    let parts: Vec<Bytes> = [&bytes].into_iter().chain(external.iter().map(|(_, data)| data)).cloned().collect();
    // Of a gigabyte it takes a second.
    let sha256 = spawn_blocking(move || identity::sha256_of(parts.iter().map(|part| &**part)));
    let sha256 = sha256.await.map_err(|died| failed(at, &died.to_string()))?;
    check_pin(config, digest, &sha256)?;
    let model = objects.model(bytes, external).await.map_err(|why| failed(at, &why))?;
    Ok((model, sha256))
}

/// Reads the category tables; nothing is said of those that could not be read.
fn lists(config: &ModelConfig, read: Vec<Option<Bytes>>) -> (Arc<[Vec<String>]>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let mut tables = Vec::new();
    for ((_, categories), bytes) in config.categories.iter().zip(read) {
        match (categories, bytes) {
            (Categories::Inline(list), _) => tables.push(list.clone()),
            (Categories::Table(_), None) => {}
            (Categories::Table(at), Some(bytes)) => match serde_json::from_slice(&bytes) {
                Ok(table) => tables.push(table),
                Err(error) => mistakes.push(failed(at, &format!("it must be a JSON array of strings: {error}"))),
            },
        }
    }
    (tables.into(), mistakes)
}

/// Holds a digest against the pin. One beside the model that could not be read is a mistake already.
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

fn not_beside(config: &ModelConfig, name: &Name) -> Option<Mistake> {
    if !name.text.contains(['/', '\\', ':']) && !["", ".", ".."].contains(&name.text.as_str()) {
        return None;
    }
    let message = format!("`infer.{}.external_data` must be names of files beside the model", config.name.text);
    Some(Mistake::new(name.span.clone(), message).help("write only the file's name, such as `weights.bin`"))
}

pub(super) fn failed(resource: &Resource, why: &str) -> Mistake {
    Mistake::new(resource.span.clone(), format!("`{}`: {why}", resource.at))
}
