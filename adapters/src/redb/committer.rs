//! Group commit: calls that come while a transaction is written wait together and share the next one. A flush to the disk
//! takes as long for a thousand changes as for one.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use fourstroke::{
    clock::Clock,
    ports::{PutOutcome, StoreError},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    database::Handle,
    failure::retryable,
    tables::{Change, Tables},
};

/// The most calls that share a transaction, and that wait before others have to.
const TOGETHER: usize = 1024;

type Answers = Vec<Result<PutOutcome, StoreError>>;

#[derive(Debug)]
struct Call {
    changes: Vec<Change>,
    /// Tells what has expired when the changes are done.
    clock: Clock,
    answers: oneshot::Sender<Answers>,
}

/// Writes changes in a thread of its own, which ends with it.
#[derive(Debug)]
pub(super) struct Committer {
    queue: Option<mpsc::Sender<Call>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

impl Committer {
    /// Starts the thread.
    pub(super) fn start(handle: Arc<Handle>) -> io::Result<Committer> {
        let (queue, calls) = mpsc::channel(TOGETHER);
        let commits = Arc::new(AtomicU64::new(0));
        let counted = commits.clone();
        let thread = thread::Builder::new().name("redb".to_owned()).spawn(move || work(calls, &handle, &counted))?;
        Ok(Committer { queue: Some(queue), thread: Some(thread), commits })
    }

    /// Does changes, and answers each once it is on the disk. If it may not be, all are answered as retryable.
    pub(super) async fn commit(&self, changes: Vec<Change>, clock: Clock) -> Answers {
        let asked = changes.len();
        let (answers, answered) = oneshot::channel();
        let call = Call { changes, clock, answers };
        if let Some(queue) = &self.queue
            && queue.send(call).await.is_ok()
            && let Ok(answers) = answered.await
        {
            return answers;
        }
        vec![Err(retryable("the thread that writes has ended")); asked]
    }

    /// Returns how many transactions were committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Ends the thread, once it has done what waits.
    pub(super) fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(mut queue: mpsc::Receiver<Call>, handle: &Handle, commits: &AtomicU64) {
    let mut calls = Vec::new();
    while queue.blocking_recv_many(&mut calls, TOGETHER) > 0 {
        let (done, failed) = match write(handle, &calls, commits) {
            Ok(answers) => (answers, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let mut done = done.into_iter();
        for call in calls.drain(..) {
            let answers = match &failed {
                None => done.next().unwrap_or_default(),
                Some(error) => vec![Err(error.clone()); call.changes.len()],
            };
            // A caller that stopped waiting does not hear of it.
            let _ = call.answers.send(answers);
        }
    }
}

fn write(handle: &Handle, calls: &[Call], commits: &AtomicU64) -> Result<Vec<Answers>, StoreError> {
    handle.write(|transaction| {
        let mut tables = Tables::open(&transaction)?;
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            let now = call.clock.now();
            let changes = call.changes.iter().map(|change| tables.change(change, now));
            answers.push(changes.collect::<Result<Answers, _>>()?);
        }
        // Who was refused has read what is on the disk already.
        if tables.end(calls.last().map(|call| call.clock.now()))? {
            transaction.commit()?;
            commits.fetch_add(1, Ordering::Relaxed);
        } else {
            transaction.abort()?;
        }
        Ok(answers)
    })
}
