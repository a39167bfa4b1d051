//! `fourstroke run` on good input.

use serde_json::json;

use crate::support::{ORDERS, PIPELINE, World};

#[test]
fn events_are_decided_and_the_summary_is_on_standard_error() {
    let world = World::small();
    let ended = world.run(&["run", "pipeline.yaml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stdout, "{\"level\":2,\"order\":\"1\"}\n");
    for part in [
        "small: 3 events in ",
        "offer → offers (stdout:)",
        "time in each stroke",
        "decision log  file:out/decisions.jsonl: 3 entries added",
        "dead letters  file:out/dead.jsonl: 0 added",
    ] {
        assert!(ended.stderr.contains(part), "{part:?} is not in\n{}", ended.stderr);
    }
    let log = world.lines("out/decisions.jsonl");
    let ends: Vec<_> = log.iter().map(|entry| (&entry["event_id"], &entry["disposition"])).collect();
    assert_eq!(json!(ends), json!([["1", "acted"], ["2", "passed"], ["3", "passed"]]));
}

#[test]
fn json_is_the_last_line_after_what_sinks_wrote() {
    let world = World::small();
    let ended = world.run(&["run", "pipeline.yaml", "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    let summary = ended.json();
    assert_eq!(summary["events"], 3);
    assert_eq!(summary["dispositions"]["acted"], 1);
    assert_eq!(
        summary["actions"],
        json!([{ "name": "offer", "sink": "offers", "to": "stdout:", "taken": 1, "held_back": 0 }])
    );
    assert_eq!(summary["lookups"], json!([{ "name": "who", "found": 3, "missing": 0 }]));
}

#[test]
fn events_can_come_from_standard_input_and_from_another_file() {
    let world = World::small();
    let piped = world.run_with(&["run", "pipeline.yaml", "--input", "-", "--json"], &[], ORDERS.as_bytes());
    assert_eq!((piped.code, &piped.json()["events"]), (0, &json!(3)), "{piped:?}");
    let packed = zstd::encode_all(format!("{ORDERS}{}", ORDERS.replace("ada", "eve")).as_bytes(), 1).unwrap();
    world.write("more.jsonl.zst", packed);
    let other = world.run(&["run", "pipeline.yaml", "--input", "more.jsonl.zst", "--json"]);
    assert_eq!((other.code, &other.json()["events"]), (0, &json!(6)), "{other:?}");
    assert_eq!(other.json()["lookups"][0]["missing"], 2);
}

#[test]
fn actions_can_go_to_a_table() {
    let world = World::small();
    world.write("pipeline.yaml", PIPELINE.replace(r#"offers: "stdout:""#, r#"offers: "file:out/offers.csv""#));
    for _ in 0..2 {
        let ended = world.run(&["run", "pipeline.yaml"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(std::fs::read_to_string(world.path("out/offers.csv")).unwrap(), "level,order\n2,1\n2,1\n");
}

#[test]
fn the_limit_ends_the_run() {
    let ended = World::small().run(&["run", "pipeline.yaml", "--limit", "2", "--json"]);
    assert_eq!((ended.code, &ended.json()["events"]), (0, &json!(2)), "{ended:?}");
    assert_eq!(ended.json()["ended"], "the limit was reached");
}

#[test]
fn one_of_several_sources_has_to_be_named() {
    let world = World::small();
    let sources = r#"sources: { orders: "file:orders.jsonl", returns: "file:returns.jsonl" }"#;
    world.write("pipeline.yaml", PIPELINE.replace(r#"sources: { orders: "file:orders.jsonl" }"#, sources));
    let unnamed = world.run(&["run", "pipeline.yaml"]);
    assert_eq!(unnamed.code, 2);
    assert!(unnamed.stderr.contains("choose one with --source NAME, of orders, returns"), "{}", unnamed.stderr);
    assert_eq!(world.run(&["run", "pipeline.yaml", "--source", "orders"]).code, 0);
    let unknown = world.run(&["run", "pipeline.yaml", "--source", "order"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("has no source `order`"), "{}", unknown.stderr);
}

#[test]
fn a_sink_may_be_a_source_of_another_run() {
    let world = World::small();
    let sources = r#"sources: { orders: "file:orders.jsonl", again: "file:out/decisions.jsonl" }"#;
    world.write("pipeline.yaml", PIPELINE.replace(r#"sources: { orders: "file:orders.jsonl" }"#, sources));
    let ended = world.run(&["run", "pipeline.yaml", "--source", "orders"]);
    assert_eq!((ended.code, world.lines("out/decisions.jsonl").len()), (0, 3), "{ended:?}");
    let given = world.run(&["run", "pipeline.yaml", "--input", "orders.jsonl"]);
    assert_eq!((given.code, world.lines("out/decisions.jsonl").len()), (0, 6), "{given:?}");

    // The run that reads it would not end, and a check of the whole file says so.
    for command in [&["run", "pipeline.yaml", "--source", "again"][..], &["validate", "pipeline.yaml"]] {
        let refused = world.run(command);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("appends to the file that `sources.again` reads"), "{}", refused.stderr);
    }
    assert_eq!(world.lines("out/decisions.jsonl").len(), 6);
}

#[test]
fn state_is_kept_in_a_file_that_only_a_run_makes() {
    let world = World::small();
    let state = "stores:\n  state: \"redb:kept/state.redb\"\n";
    let lookup = "enrich:\n  seen: { from: state, key: [.id], missing: \"null\" }\n";
    world.write("pipeline.yaml", PIPELINE.replace("stores:\n", state).replace("enrich:\n", lookup));
    for command in ["validate", "test"] {
        let ended = world.run(&[command, "pipeline.yaml"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(!world.path("kept").exists(), "{command} writes nothing");
    }
    for _ in 0..2 {
        assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0);
        assert!(world.path("kept/state.redb").exists());
    }
    world.write("kept/state.redb", "my notes, and no database\n".repeat(500));
    for command in ["validate", "run"] {
        let refused = world.run(&[command, "pipeline.yaml"]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(
            refused.stderr.contains("`redb:kept/state.redb` cannot be opened: it is no redb file"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let world = World::empty();
    for command in ["", "run", "validate", "test", "explain", "why", "schema"] {
        let arguments = [command, "--help"];
        let ended = world.run(&arguments[usize::from(command.is_empty())..]);
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.contains("Examples:\n"), "{command:?}: {}", ended.stdout);
    }
    assert_eq!(world.run(&["run"]).code, 2);
    assert_eq!(world.run(&["--version"]).stdout, format!("fourstroke {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn rows_can_come_from_standard_input_with_their_header() {
    let world = World::small();
    let rows = PIPELINE.replace("event:\n", "event:\n  format: csv\n");
    world.write("pipeline.yaml", rows.replace("file:orders.jsonl", "file:orders.csv"));
    let table = "id,customer,amount\n1,ada,20\n2,bob,20\n";
    world.write("orders.csv", table);
    let piped = world.run_with(&["run", "pipeline.yaml", "--input", "-", "--json"], &[], table.as_bytes());
    let read = world.run(&["run", "pipeline.yaml", "--json"]);
    for ended in [piped, read] {
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.json()["dispositions"]["acted"], 1, "{ended:?}");
        assert_eq!(ended.json()["events"], 2);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_that_cannot_be_written_changes_nothing() {
    use std::{fs::File, process::Command};

    let world = World::small();
    for (arguments, code) in [(["run", "pipeline.yaml"], 0), (["run", "nowhere.yaml"], 2)] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fourstroke"));
        let ended = command.args(arguments).current_dir(world.path("")).stderr(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}");
    }
    assert_eq!(world.lines("out/decisions.jsonl").len(), 3);
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_sigterm_finish_the_batch_and_sum_up() {
    for signal in ["-INT", "-TERM"] {
        a_signal_finishes_the_batch(signal);
    }
}

#[cfg(unix)]
fn a_signal_finishes_the_batch(signal: &str) {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        process::{Command, Stdio},
    };

    let world = World::small();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fourstroke"))
        .args(["run", "pipeline.yaml", "--input", "-", "--json"])
        .current_dir(world.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Kept open: the input has not ended.
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(ORDERS.as_bytes()).unwrap();
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    assert_eq!(first, "{\"level\":2,\"order\":\"1\"}\n", "it has begun");
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&rest).unwrap();
    assert_eq!(summary["ended"], "stopped when asked to");
    assert_eq!(summary["log"]["written"], summary["events"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
