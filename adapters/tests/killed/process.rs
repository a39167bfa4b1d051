//! A child process, from its start to its end.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use crate::child::{ORDERS, Orders};

/// Who may kill the process that runs: the receiver does, in the middle of a request.
#[derive(Clone, Default)]
pub struct Victim(Arc<Mutex<Option<Child>>>);

impl Victim {
    /// Kills it with SIGKILL: no destructor runs, nothing is flushed.
    pub fn kill(&self) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        child.as_mut().expect("a process runs").kill().expect("it can be killed");
    }
}

/// A process that runs.
pub struct Process {
    victim: Victim,
    lines: Lines<BufReader<ChildStdout>>,
}

/// How a pass over all events ended: by disposition, how many.
pub type Ended = HashMap<String, u64>;

impl Process {
    /// Starts this very binary, as [`crate::child::run`], behind these words if there are any.
    pub fn start(orders: &Orders, before: &[&str], victim: Victim) -> Process {
        let binary = std::env::current_exe().expect("a path");
        let mut words = before.iter().map(std::ffi::OsStr::new).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().expect("a command"));
        command.args(words).args(["--exact", "child::run", "--ignored", "--nocapture"]);
        command.env(ORDERS, orders.to_json()).envs(orders.environment.clone()).stdout(Stdio::piped());
        // Whoever wants to kill it waits until it is there.
        let mut running = victim.0.lock().unwrap_or_else(PoisonError::into_inner);
        let child = running.insert(command.spawn().expect("a process"));
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        drop(running);
        Process { victim, lines }
    }

    /// Waits until it says that it is at the point, and kills it; or until it was killed. What it was to do, it has not
    /// ended.
    pub fn killed(self) {
        for line in self.lines.map_while(Result::ok) {
            assert!(!line.starts_with("ended "), "it was not killed: {line}");
            if line.starts_with("at ") {
                self.victim.kill();
                break;
            }
        }
        let mut child = self.victim.0.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a process");
        let status = child.wait().expect("its end");
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
        assert!(!status.success());
    }

    /// Waits for its end; gives how each of its passes ended.
    pub fn ended(self) -> Vec<Ended> {
        let ended = |line: String| serde_json::from_str(line.strip_prefix("ended ")?).ok();
        let ended = self.lines.map_while(Result::ok).filter_map(ended).collect();
        let mut child = self.victim.0.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a process");
        let status = child.wait().expect("its end");
        assert!(status.success(), "{status}");
        ended
    }
}
