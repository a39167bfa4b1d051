//! The event to be explained: a body and what came beside it, or a dead letter.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use fourstroke::event::{Attributes, Event};
use serde::Deserialize;

/// More than a body may have, so that one that is too large is explained as that.
const MOST: u64 = 64 << 20;

/// Where the event comes from.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct From {
    /// The event: a file that holds one body; `-` is standard input.
    #[arg(long, value_name = "FILE|-")]
    event: Option<PathBuf>,
    /// The event of a dead letter: a file that holds one, or begins with it; `-` is standard input.
    #[arg(long, value_name = "FILE|-", conflicts_with = "attributes")]
    dead_letter: Option<PathBuf>,
}

/// What came beside a body.
#[derive(clap::Args)]
pub struct Beside {
    /// What the platform delivers beside the body, such as ce-type=order; may be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    attributes: Vec<(String, String)>,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A dead letter, as far as it says what the event was.
#[derive(Deserialize)]
struct DeadLetter {
    id: String,
    key: Option<String>,
    time: Option<DateTime<Utc>>,
    stage: String,
    attributes: BTreeMap<String, String>,
    body_base64: String,
}

/// Reads the event.
pub fn event(from: &From, beside: &Beside) -> anyhow::Result<Event> {
    match (&from.event, &from.dead_letter) {
        (_, Some(path)) => {
            letter(&read("--dead-letter", path)?).with_context(|| format!("--dead-letter {}", path.display()))
        }
        (Some(path), None) => {
            let id = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
            Ok(Event {
                attributes: attributes(beside.attributes.iter().cloned()),
                ..Event::new(id, read("--event", path)?)
            })
        }
        (None, None) => bail!("give --event or --dead-letter"),
    }
}

fn letter(text: &[u8]) -> anyhow::Result<Event> {
    let first = serde_json::Deserializer::from_slice(text).into_iter().next();
    let letter: DeadLetter = first.ok_or_else(|| anyhow!("there is no dead letter"))?.context("not a dead letter")?;
    if letter.stage == "log" {
        bail!("it is an entry of the decision log that could not be written there: `fourstroke why` shows those");
    }
    let body = STANDARD.decode(&letter.body_base64).context("`body_base64` is not base64")?;
    Ok(Event {
        key: letter.key.map(Into::into),
        time: letter.time,
        attributes: attributes(letter.attributes),
        ..Event::new(letter.id, body)
    })
}

fn attributes(pairs: impl IntoIterator<Item = (String, String)>) -> Attributes {
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// Reads a file whole.
fn read(option: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = match path == Path::new("-") {
        true => io::stdin().lock().take(MOST + 1).read_to_end(&mut text),
        false => File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut text)),
    };
    read.with_context(|| format!("{option} {}", path.display()))?;
    if text.len() as u64 > MOST {
        bail!("{option} {}: more than {} MiB; give one event", path.display(), MOST >> 20);
    }
    Ok(text)
}
