//! Others who run models, each in a Python process of its own.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, ensure};

pub struct Peer {
    _process: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
    /// Its name and version.
    pub name: String,
}

impl Peer {
    /// Starts `peers/NAME_models.py` in the Python that a variable names; none, and a word about it, if it cannot be imported.
    pub fn start(name: &str, variable: &str) -> Option<Peer> {
        let started = Peer::spawn(name, variable);
        match &started {
            Some(peer) => println!("{}, one thread", peer.name),
            None => println!("SKIPPED: {name}: the Python that {variable} names cannot import it"),
        }
        started
    }

    fn spawn(name: &str, variable: &str) -> Option<Peer> {
        let python = env::var(variable).unwrap_or_else(|_| "python3".to_owned());
        let script = format!("{}/peers/{name}_models.py", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let (ask, mut answer) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        let mut version = String::new();
        answer.read_line(&mut version).ok()?;
        let version = version.trim();
        (!version.is_empty()).then(|| Peer { _process: process, ask, answer, name: format!("{name} {version}") })
    }

    /// Runs a model on rows of a file, and returns the nanoseconds of each repetition; none if it is not for such a model.
    pub fn run(&mut self, model: &Path, data: &Path, rows: usize, repetitions: usize) -> anyhow::Result<Vec<f64>> {
        let (model, data) = (model.display(), data.display());
        writeln!(self.ask, "{model}\t{data}\t{rows}\t{repetitions}")?;
        let mut line = String::new();
        self.answer.read_line(&mut line)?;
        ensure!(!line.is_empty(), "{} ended at {model}", self.name);
        if line.trim() == "none" {
            return Ok(Vec::new());
        }
        line.split_whitespace().map(|nanos| nanos.parse().context("a number of nanoseconds")).collect()
    }
}
