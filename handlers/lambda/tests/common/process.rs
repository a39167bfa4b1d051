//! The handler's process, below the test's own Runtime API.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;

use crate::runtime::Runtime;

/// Sends a process the signals it reads. When its standard input ends, the test's process has ended, killed or not: so does that one then,
/// which may stand still and would never see it.
const GUARD: &str = r#"
while read -r signal; do
    if [ "$signal" = over ]; then exit; fi
    if kill -"$signal" "$1"; then echo sent; else echo failed; fi
done
kill -KILL "$1"
"#;

/// A process. It ends when this is dropped, or with the test's.
pub struct Process {
    child: Child,
    guard: Arc<Guard>,
    package: TempDir,
}

/// Sends a process signals, for as long as it is there.
pub struct Guard(Mutex<Option<Shell>>);

struct Shell {
    child: Child,
    tell: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it with a package that holds the pipeline, and these variables beside those Lambda sets.
    pub fn start(runtime: &Runtime, pipeline: &str, variables: &[(&str, &str)]) -> Process {
        let package = tempfile::tempdir().unwrap();
        fs::write(package.path().join("pipeline.yaml"), pipeline).unwrap();
        let log = File::create(package.path().join("log")).unwrap();
        let given = [
            ("AWS_LAMBDA_RUNTIME_API", runtime.address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        let child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .envs(given)
            .envs(variables.iter().copied())
            .current_dir(package.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let guard = Arc::new(Guard::of(&child));
        Process { child, guard, package }
    }

    /// What sends it signals.
    pub fn guard(&self) -> Arc<Guard> {
        self.guard.clone()
    }

    /// Sends it a signal, and waits until it has ended; gives the signal it ended of, if it did.
    pub fn end(&mut self, name: &str) -> Option<i32> {
        // Nobody else may send one any more: soon its number may be another's.
        let mut shell = self.guard.0.lock().unwrap();
        assert!(shell.as_mut().is_some_and(|shell| shell.signal(name)), "SIG{name} cannot be sent");
        let ended = self.child.wait().unwrap();
        shell.take().unwrap().leave();
        ended.signal()
    }

    /// Reads what it wrote to standard output and error so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.package.path().join("log")).unwrap()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let shell = self.guard.0.lock().unwrap().take();
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        shell.into_iter().for_each(Shell::leave);
    }
}

impl Guard {
    fn of(process: &Child) -> Guard {
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "guard", &process.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Who ends the test's group does not end this before it has done its work.
            .process_group(0)
            .spawn()
            .unwrap();
        let (tell, said) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Guard(Mutex::new(Some(Shell { child, tell, said })))
    }

    /// Sends a signal, named without SIG; tells whether the process was there.
    pub fn signal(&self, name: &str) -> bool {
        self.0.lock().unwrap().as_mut().is_some_and(|shell| shell.signal(name))
    }
}

impl Shell {
    fn signal(&mut self, name: &str) -> bool {
        let mut said = String::new();
        self.tell.write_all(format!("{name}\n").as_bytes()).unwrap();
        self.said.read_line(&mut said).unwrap();
        said == "sent\n"
    }

    fn leave(mut self) {
        // Somebody may have ended it.
        let _ = self.tell.write_all(b"over\n");
        let _ = self.child.wait();
    }
}
