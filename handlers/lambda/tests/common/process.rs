//! The handler's process, below the test's own Runtime API.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    process::{Child, Command},
};

use fourstroke_localstack::signal;
use tempfile::TempDir;

use crate::runtime::Runtime;

/// A process. It ends when this is dropped.
pub struct Process {
    child: Child,
    package: TempDir,
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
        Process { child, package }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Sends it a signal, and waits until it has ended; gives the signal it ended of, if it did.
    pub fn end(&mut self, name: &str) -> Option<i32> {
        signal(self.child.id(), name);
        self.child.wait().unwrap().signal()
    }

    /// Reads what it wrote to standard output and error so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.package.path().join("log")).unwrap()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
