//! Takes down what each run wrote, event by event.

use std::{borrow::Cow, collections::HashSet};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    account::{Account, PoisonCount, Run, Wrong},
    day::Day,
    poison::KINDS,
    written::Written,
};

/// What all runs together have written about one event.
#[derive(Clone, Default)]
struct Found {
    /// How the log says that it ended: acted on (in this run or before), passed, dead-lettered.
    said: [bool; 3],
    actions: usize,
    key: Option<String>,
    /// It has a dead letter, with the bytes that were sent.
    letter: bool,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    /// None in the entry of an outcome, which stands behind that of its event.
    disposition: Option<&'a str>,
}

#[derive(Deserialize)]
struct Action {
    /// The idempotency key.
    id: String,
    /// The event's id.
    subject: String,
}

#[derive(Deserialize)]
struct Letter {
    id: String,
    code: String,
    body_base64: String,
}

/// Takes down run after run.
pub struct Ledger<'a> {
    day: &'a Day,
    found: Vec<Found>,
    runs: Vec<Run>,
    wrong: Wrong,
}

impl<'a> Ledger<'a> {
    pub fn new(day: &'a Day) -> Ledger<'a> {
        let found = vec![Found::default(); day.lines.len()];
        Ledger { day, found, runs: Vec::new(), wrong: Wrong::default() }
    }

    /// Takes down what a run wrote, which was killed or whole, and returns how many entries its log got.
    ///
    /// # Errors
    /// A whole line is not what stands in such a file.
    pub fn add(&mut self, written: &Written, ended: String, whole: bool) -> anyhow::Result<usize> {
        let (actions, acted) = self.actions(&written.actions)?;
        let (dead_letters, dead) = self.letters(&written.letters)?;
        let (mut entries, mut next) = (0, 0);
        for line in lines(&written.log) {
            let entry: Entry<'_> = serde_json::from_slice(line).with_context(|| unreadable("decision log", line))?;
            let Some(disposition) = entry.disposition else { continue };
            entries += 1;
            let Some(place) = self.day.line_of(&entry.event_id) else {
                self.wrong.never_sent += 1;
                continue;
            };
            self.wrong.out_of_turn += usize::from(place != next);
            next = place + 1;
            let found = &mut self.found[place];
            let (said, done) = match disposition {
                "acted" => (Some(0), acted.contains(&place)),
                // An earlier run has done it, perhaps one that was killed before it could log that.
                "skipped" => (Some(0), found.actions > 0),
                "passed" => (Some(1), true),
                "dead-lettered" => (Some(2), dead.contains(&place)),
                _ => (None, true),
            };
            if let Some(said) = said {
                found.said[said] = true;
            }
            self.wrong.said_but_not_done += usize::from(!done);
        }
        self.wrong.out_of_turn += usize::from(whole && next != self.day.lines.len());
        self.runs.push(Run { ended, entries, actions, dead_letters, torn: written.torn });
        Ok(entries)
    }

    /// Returns how many actions a run wrote, and which lines of the day they are of.
    fn actions(&mut self, text: &[u8]) -> anyhow::Result<(usize, HashSet<usize>)> {
        let actions: Vec<Action> = all(text, "actions file")?;
        let count = actions.len();
        let mut places = HashSet::new();
        for action in actions {
            let Some(place) = self.day.line_of(&action.subject) else {
                self.wrong.never_sent += 1;
                continue;
            };
            places.insert(place);
            let found = &mut self.found[place];
            found.actions += 1;
            self.wrong.other_key += usize::from(*found.key.get_or_insert_with(|| action.id.clone()) != action.id);
        }
        Ok((count, places))
    }

    /// Returns how many dead letters a run wrote, and which lines of the day they are of.
    fn letters(&mut self, text: &[u8]) -> anyhow::Result<(usize, HashSet<usize>)> {
        let letters: Vec<Letter> = all(text, "dead-letter file")?;
        let count = letters.len();
        let mut places = HashSet::new();
        for letter in letters {
            let Some(place) = self.day.line_of(&letter.id) else {
                self.wrong.never_sent += 1;
                continue;
            };
            places.insert(place);
            let same = STANDARD.decode(letter.body_base64).is_ok_and(|body| body == self.day.bytes(place));
            self.found[place].letter |= same;
            self.wrong.other_bytes += usize::from(!same);
            let due = self.day.lines[place].poison.is_some_and(|kind| kind.code == letter.code);
            self.wrong.misjudged += usize::from(!due);
        }
        Ok((count, places))
    }

    /// Sums up, knowing how many half lines were set aside.
    pub fn account(self, set_aside: usize) -> Account {
        const FIRST: usize = 5;
        let Ledger { day, found, runs, mut wrong } = self;
        let (mut ends, mut lost, mut anew) = ([0; 3], Vec::new(), 0);
        for (found, line) in found.iter().zip(&day.lines) {
            let [acted, passed, dead] = found.said;
            // What passed is not remembered: when it comes again, windows may show it something else.
            anew += usize::from(acted && passed);
            wrong.decided_differently += usize::from(dead && (acted || passed));
            wrong.misjudged += usize::from(line.poison.is_some() && (acted || passed));
            let real = [acted && found.actions > 0, passed, dead && found.letter];
            match real.iter().position(|real| *real) {
                Some(end) => ends[end] += 1,
                None => lost.push(&line.id),
            }
        }
        let keys = found.iter().filter(|found| found.key.is_some()).count();
        wrong.keys_beside_acts = usize::abs_diff(keys, ends[0]);
        let torn = runs.iter().map(|run| run.torn).sum();
        wrong.torn_and_gone = usize::abs_diff(torn, set_aside);
        let poison = KINDS.iter().map(|kind| {
            let of_kind = || {
                found.iter().zip(&day.lines).filter(|(_, line)| line.poison.is_some_and(|made| made.name == kind.name))
            };
            let dead_lettered = of_kind().filter(|(found, _)| found.letter).count();
            PoisonCount { kind: kind.name, code: kind.code, sent: of_kind().count(), dead_lettered }
        });
        Account {
            sent: day.lines.len(),
            acted: ends[0],
            passed: ends[1],
            dead_lettered: ends[2],
            lost: lost.len(),
            decided_anew: anew,
            keys,
            first_lost: lost.into_iter().take(FIRST).cloned().collect(),
            acted_more_than_once: found.iter().filter(|found| found.actions > 1).count(),
            actions: found.iter().map(|found| found.actions).sum(),
            torn,
            poison: poison.collect(),
            wrong,
            runs,
        }
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn all<T: DeserializeOwned>(text: &[u8], file: &str) -> anyhow::Result<Vec<T>> {
    lines(text).map(|line| serde_json::from_slice(line).with_context(|| unreadable(file, line))).collect()
}

fn unreadable(file: &str, line: &[u8]) -> String {
    format!("a whole line of the {file} is not what stands there: {}", String::from_utf8_lossy(line))
}
