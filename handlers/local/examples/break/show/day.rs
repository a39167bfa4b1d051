//! What is sent: real flight events, with poison between them.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use super::poison::{Dice, KINDS, Kind};

/// The days before were calm, with next to nothing to act on.
const CALM: usize = 15_000;
/// Every so many lines one is poison.
const EVERY: usize = 97;
/// The same day each time.
const SEED: u64 = 2013;

/// Holds all lines that are sent, in their order.
pub struct Day {
    /// The file they are in.
    pub path: PathBuf,
    text: Vec<u8>,
    pub lines: Vec<Line>,
    /// The line of each event id.
    by_id: HashMap<String, usize>,
}

/// Holds one line that is sent.
pub struct Line {
    /// The id its decision must have: the event's own, or the line's place where it cannot be read.
    pub id: String,
    pub poison: Option<&'static Kind>,
    bytes: Range<usize>,
}

impl Day {
    /// Writes the day to `day.jsonl` in a directory.
    ///
    /// # Errors
    /// The example's data cannot be read or has too few events, or the file cannot be written.
    pub fn write(directory: &Path, events: usize) -> anyhow::Result<Day> {
        let path = directory.join("day.jsonl");
        let mut day = Day { path, text: Vec::new(), lines: Vec::new(), by_id: HashMap::new() };
        let mut dice = Dice(SEED);
        let mut boarding = Map::new();
        for real in real_lines(events)? {
            let event: Map<String, Value> = serde_json::from_str(&real)?;
            let id = event["id"].as_str().context("an event of the example has no id")?.to_owned();
            if event["type"] == "boarding" {
                boarding = event;
            }
            day.push(id, real.as_bytes(), None);
            if (day.lines.len() + 1).is_multiple_of(EVERY) {
                day.spoil(boarding.clone(), &mut dice);
            }
        }
        ensure!(day.by_id.len() == day.lines.len(), "two lines of the day have one id");
        fs::write(&day.path, &day.text).with_context(|| format!("cannot write {}", day.path.display()))?;
        Ok(day)
    }

    /// Adds a line of poison made of an event, all kinds in turn.
    fn spoil(&mut self, mut event: Map<String, Value>, dice: &mut Dice) {
        let kind = &KINDS[self.poisoned() % KINDS.len()];
        let place = format!("{}:{}", self.path.display(), self.lines.len() + 1);
        let own = format!("{}#{}", event["id"].as_str().unwrap_or_default(), self.lines.len() + 1);
        event.insert("id".to_owned(), own.clone().into());
        let bytes = (kind.make)(event, dice);
        self.push(if kind.readable { own } else { place }, &bytes, Some(kind));
    }

    fn push(&mut self, id: String, bytes: &[u8], poison: Option<&'static Kind>) {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.by_id.insert(id.clone(), self.lines.len());
        self.lines.push(Line { id, poison, bytes: start..self.text.len() });
        self.text.push(b'\n');
    }

    /// Returns how many lines are poison.
    pub fn poisoned(&self) -> usize {
        self.lines.len() / EVERY
    }

    /// Returns the line of an event id, if one has it.
    pub fn line_of(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Returns the bytes of a line, without its end.
    pub fn bytes(&self, line: usize) -> &[u8] {
        &self.text[self.lines[line].bytes.clone()]
    }
}

/// Returns the example's folder.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flights")
}

/// Reads so many lines of the example's data.
fn real_lines(events: usize) -> anyhow::Result<Vec<String>> {
    let path = example().join("data/2013-q4.jsonl.zst");
    let lines =
        File::open(&path).and_then(zstd::Decoder::new).map(|text| BufReader::new(text).lines().skip(CALM).take(events));
    let lines = lines.and_then(Iterator::collect::<std::io::Result<Vec<String>>>);
    let lines = lines.with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(lines.len() == events, "{} has {} events only", path.display(), CALM + lines.len());
    Ok(lines)
}
