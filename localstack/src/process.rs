//! A stand-in's process: started on free ports, waited for until it answers, and ended with whoever started it, however that ends.

use std::{
    env,
    ffi::OsString,
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::http::{self, Answer};

/// Runs a stand-in until its own standard input ends: that happens when the test's process ends, killed or not.
const WRAPPER: &str = r#"
directory=$1
shift
(
    "$@" </dev/null >"$directory/log" 2>&1 &
    echo $! >"$directory/pid"
    wait $!
    echo $? >"$directory/ended"
) &
cat >/dev/null
if [ ! -e "$directory/ended" ] && kill -KILL "$(cat "$directory/pid")"; then wait; fi
rm -rf "$directory"
kill -KILL 0
"#;

/// A JVM on a busy machine takes its time.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A service that runs beside the test. It ends when this is dropped.
#[derive(Debug)]
pub struct StandIn {
    name: &'static str,
    wrapper: Child,
    directory: PathBuf,
    address: SocketAddr,
    pid: u32,
}

impl StandIn {
    /// Starts a command line made for free ports and waits until its first port answers.
    pub(crate) fn start<const N: usize>(name: &'static str, line: impl Fn([u16; N]) -> Vec<OsString>) -> Self {
        // Between choosing a port and using it, somebody else may take it.
        let mut why = String::new();
        for _ in 0..3 {
            let ports = free_ports();
            let mut stand_in = Self::spawn(name, ports[0], &line(ports));
            match stand_in.ready() {
                Ok(()) => return stand_in,
                Err(ended) => why = ended,
            }
        }
        panic!("{why}");
    }

    fn spawn(name: &'static str, port: u16, line: &[OsString]) -> Self {
        let directory = own_directory(name);
        let wrapper = Command::new("sh")
            .args(["-c", WRAPPER, name])
            .arg(&directory)
            .args(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: sh cannot be started: {error}"));
        Self { name, wrapper, directory, address: (Ipv4Addr::LOCALHOST, port).into(), pid: 0 }
    }

    /// Waits for an answer, whatever it says. Tells why there will be none.
    fn ready(&mut self) -> Result<(), String> {
        let late = Instant::now() + READY_WITHIN;
        loop {
            let answer = http::request(self.address, "GET", "/", &[], b"", Duration::from_secs(1));
            // Looked at after the answer: it may be another's, who took the port.
            if let Some(status) = self.number("ended") {
                return Err(format!("{} ended with {status} before it was ready:\n{}", self.name, self.tail()));
            }
            match (answer, self.number("pid")) {
                (Ok(_), Some(pid)) => {
                    self.pid = pid;
                    return Ok(());
                }
                (Err(error), _) if Instant::now() > late => {
                    panic!("{} is not ready after {READY_WITHIN:?}: {error}\n{}", self.name, self.tail());
                }
                _ => thread::sleep(POLL),
            }
        }
    }

    fn number(&self, file: &str) -> Option<u32> {
        fs::read_to_string(self.directory.join(file)).ok()?.trim().parse().ok()
    }

    fn tail(&self) -> String {
        let log = self.log();
        let skipped = log.lines().count().saturating_sub(30);
        log.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }

    /// Gives `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the process's id, for [`signal`].
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Reads what it wrote to its standard output and error so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join("log")).unwrap_or_default()).into_owned()
    }

    /// Posts by plain HTTP. No signature is made: stand-ins check none, though some want a header that looks like one.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        http::request(self.address, "POST", path, headers, body, Duration::from_secs(30))
    }

    /// Stops it at once, as dropping does.
    pub fn stop(self) {}
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.wrapper.stdin.take());
        let _ = self.wrapper.wait();
    }
}

/// Sends a signal, named without SIG, to a process: `signal(pid, "STOP")`.
pub fn signal(pid: u32, name: &str) {
    // The shell's own kill: not every machine has the program.
    let status = Command::new("sh").args(["-c", r#"kill -"$1" "$2""#, "kill", name, &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "SIG{name} cannot be sent to {pid}");
}

/// All are held until all are chosen, so that they differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    held.map(|listener| listener.local_addr().expect("a bound port").port())
}

fn own_directory(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let parent = env::temp_dir();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("fourstroke-{name}-{}-{number}", process::id()));
        match fs::create_dir(&directory) {
            Ok(()) => return directory,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{} cannot be made: {error}", Path::display(&directory)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StandIn;

    #[test]
    #[should_panic(expected = "none ended with 3 before it was ready:\nit has no reason")]
    fn what_ends_too_early_says_why() {
        StandIn::start("none", |[_]| ["sh", "-c", "echo it has no reason; exit 3"].map(Into::into).to_vec());
    }
}
