//! Where a file is yet to be made.

use std::{fs, io, path::Path};

/// Looks for the directory that a missing file, and the missing directories before it, would be made in.
///
/// # Errors
/// Something on the way is no directory, or may not be looked at.
pub(crate) fn missing(path: &Path) -> io::Result<()> {
    for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
        match fs::metadata(parent) {
            Ok(metadata) if metadata.is_dir() => break,
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
