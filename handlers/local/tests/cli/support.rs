//! A directory with a pipeline in it, and the binary run there.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// Offers something for large orders of good customers.
pub const PIPELINE: &str = r#"fourstroke: v1
name: small
sources: { orders: "file:orders.jsonl" }
stores:
  customers: { url: "file:customers.csv", key: [customer], fields: { level: integer } }
sinks: { offers: "stdout:", decisions: "file:out/decisions.jsonl", dead: "file:out/dead.jsonl" }
event:
  id: .id
  key: .customer
  fields: { id: string, customer: string, amount: float }
enrich:
  who: { from: customers, key: [.customer], missing: default, default: { level: 0 } }
act:
  rules:
    - { name: offer, when: .who.level > 1 && .amount > 10.0, to: offers, data: '{ "order": .id, "level": .who.level }' }
log: { to: decisions }
on_error: { to: dead }
tests:
  - name: a good customer gets an offer
    event: { id: "1", customer: ada, amount: 20 }
    given: { who: { level: 3 } }
    expect: { actions: [offer], data: { order: "1" }, disposition: acted }
  - name: a small order is left alone
    event: { id: "2", customer: ada, amount: 1 }
    expect: { actions: [], disposition: passed }
"#;

pub const CUSTOMERS: &str = "customer,level\nada,2\nbob,1\n";

pub const ORDERS: &str = r#"{"id":"1","customer":"ada","amount":20}
{"id":"2","customer":"bob","amount":20}
{"id":"3","customer":"ada","amount":5}
"#;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Parses the last line of standard output.
    pub fn json(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_else(|| panic!("nothing on standard output: {self:?}"));
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

/// A directory for one test.
pub struct World(TempDir);

impl World {
    pub fn empty() -> World {
        World(tempfile::tempdir().expect("a directory"))
    }

    /// Holds a small pipeline that works.
    pub fn small() -> World {
        let world = World::empty();
        world.write("pipeline.yaml", PIPELINE);
        world.write("customers.csv", CUSTOMERS);
        world.write("orders.jsonl", ORDERS);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("the file is written");
    }

    pub fn lines(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Tells whether a run has left anything.
    pub fn has_output(&self) -> bool {
        self.path("out").exists()
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[], b"")
    }

    /// Runs the binary here with these variables and nothing else of the test's environment.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], stdin: &[u8]) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fourstroke"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A command that does not read it may be gone by now.
        let _ = child.stdin.take().expect("it is piped").write_all(stdin);
        let output = child.wait_with_output().expect("the binary ends");
        Ended {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// The flights example.
pub fn flights() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flights").canonicalize().expect("the example is there")
}

/// Its pipeline file.
pub fn flights_pipeline() -> String {
    flights().join("pipeline.yaml").to_str().expect("UTF-8").to_owned()
}

/// Its boarding that rebooks.
pub fn rebooked() -> String {
    flights().join("data/one.json").to_str().expect("UTF-8").to_owned()
}

/// A directory where the example has kept the day before that boarding, without which it does not rebook.
pub fn day_before_rebooked() -> World {
    static KEPT: OnceLock<Vec<u8>> = OnceLock::new();
    const STATE: &str = ".fourstroke/state.redb";
    let kept = KEPT.get_or_init(|| {
        let packed = fs::read(flights().join("data/2013-q4.jsonl.zst")).expect("the example has its data");
        let events = String::from_utf8(zstd::decode_all(packed.as_slice()).expect("zstd")).expect("UTF-8");
        let at = |line: &&str| line.split("\"at\":\"").nth(1).and_then(|rest| rest.get(..16)).map(str::to_owned);
        let day = |line: &&str| at(line).is_some_and(|at| ("2013-12-28T22:40".."2013-12-29T22:40").contains(&&*at));
        let world = World::empty();
        world.write("day.jsonl", events.lines().filter(day).collect::<Vec<_>>().join("\n"));
        let ended = world.run(&["run", &flights_pipeline(), "--input", "day.jsonl"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        fs::read(world.path(STATE)).expect("the run has kept something")
    });
    let world = World::empty();
    fs::create_dir(world.path(".fourstroke")).expect("a directory");
    world.write(STATE, kept);
    world
}
