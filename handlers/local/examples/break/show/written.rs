//! What the runs write: three files that only grow, read piece by piece.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::Context;

/// The files of a pipeline's sinks.
pub struct Files {
    pub log: Tail,
    pub actions: Tail,
    pub letters: Tail,
}

/// One of them.
#[derive(Clone, Copy)]
pub enum Which {
    Log,
    Actions,
    Letters,
}

/// Holds the whole lines that one run added.
#[derive(Default)]
pub struct Written {
    pub log: Vec<u8>,
    pub actions: Vec<u8>,
    pub letters: Vec<u8>,
    /// How many files have half a line at their end.
    pub torn: usize,
}

impl Files {
    pub fn within(directory: &Path) -> Files {
        let tail = |name| Tail { path: directory.join(name), whole: 0 };
        Files { log: tail("decisions.jsonl"), actions: tail("rebooking.jsonl"), letters: tail("dead.jsonl") }
    }

    /// Says which file is to grow when a run is killed: each stands for another step of a batch.
    pub fn aim(&self, kill: usize) -> Which {
        [Which::Log, Which::Actions, Which::Letters][(kill - 1) % 3]
    }

    pub fn name(&self, which: Which) -> &'static str {
        match which {
            Which::Log => "the decision log",
            Which::Actions => "the actions file",
            Which::Letters => "the dead-letter file",
        }
    }

    pub fn length(&self, which: Which) -> io::Result<u64> {
        match which {
            Which::Log => self.log.length(),
            Which::Actions => self.actions.length(),
            Which::Letters => self.letters.length(),
        }
    }

    /// Returns what a run added whose process has ended, behind what is known of its log.
    pub fn added(&mut self, known: Vec<u8>) -> anyhow::Result<Written> {
        let mut written = Written { log: known, ..Written::default() };
        for (tail, into) in [
            (&mut self.log, &mut written.log),
            (&mut self.actions, &mut written.actions),
            (&mut self.letters, &mut written.letters),
        ] {
            tail.read(into).context("cannot read what a run wrote")?;
            written.torn += usize::from(tail.length()? > tail.whole);
        }
        Ok(written)
    }

    /// Counts the half lines that were moved aside when the files were opened again.
    pub fn set_aside(&self) -> io::Result<usize> {
        let mut count = 0;
        for tail in [&self.log, &self.actions, &self.letters] {
            let torn = or_missing(fs::read(tail.path.with_extension("jsonl.torn")), Vec::new())?;
            count += newlines(&torn);
        }
        Ok(count)
    }
}

/// A file whose whole lines are read as they come.
pub struct Tail {
    pub path: PathBuf,
    /// Where the whole lines end that were read.
    whole: u64,
}

impl Tail {
    /// Appends the whole lines that are new, and returns how many they are.
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        let Some(mut file) = or_missing(File::open(&self.path).map(Some), None)? else { return Ok(0) };
        file.seek(SeekFrom::Start(self.whole))?;
        let start = into.len();
        file.read_to_end(into)?;
        let end = memchr::memrchr(b'\n', &into[start..]).map_or(start, |newline| start + newline + 1);
        into.truncate(end);
        self.whole += (end - start) as u64;
        Ok(newlines(&into[start..]))
    }

    fn length(&self) -> io::Result<u64> {
        or_missing(fs::metadata(&self.path).map(|metadata| metadata.len()), 0)
    }
}

fn newlines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// Takes a file that is not there yet for one that holds nothing.
fn or_missing<T>(found: io::Result<T>, nothing: T) -> io::Result<T> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(nothing),
        found => found,
    }
}
