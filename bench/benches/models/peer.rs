//! onnxruntime in a process of its own.

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
    pub version: String,
}

impl Peer {
    /// Starts it; none if Python or onnxruntime is not here.
    pub fn start() -> Option<Peer> {
        let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/onnxruntime_models.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let (ask, mut answer) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        let mut version = String::new();
        answer.read_line(&mut version).ok()?;
        let version = version.trim().to_owned();
        (!version.is_empty()).then_some(Peer { _process: process, ask, answer, version })
    }

    /// Runs a model on rows of a file, and returns the nanoseconds of each repetition.
    pub fn run(&mut self, model: &Path, data: &Path, rows: usize, repetitions: usize) -> anyhow::Result<Vec<f64>> {
        let (model, data) = (model.display(), data.display());
        writeln!(self.ask, "{model}\t{data}\t{rows}\t{repetitions}")?;
        let mut line = String::new();
        self.answer.read_line(&mut line)?;
        ensure!(!line.is_empty(), "onnxruntime ended at {model}");
        line.split_whitespace().map(|nanos| nanos.parse().context("a number of nanoseconds")).collect()
    }
}
