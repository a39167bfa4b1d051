//! Which store is meant, and how it is opened.

use std::{path::PathBuf, sync::Arc};

use anyhow::{anyhow, bail};
use fourstroke::{config::Resource, ports::Store};
use fourstroke_adapters::{open, redb::check_store};

use crate::{open::read, output};

/// Names a store.
#[derive(clap::Args)]
pub struct Which {
    /// The store: its URL or, with --pipeline, its name in that file.
    #[arg(long, value_name = "URL|NAME")]
    store: String,
    /// The pipeline file that has the store; variables of its URL are resolved.
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
}

/// A store, and what it may be called in messages.
pub struct Opened {
    pub store: Arc<dyn Store>,
    pub shown: String,
}

impl Which {
    /// Opens the store. None, and told, where nothing was ever kept: looking must not make a file.
    pub async fn open(&self) -> anyhow::Result<Option<Opened>> {
        let resource = self.resource()?;
        let shown = resource.shown();
        match resource.scheme() {
            "memory" => bail!("--store {shown}: what is in memory is gone with its process; name a store that keeps"),
            "redb" => {
                check_store(&resource).map_err(|why| anyhow!("--store: {why}"))?;
                if !resource.write_path().exists() {
                    output::tell(&format!("`{shown}` does not exist: nothing is kept there yet\n"));
                    return Ok(None);
                }
            }
            _ => {}
        }
        let store = open::store(&resource).await.map_err(|why| anyhow!("--store: {why}"))?;
        Ok(Some(Opened { store, shown }))
    }

    fn resource(&self) -> anyhow::Result<Resource> {
        let Some(path) = &self.pipeline else {
            if !self.store.contains(':') {
                bail!("--store {}: give a URL such as redb:.fourstroke/state.redb, or --pipeline too", self.store);
            }
            return Ok(Resource::new("--store", &*self.store));
        };
        let file = read(path)?;
        match file.stores.iter().find(|(name, _)| name.text == self.store) {
            Some((_, resource)) => Ok(resource.clone()),
            None => {
                let known: Vec<&str> = file.stores.iter().map(|(name, _)| name.text.as_str()).collect();
                bail!("{} has no store `{}`; it has: {}", path.display(), self.store, known.join(", "));
            }
        }
    }
}
