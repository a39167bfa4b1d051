//! How far a run is, on a terminal.

use std::{
    fmt::Write,
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use fourstroke::config::PipelineFile;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output;

/// Without a finished batch for so many seconds, a run says that it waits.
const QUIET_SECONDS: u64 = 2;

/// Shows how many events are done and how fast, on standard error if that is a terminal.
pub struct Progress {
    bar: ProgressBar,
    /// When the last batch was finished.
    last: Arc<Mutex<Instant>>,
}

impl Progress {
    /// Starts at zero, of so many events if that is known.
    pub fn start(file: &PipelineFile, limit: Option<u64>) -> Progress {
        let lines = file.sinks.iter().any(|(_, resource)| resource.scheme() == "stdout");
        let mixed = lines && std::io::stdout().is_terminal();
        // Hides itself where standard error is no terminal; lines of a sink would break it apart.
        let target = if mixed { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(limit, target);
        let template = match limit {
            Some(_) => "{bar:30} {human_pos} of {human_len} events  {per_sec}  {elapsed}  {msg}{waiting}",
            None => "{spinner} {human_pos} events  {per_sec}  {elapsed}  {msg}{waiting}",
        };
        let last = Arc::new(Mutex::new(Instant::now()));
        let since = last.clone();
        // Input that is slow and a sink that is tried again look the same from here.
        let waiting = move |_: &ProgressState, text: &mut dyn Write| {
            let seconds = since.lock().unwrap_or_else(PoisonError::into_inner).elapsed().as_secs();
            if seconds >= QUIET_SECONDS {
                let _ = write!(text, "  waiting: no batch finished for {seconds} s");
            }
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("waiting", waiting));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress { bar, last }
    }

    /// Adds events, and tells how many have failed so far.
    pub fn add(&self, events: u64, failed: u64) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.bar.inc(events);
        if failed > 0 {
            self.bar.set_message(format!("{failed} failed"));
        }
    }

    /// Says something above the bar.
    pub fn tell(&self, text: &str) {
        self.bar.suspend(|| output::tell(text));
    }

    /// Leaves the terminal to the summary.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}
