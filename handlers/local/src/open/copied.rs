//! A copy of what a store keeps in a file: what is looked at is what is there, and nothing touches the file itself.

use std::{fs, path::Path, sync::Arc};

use fourstroke::{clock::Clock, config::Resource, ports::Store};
use fourstroke_adapters::{memory::MemoryStore, open, redb::check_store};
use tempfile::TempDir;

use super::anew::Anew;
use crate::output;

/// A larger file is not copied to look at one event.
const MOST: u64 = 1 << 30;

/// Opens a copy, which ends with the directory that is given too. Where the file is not there, or cannot be copied, as while
/// a worker has it open, an empty store stands in; the latter is told.
pub async fn open(resource: &Resource) -> (Arc<dyn Store>, Option<TempDir>) {
    match copy(resource).await {
        Ok(Some((store, directory))) => return (store, Some(directory)),
        Ok(None) => {}
        Err(why) => output::tell(&format!("`{}`: {why}; an empty store stands in\n", resource.at)),
    }
    (Arc::new(MemoryStore::new(Clock::system())), None)
}

async fn copy(resource: &Resource) -> Result<Option<(Arc<dyn Store>, TempDir)>, String> {
    check_store(resource)?;
    let path = resource.write_path();
    if !path.exists() {
        return Ok(None);
    }
    let copying = tokio::task::spawn_blocking(move || copied(&path)).await;
    let directory = copying.map_err(|died| died.to_string())?.map_err(|error| error.to_string())?;
    let place = directory.path().join(NAME);
    let place = place.to_str().ok_or("the directory for temporary files is not UTF-8")?;
    let copy = Resource { url: format!("redb:{place}"), ..resource.clone() };
    let store = Anew::new(open::store(&copy).await?);
    Ok(Some((Arc::new(store), directory)))
}

const NAME: &str = "copy.redb";

fn copied(path: &Path) -> std::io::Result<TempDir> {
    if fs::metadata(path)?.len() > MOST {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", MOST >> 20)));
    }
    let directory = TempDir::new()?;
    fs::copy(path, directory.path().join(NAME))?;
    Ok(directory)
}
