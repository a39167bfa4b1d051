//! A zip and its manifest: each is written whole or not at all, and no zip has another's manifest beside it.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tempfile::NamedTempFile;

/// The manifest of a zip.
pub fn beside(zip: &Path) -> PathBuf {
    zip.with_extension("json")
}

/// Writes both. A zip whose manifest is of another is never left: that goes first and comes last.
pub fn both(to: &Path, zip: &[u8], manifest: &impl Serialize) -> io::Result<()> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut text = serde_json::to_vec_pretty(manifest)?;
    text.push(b'\n');
    let (zip, text) = (written(folder, zip)?, written(folder, &text)?);
    match fs::remove_file(beside(to)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    zip.persist(to)?;
    text.persist(beside(to))?;
    Ok(())
}

fn written(folder: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // As any other new file has them.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}
