//! What this process is acting on: a clock that jumps ends leases, and must not let two of its own act.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use bytestring::ByteString;

/// The decisions that batches of this process are acting on.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Acting(Mutex<HashSet<ByteString>>);

/// Those of one batch, until it ends.
pub(super) struct ActingGuard {
    all: Arc<Acting>,
    mine: HashSet<ByteString>,
}

impl ActingGuard {
    pub fn new(all: Arc<Acting>) -> ActingGuard {
        ActingGuard { all, mine: HashSet::new() }
    }

    /// Enters decisions; gives those that another batch has entered.
    pub fn enter<'a>(&mut self, ids: impl Iterator<Item = &'a ByteString>) -> HashSet<ByteString> {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mine, busy): (HashSet<ByteString>, HashSet<ByteString>) = ids.cloned().partition(|id| !all.contains(id));
        all.extend(mine.iter().cloned());
        self.mine = mine;
        busy
    }
}

impl Drop for ActingGuard {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.mine {
            all.remove(id);
        }
    }
}
