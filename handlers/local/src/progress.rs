//! How far a run is, on a terminal.

use std::{io::IsTerminal, time::Duration};

use fourstroke::config::PipelineFile;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how many events are done and how fast, on standard error if that is a terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts at zero, of so many events if that is known.
    pub fn start(file: &PipelineFile, limit: Option<u64>) -> Progress {
        let lines = file.sinks.iter().any(|(_, resource)| resource.scheme() == "stdout");
        let mixed = lines && std::io::stdout().is_terminal();
        // Hides itself where standard error is no terminal; lines of a sink would break it apart.
        let target = if mixed { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(limit, target);
        let template = match limit {
            Some(_) => "{bar:30} {human_pos} of {human_len} events  {per_sec}  {elapsed}  {msg}",
            None => "{spinner} {human_pos} events  {per_sec}  {elapsed}  {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }

    /// Adds events, and tells how many have failed so far.
    pub fn add(&self, events: u64, failed: u64) {
        self.0.inc(events);
        if failed > 0 {
            self.0.set_message(format!("{failed} failed"));
        }
    }

    /// Leaves the terminal to the summary.
    pub fn end(self) {
        self.0.finish_and_clear();
    }
}
