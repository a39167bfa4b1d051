//! CPU work on its own threads, one per core, so that it never blocks the async ones; and what is done faster than another
//! thread is woken, where it is.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rayon::prelude::*;

/// Events handled by one CPU thread at a time: enough for a model to run in batches, few enough to fill all cores.
pub(crate) const CHUNK: usize = 256;

/// Runs work on the CPU threads and waits for it. A panic in it goes on in the caller.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = tokio::sync::oneshot::channel();
    // Within the runtime's context the time is the runtime's there too, which a test may have stopped.
    let runtime = tokio::runtime::Handle::current();
    rayon::spawn(move || {
        let _context = runtime.enter();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // The caller may be gone: nobody is left to tell.
        let _ = done.send(outcome);
    });
    match result.await {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => unreachable!("the work sends before it ends"),
    }
}

/// How long one kind of work lately took per event.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Nanoseconds per event.
    nanos: AtomicU64,
}

impl Default for Pace {
    /// Nothing is known yet: slow.
    fn default() -> Pace {
        Pace { nanos: AtomicU64::new(Pace::AT_ONCE.as_nanos() as u64 + 1) }
    }
}

impl Pace {
    /// The longest an async thread is kept from its other work. Waking another one and being woken costs a good part of it.
    const AT_ONCE: Duration = Duration::from_millis(1);

    /// Runs the work of so many events: where it is if that will not take long, else on the CPU threads.
    pub async fn run<T: Send + 'static>(&self, events: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
        let timed = || {
            let started = Instant::now();
            (work(), started.elapsed())
        };
        let expected = self.nanos.load(Relaxed).saturating_mul(events as u64);
        let (value, took) = if expected <= Pace::AT_ONCE.as_nanos() as u64 { timed() } else { run(timed).await };
        self.learn(took, events);
        value
    }

    fn learn(&self, took: Duration, events: usize) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / events.max(1) as u64;
        let before = self.nanos.load(Relaxed);
        // What was slow once is believed at once; that it has become fast, only by and by.
        self.nanos.store(if nanos > before { nanos } else { before - (before - nanos) / 8 }, Relaxed);
    }
}

/// Tells whether this is one of the CPU threads. Elsewhere nothing is split: the others would have to be woken.
fn is_one() -> bool {
    rayon::current_thread_index().is_some()
}

/// Maps chunks, in order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], size: usize, each: impl Fn(usize, &[T]) -> R + Sync + Send) -> Vec<R> {
    if is_one() {
        items.par_chunks(size).enumerate().map(|(place, chunk)| each(place, chunk)).collect()
    } else {
        items.chunks(size).enumerate().map(|(place, chunk)| each(place, chunk)).collect()
    }
}

/// Maps chunks that may be changed, in order.
pub(crate) fn map_mut<T: Send, R: Send>(
    items: &mut [T],
    size: usize,
    each: impl Fn(&mut [T]) -> R + Sync + Send,
) -> Vec<R> {
    if is_one() { items.par_chunks_mut(size).map(each).collect() } else { items.chunks_mut(size).map(each).collect() }
}

/// Changes chunks, each with the chunk of another list in the same place.
pub(crate) fn each_with<T: Send, U: Sync>(
    items: &mut [T],
    others: &[U],
    size: usize,
    each: impl Fn(&mut [T], &[U]) + Sync + Send,
) {
    if is_one() {
        items.par_chunks_mut(size).zip(others.par_chunks(size)).for_each(|(items, others)| each(items, others));
    } else {
        items.chunks_mut(size).zip(others.chunks(size)).for_each(|(items, others)| each(items, others));
    }
}

/// Returns the size of chunks that is best for what costs something per chunk: few of them, and as many as threads.
pub(crate) fn share(items: usize) -> usize {
    const FEW: usize = 64;
    let threads = if is_one() { rayon::current_num_threads() } else { 1 };
    items.div_ceil(threads).clamp(FEW, CHUNK)
}
