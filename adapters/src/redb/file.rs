//! The file a resource names: whether it can be one of ours, and how it is opened.

use std::{
    fs::{self, OpenOptions},
    io,
    panic::catch_unwind,
    path::{Path, PathBuf, is_separator},
};

use fourstroke::{config::Resource, error::Kind, ports::StoreError};
use redb::{Builder, Database, DatabaseError, Error, ReadTransaction, ReadableDatabase, StorageError, TableError};

use super::{
    failure::{damaged_file, failure},
    shared,
    tables::{self, COUNTS, FORMAT, FORMAT_COUNT, Tables},
};

/// The most memory that pages of a file are kept in.
const CACHE: usize = 64 << 20;

/// Returns the path a resource names.
///
/// # Errors
/// One sentence: it names none, or more than one.
pub(super) fn path(resource: &Resource) -> Result<PathBuf, String> {
    let (shown, rest) = (resource.shown(), resource.rest());
    if rest.is_empty() {
        return Err(format!("`{shown}` names no file; write a path behind the colon"));
    }
    if rest.starts_with("//") || rest.contains(['?', '#']) {
        return Err(format!("`{shown}` must be a path alone, `redb:PATH`: no `//` before it, no `?` or `#` in it"));
    }
    Ok(resource.write_path())
}

/// Says in one sentence that a file cannot be opened.
pub(super) fn cannot(resource: &Resource, error: &StoreError) -> String {
    format!("`{}` cannot be opened: {error}", resource.shown())
}

/// Opens a file, making it and its directories.
pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    regular(path).map_err(|error| failure(&error.into()))?;
    let opened = catch_unwind(|| {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        if !path.exists() {
            begin(path)?;
        }
        look(path)?;
        let database = builder().create(path)?;
        prepare(&database)?;
        Ok::<_, Unfit>(database)
    });
    opened.map_err(|_| damaged_file("it cannot be read"))?.map_err(StoreError::from)
}

/// Makes a new file whole before it gets its name: whoever is killed meanwhile leaves nothing there that cannot be opened.
fn begin(path: &Path) -> Result<(), Unfit> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".redb-").tempfile_in(directory)?;
    prepare(&builder().create(file.path())?)?;
    match file.persist_noclobber(path) {
        Ok(file) => file.sync_all()?,
        // Another process was first.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error.error.into()),
    }
    // The name itself must outlive a power cut too.
    #[cfg(unix)]
    fs::File::open(directory)?.sync_all()?;
    Ok(())
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Refuses what is no file: opening a pipe would wait for its other end.
fn regular(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::Error::other("it is a directory; name a file")),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is no regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ if path.as_os_str().to_string_lossy().ends_with(is_separator) => {
            Err(io::Error::other("it is a directory; name a file"))
        }
        _ => Ok(()),
    }
}

/// Lays out a new file, or checks that this version knows the layout.
fn prepare(database: &Database) -> Result<(), Unfit> {
    let reading = database.begin_read().map_err(Error::from)?;
    if !is_new(&reading)? {
        return known(&reading);
    }
    let writing = database.begin_write().map_err(Error::from)?;
    Tables::open(&writing)?.begin()?;
    Ok(writing.commit().map_err(Error::from)?)
}

fn is_new(reading: &ReadTransaction) -> Result<bool, Error> {
    Ok(reading.list_tables()?.next().is_none() && reading.list_multimap_tables()?.next().is_none())
}

fn known(reading: &ReadTransaction) -> Result<(), Unfit> {
    let format = match reading.open_table(COUNTS) {
        Ok(counts) => counts.get(FORMAT_COUNT).map_err(Error::from)?.map(|format| format.value()),
        Err(TableError::Storage(error)) => return Err(Error::from(error).into()),
        Err(_) => None,
    };
    match format {
        Some(FORMAT) => match reading.open_table(tables::ITEMS) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::from(error).into()),
        },
        Some(newer) => Err(Unfit::Newer(newer)),
        None => Err(Unfit::Foreign),
    }
}

/// Why a file is not one to keep items in.
enum Unfit {
    Failed(Error),
    Foreign,
    Newer(u64),
}

impl<E: Into<Error>> From<E> for Unfit {
    fn from(error: E) -> Unfit {
        Unfit::Failed(error.into())
    }
}

impl From<Unfit> for StoreError {
    fn from(unfit: Unfit) -> StoreError {
        let reason = match unfit {
            Unfit::Failed(error) => return failure(&error),
            Unfit::Foreign => "it is another program's redb file; name another path".to_owned(),
            Unfit::Newer(layout) => format!(
                "its layout {layout} is of another version of fourstroke; use that one, or move the file away to begin \
                 with nothing"
            ),
        };
        StoreError { kind: Kind::Fatal, reason }
    }
}

/// Checks that a store could be opened. Nothing is made or changed.
///
/// Not found out: damage behind the file's beginning, and a missing file in a directory that may not be written.
///
/// # Errors
/// One sentence: it names no file or a directory, it may not be written, it is no file of this layout, or another process
/// has it open.
pub fn check_store(resource: &Resource) -> Result<(), String> {
    let path = path(resource)?;
    let found = match regular(&path) {
        Err(error) => Err(failure(&error.into())),
        Ok(()) if path.exists() => existing(&path),
        Ok(()) => crate::place::missing(&path).map_err(|error| failure(&error.into())),
    };
    found.map_err(|error| cannot(resource, &error))
}

fn existing(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|error| failure(&error.into()))?;
    if shared::is_open(path) {
        return Ok(());
    }
    catch_unwind(|| look(path)).map_err(|_| damaged_file("it cannot be read"))?.map_err(StoreError::from)
}

/// Refuses somebody else's file before it is opened for writing, which changes it.
fn look(path: &Path) -> Result<(), Unfit> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) {
        return Ok(());
    }
    match builder().open_read_only(path) {
        Ok(database) => {
            let reading = database.begin_read()?;
            if is_new(&reading)? { Ok(()) } else { known(&reading) }
        }
        Err(DatabaseError::Storage(StorageError::Io(error))) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // It was not closed, which opening it repairs.
        Err(DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
