//! One run of `fourstroke`: started, watched, killed or left to its end.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    Show,
    day::{Day, example},
    written::{Files, Which, Written},
};

/// How often a growing file is looked at.
const GLANCE: Duration = Duration::from_millis(1);

/// A running process; it does not outlive this.
pub struct Process {
    child: Child,
    /// Where its summary goes.
    summary: PathBuf,
    /// Where its words go.
    words: PathBuf,
}

impl Process {
    /// Starts a run of the flights pipeline over a day, with nothing else of this environment.
    pub fn start(show: &Show<'_>, day: &Day, number: usize) -> anyhow::Result<Process> {
        let at = |name: &str| format!("file:{}", show.directory.join(name).display());
        let summary = show.directory.join(format!("run-{number}.json"));
        let words = show.directory.join(format!("run-{number}.txt"));
        let child = Command::new(show.binary)
            .arg("run")
            .arg(example().join("pipeline.yaml").canonicalize().context("the flights example is not there")?)
            .arg("--json")
            .current_dir(show.directory)
            .env_clear()
            .env("FLIGHTS", format!("file:{}", day.path.display()))
            .env("ACTIONS", at("rebooking.jsonl"))
            .env("DECISIONS", at("decisions.jsonl"))
            .env("DEAD_LETTERS", at("dead.jsonl"))
            .stdin(Stdio::null())
            .stdout(File::create(&summary)?)
            .stderr(File::create(&words)?)
            .spawn()
            .with_context(|| format!("cannot start {}", show.binary.display()))?;
        Ok(Process { child, summary, words })
    }

    /// Waits until the log has so many new entries, then until a file grows, and kills at that moment with SIGKILL.
    ///
    /// # Errors
    /// It ended by itself.
    pub fn killed(
        mut self,
        files: &mut Files,
        entries: usize,
        aim: Which,
        bar: &ProgressBar,
    ) -> anyhow::Result<Written> {
        let mut log = Vec::new();
        let mut seen = 0;
        bar.reset();
        bar.set_length(entries as u64);
        while seen < entries {
            self.goes_on()?;
            seen += files.log.read(&mut log)?;
            bar.set_position(seen as u64);
            sleep(GLANCE);
        }
        let before = files.length(aim)?;
        // Without a pause: the write that begins is to be hit before it ends.
        while files.length(aim)? == before {
            self.goes_on()?;
        }
        self.child.kill().context("cannot kill the process")?;
        let status = self.child.wait()?;
        ensure!(by_a_signal(status), "the process ended by itself before it could be killed; send more --events");
        files.added(log)
    }

    /// Waits until it has ended, and checks that it says it has done everything.
    ///
    /// # Errors
    /// It ended otherwise.
    pub fn ended(mut self, files: &mut Files, lines: usize, bar: &ProgressBar) -> anyhow::Result<Written> {
        /// Events failed: the poison.
        const FAILED: i32 = 1;
        let mut log = Vec::new();
        bar.reset();
        bar.set_length(lines as u64);
        let status = loop {
            let ended = self.child.try_wait()?;
            bar.inc(files.log.read(&mut log)? as u64);
            if let Some(status) = ended {
                break status;
            }
            sleep(GLANCE * 5);
        };
        let summary: Value = serde_json::from_slice(&fs::read(&self.summary)?).unwrap_or_default();
        let done = summary["orderly"] == true && summary["events"] == json!(lines);
        if status.code() != Some(FAILED) || !done {
            bail!("the run has not done all: {status}, {summary}\n{}", self.said());
        }
        files.added(log)
    }

    fn goes_on(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the process ended before it could be killed: {status}\n{}", self.said()),
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.words).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails where it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn by_a_signal(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(9)
}

#[cfg(not(unix))]
fn by_a_signal(status: ExitStatus) -> bool {
    !status.success()
}
