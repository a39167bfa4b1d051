//! What is open in this process: redb locks a file, so all who name one must share it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    ptr,
    sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
};

use fourstroke::ports::StoreError;

use super::{committer::Committer, database::Handle, failure::failure, file};

/// By canonical path.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Shared>>>> = LazyLock::new(Mutex::default);
/// Told when a file was closed.
static CLOSED: Condvar = Condvar::new();

/// One file, open as long as somebody uses it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) handle: Arc<Handle>,
    pub(super) committer: Committer,
}

impl Shared {
    /// Returns what is open of a file, else opens it.
    pub(super) fn open(path: &Path) -> Result<Arc<Shared>, StoreError> {
        let mut known = lock();
        while let Some(shared) = path.canonicalize().ok().and_then(|path| known.get(&path)) {
            if let Some(shared) = shared.upgrade() {
                return Ok(shared);
            }
            // Its last user has gone, and is closing it.
            known = CLOSED.wait(known).unwrap_or_else(PoisonError::into_inner);
        }
        let database = file::open(path)?;
        let path = path.canonicalize().map_err(|error| failure(&error.into()))?;
        let handle = Arc::new(Handle::new(path.clone(), database));
        let committer = Committer::start(handle.clone()).map_err(|error| failure(&error.into()))?;
        let shared = Arc::new(Shared { handle, committer });
        known.insert(path, Arc::downgrade(&shared));
        Ok(shared)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.committer.stop();
        self.handle.close();
        lock().retain(|_, shared| !ptr::eq(shared.as_ptr(), self));
        CLOSED.notify_all();
    }
}

/// Tells whether this process has a file open.
pub(super) fn is_open(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| lock().contains_key(&path))
}

fn lock() -> MutexGuard<'static, HashMap<PathBuf, Weak<Shared>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
