//! The child process: told by lines what to do, stopped and continued by signals.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use fourstroke_localstack::signal;

use crate::{
    child::{ENDPOINT, THREADS},
    service::Service,
};

/// How its runtime runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    One,
    Many,
}

/// A process with a Kinesis sink, warm.
pub struct Process {
    child: Child,
    orders: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this very binary, as [`crate::child::run`]; it trusts the service.
    pub fn start(service: &Service, threads: Threads, variables: &[(&str, String)]) -> Process {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.args(["--exact", "child::run", "--ignored", "--nocapture"]);
        command.env(ENDPOINT, service.endpoint()).env(THREADS, if threads == Threads::One { "one" } else { "many" });
        command.env("SSL_CERT_FILE", service.trusted()).env_remove("SSL_CERT_DIR");
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().map(|(name, value)| (name, value)));
        if !variables.iter().any(|(name, _)| name.starts_with("AWS_")) {
            command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "secret");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let orders = child.stdin.take().expect("its input");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut process = Process { child, orders, lines };
        process.answer("ready");
        process
    }

    /// Has it thaw and make so many calls at the same time; gives how each ended.
    pub fn call(&mut self, count: usize) -> Vec<String> {
        writeln!(self.orders, "call {count}").expect("it listens");
        (0..count).map(|_| self.answer("end ")).collect()
    }

    /// Asks how many connections it found to be over.
    pub fn thawed(&mut self) -> usize {
        writeln!(self.orders, "thawed").expect("it listens");
        self.answer("thawed ").parse().expect("a number")
    }

    /// Stops it, and waits until it has.
    pub fn stop(&self) {
        signal(self.child.id(), "STOP");
        self.wait_for(|state| state == 'T');
    }

    pub fn go_on(&self) {
        signal(self.child.id(), "CONT");
        self.wait_for(|state| state != 'T');
    }

    fn wait_for(&self, wanted: impl Fn(char) -> bool) {
        let state = || {
            let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it is there");
            // Behind the name, which may hold anything.
            text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).expect("a state")
        };
        while !wanted(state()) {
            std::thread::yield_now();
        }
    }

    /// Reads up to the line that begins so; gives its rest.
    fn answer(&mut self, beginning: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).expect("its output") > 0, "it has ended");
            if let Some(rest) = line.trim_end().strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where the test failed it may be stopped still.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
