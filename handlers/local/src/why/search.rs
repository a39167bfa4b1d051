//! Entries of a decision log, found by id. A line is looked at as bytes, and parsed only where the id stands in it. Lines that
//! tell how a decision turned out stand behind its entry, in whatever event's batch that was told.

use std::collections::BTreeSet;

use fourstroke::{config::Resource, event::Decoded, ports::Source};
use fourstroke_adapters::open;
use indicatif::{ProgressBar, ProgressStyle};
use memchr::memmem::{self, Finder};

use super::entry::{Entry, Outcome};

/// Fewer characters of a decision's id are taken for an event's id alone.
pub const SHORTEST: usize = 8;

/// What is looked for: an event's id, or how a decision's id begins.
pub struct Wanted {
    event: String,
    /// In lower case.
    decision: Option<String>,
    finders: Vec<Finder<'static>>,
    /// The decisions that were found, and their events: what they turned out to be, and what they tell, is looked for too.
    found: BTreeSet<String>,
}

/// Stands in every outcome.
const OUTCOME: &[u8] = b"\"outcome_of\":";

/// What was found, in the order of the logs.
#[derive(Default)]
pub struct Found {
    pub entries: Vec<Entry>,
    /// Each once: what is delivered again is told again.
    pub outcomes: Vec<Outcome>,
    /// Lines that are no entries.
    pub bad_lines: u64,
    /// Why a log could not be read to its end.
    pub damaged: Vec<String>,
}

impl Wanted {
    pub fn new(id: &str) -> Wanted {
        let lower = id.to_ascii_lowercase();
        let hex = lower.len() >= SHORTEST && lower.bytes().all(|byte| byte.is_ascii_hexdigit());
        // With the quote before it, what merely holds the id is mostly passed over.
        let mut finders = vec![quoted(id)];
        if hex {
            finders.push(Finder::new(&format!("\"{lower}")).into_owned());
        }
        Wanted { event: id.to_owned(), decision: hex.then_some(lower), finders, found: BTreeSet::new() }
    }

    /// Tells whether an entry is of the event of that very id.
    pub fn names_event(&self, entry: &Entry) -> bool {
        entry.event_id == self.event
    }

    fn matches(&self, entry: &Entry) -> bool {
        let begins = |id: &String| entry.decision_id.starts_with(id.as_str());
        self.names_event(entry) || self.decision.as_ref().is_some_and(begins)
    }

    fn concerns(&self, outcome: &Outcome) -> bool {
        self.found.contains(&outcome.outcome_of) || self.found.contains(&outcome.event_id)
    }

    /// Looks through one log.
    ///
    /// # Errors
    /// One sentence: it cannot be opened.
    pub async fn search(&mut self, log: &Resource, found: &mut Found) -> Result<(), String> {
        let mut source: Box<dyn Source> = open::source(log).await?;
        let progress = progress(log);
        loop {
            match source.next().await {
                Ok(Some(batch)) => {
                    let bytes: usize = batch.events.iter().map(|line| line.event().body.len() + 1).sum();
                    batch.events.iter().for_each(|line| self.look(line, found));
                    progress.inc(bytes as u64);
                }
                Ok(None) => break,
                Err(error) => {
                    found.damaged.push(error.reason);
                    break;
                }
            }
        }
        progress.finish_and_clear();
        Ok(())
    }

    fn look(&mut self, line: &Decoded, found: &mut Found) {
        let bytes = line.event().body.trim_ascii();
        if !matches!(line, Decoded::Event(_)) || !bytes.starts_with(b"{") || !bytes.ends_with(b"}") {
            found.bad_lines += 1;
            return;
        }
        if !self.finders.iter().any(|finder| finder.find(bytes).is_some()) {
            return;
        }
        if memmem::find(bytes, OUTCOME).is_some()
            && let Ok(outcome) = serde_json::from_slice::<Outcome>(bytes)
        {
            if self.concerns(&outcome) && !found.outcomes.contains(&outcome) {
                found.outcomes.push(outcome);
            }
            return;
        }
        match serde_json::from_slice::<Entry>(bytes) {
            Ok(entry) if self.matches(&entry) => {
                for id in [&entry.decision_id, &entry.event_id] {
                    if self.found.insert(id.clone()) {
                        self.finders.push(quoted(id));
                    }
                }
                found.entries.push(entry);
            }
            Ok(_) => {}
            Err(_) => found.bad_lines += 1,
        }
    }
}

/// Finds a text as JSON writes it.
fn quoted(text: &str) -> Finder<'static> {
    Finder::new(&serde_json::Value::from(text).to_string()).into_owned()
}

/// Shows on a terminal how far the search is. How long a packed log is, nobody knows before its end.
fn progress(log: &Resource) -> ProgressBar {
    let packed = [".gz", ".zst"].iter().any(|ending| log.rest().to_ascii_lowercase().ends_with(ending));
    let length = std::fs::metadata(log.read_path()).ok().filter(|file| file.is_file() && !packed);
    let (bar, template) = match length.map(|file| file.len()) {
        Some(length) => (ProgressBar::new(length), "{bar:30} {bytes} of {total_bytes}  {bytes_per_sec}"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} searched  {bytes_per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
