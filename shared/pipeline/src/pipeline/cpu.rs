//! CPU work on its own threads, one per core, so that it never blocks the async ones.

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
