//! Amazon's Runtime Interface Emulator: runs a Lambda function's `bootstrap` as Lambda does, but for one invocation at a time.

use std::{
    env,
    ffi::OsString,
    fs, io, path,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{StandIn, http, installed::installed};

const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

/// A Lambda function: its `bootstrap` run by Amazon's Runtime Interface Emulator. It ends when this is dropped.
#[derive(Debug)]
pub struct Rie {
    stand_in: StandIn,
    /// Invocations at the same time crash the emulator.
    turn: Mutex<()>,
    patience: Duration,
}

impl Rie {
    /// Starts the emulator. The bootstrap starts with the first invocation, and has no environment but `PATH`, `env` and
    /// what the emulator adds: credentials and a region must be among `env` if it needs them.
    pub fn start(bootstrap: &Path, env: &[(String, String)], timeout_seconds: u32) -> Option<Self> {
        let emulator = installed("rie")?.join("aws-lambda-rie");
        let bootstrap = path::absolute(bootstrap).expect("a bootstrap's path");
        let stand_in = StandIn::start("rie", |[invocations, runtime]| {
            let mut path = OsString::from("PATH=");
            path.push(env::var_os("PATH").unwrap_or_default());
            let mut line: Vec<OsString> = vec!["env".into(), "-i".into(), path];
            line.extend(env.iter().map(|(name, value)| format!("{name}={value}").into()));
            line.push(format!("AWS_LAMBDA_FUNCTION_TIMEOUT={timeout_seconds}").into());
            line.push(emulator.clone().into());
            line.extend(["--log-level", "warn", "--runtime-interface-emulator-address"].map(OsString::from));
            line.push(format!("127.0.0.1:{invocations}").into());
            line.push("--runtime-api-address".into());
            line.push(format!("127.0.0.1:{runtime}").into());
            line.push(bootstrap.clone().into());
            line
        });
        // The emulator's own timeout is to come first.
        let patience = Duration::from_secs(u64::from(timeout_seconds) + 30);
        Some(Self { stand_in, turn: Mutex::new(()), patience })
    }

    /// Invokes the function and gives its answer. An error of the function and a timeout are answers too.
    ///
    /// # Panics
    ///
    /// If the emulator does not answer.
    pub fn invoke(&self, event: &[u8]) -> Vec<u8> {
        self.try_invoke(event).unwrap_or_else(|error| panic!("no answer: {error}\n{}", self.log()))
    }

    /// Invokes the function, where the emulator or the bootstrap may be killed meanwhile. One invocation runs at a time.
    pub fn try_invoke(&self, event: &[u8]) -> io::Result<Vec<u8>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = http::request(self.stand_in.address(), "POST", INVOCATIONS, &[], event, self.patience)?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&answer.body)))),
        }
    }

    /// Finds the bootstrap's process, for [`signal`](crate::signal). There is none before the first invocation, and another
    /// one after a timeout or a crash.
    pub fn bootstrap_pid(&self) -> Option<u32> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.stand_in.pid())).ok()?;
        threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
            .find_map(|children| children.split_whitespace().next()?.parse().ok())
    }

    /// Gives the emulator's process id.
    pub fn pid(&self) -> u32 {
        self.stand_in.pid()
    }

    /// Reads what the bootstrap and the emulator wrote to their standard output and error so far.
    pub fn log(&self) -> String {
        self.stand_in.log()
    }

    /// Stops both at once, as dropping does.
    pub fn stop(self) {}
}
