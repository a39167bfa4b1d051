//! `fourstroke why`: an earlier decision, from the log a run wrote.

use serde_json::{Value, json};

use crate::support::{Ended, PIPELINE, World, day_before_rebooked, flights_pipeline, rebooked};

const LOG: &str = "out/decisions.jsonl";

/// A log of three decisions.
fn logged() -> World {
    let world = World::small();
    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0);
    world
}

fn why(world: &World, id: &str, log: &str) -> Ended {
    world.run(&["why", id, "--log", log, "--json"])
}

fn append(world: &World, text: &str) {
    let log = std::fs::read_to_string(world.path(LOG)).unwrap();
    world.write(LOG, log + text);
}

#[test]
fn it_tells_what_explain_tells() {
    let (world, one) = (day_before_rebooked(), rebooked());
    let ran = world.run(&["run", &flights_pipeline(), "--input", &one]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let explained = world.run(&["explain", &flights_pipeline(), "--event", &one, "--json"]).json();
    let explained = &explained["events"][0];
    let found = why(&world, "2013-12-29-B61013-JFK", LOG);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    let found = &found.json()["events"][0];
    for at in ["/decision_id", "/version", "/disposition", "/event/key", "/event/time", "/act/actions/0/data"] {
        assert_eq!((at, found.pointer(at)), (at, explained.pointer(at)));
        assert!(found.pointer(at).is_some(), "{at}");
    }
    for model in 0..3 {
        for part in ["name", "sha256", "state", "features", "prediction"] {
            assert_eq!(found["infer"][model][part], explained["infer"][model][part], "{part}");
        }
    }
    assert_eq!(found["infer"][2]["features"].as_object().unwrap().len(), 28);
    let looked_up = |picture: &Value| -> Value {
        let lookups = picture["enrich"].as_array().unwrap().iter();
        // The log does not tell an empty window from a default.
        let state =
            |lookup: &Value| if lookup["state"] == "empty" { json!("default") } else { lookup["state"].clone() };
        lookups.map(|lookup| json!([lookup["name"], state(lookup), lookup["value"]])).collect()
    };
    assert_eq!(looked_up(found), looked_up(explained));
    assert_eq!(found["act"]["rules"][0]["state"], "chosen");
    assert_eq!(found["event"]["body"], Value::Null, "the log does not have it");

    let text = world.run(&["why", "2013-12-29-B61013-JFK", "--log", LOG]);
    for part in
        ["EVENT  2013-12-29-B61013-JFK\n", "    in  carrier           \"B6\"\n", "  rebook  chosen\n", "\nacted\n"]
    {
        assert!(text.stdout.contains(part), "{part:?} is not in\n{}", text.stdout);
    }
    assert!(text.stdout.contains("  kept in the log\n    route  \"JFK-LGB\"\n"), "{}", text.stdout);
}

#[test]
fn a_decision_is_found_by_its_id_its_beginning_and_its_event() {
    let world = logged();
    let id = world.lines(LOG)[1]["decision_id"].as_str().unwrap().to_owned();
    for wanted in [&id, &id[..8], &id[..12].to_uppercase(), "2"] {
        let found = why(&world, wanted, LOG);
        assert_eq!(found.code, 0, "{wanted}: {found:?}");
        assert_eq!(found.json()["events"].as_array().unwrap().len(), 1, "{wanted}");
        assert_eq!(found.json()["events"][0]["decision_id"], id.as_str());
    }
}

#[test]
fn what_is_not_there_is_said() {
    let world = logged();
    let id = world.lines(LOG)[1]["decision_id"].as_str().unwrap().to_owned();
    for wanted in ["nobody", "0123456789abcdef", &id[..7], &id[1..]] {
        let ended = why(&world, wanted, LOG);
        assert_eq!(ended.code, 1, "{wanted}: {ended:?}");
        assert!(ended.stderr.contains(&format!("no decision `{wanted}`, and no event of that id, is in the log")));
        assert_eq!(ended.json()["events"], json!([]));
    }
    let short = world.run(&["why", &id[..7], "--log", LOG]).stderr;
    assert!(short.contains("give 8 characters or more"), "{short}");
}

#[test]
fn the_beginning_of_several_decisions_is_refused() {
    let world = logged();
    let id = world.lines(LOG)[0]["decision_id"].as_str().unwrap().to_owned();
    let near = format!("{}{}", &id[..10], "0".repeat(54));
    let line = std::fs::read_to_string(world.path(LOG)).unwrap().lines().next().unwrap().to_owned();
    append(&world, &format!("{}\n", line.replace(&id, &near).replace(r#""event_id":"1""#, r#""event_id":"9""#)));
    let ended = why(&world, &id[..10], LOG);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains(&id) && ended.stderr.contains(&near), "{}", ended.stderr);
    assert_eq!(why(&world, &id, LOG).code, 0);
}

#[test]
fn all_entries_of_a_decision_are_shown_the_newest_last() {
    let world = logged();
    std::fs::rename(world.path(LOG), world.path("first.jsonl")).unwrap();
    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0);
    // The newer log comes first on the command line.
    let both = ["why", "1", "--log", LOG, "--log", "first.jsonl"];
    let found = world.run(&[&both[..], &["--json"]].concat()).json();
    let at = |place: usize| found["events"][place]["decided_at"].as_str().unwrap().to_owned();
    assert_eq!(found["events"].as_array().unwrap().len(), 2);
    assert!(at(0) < at(1), "{found}");
    let text = world.run(&both).stdout;
    assert!(text.starts_with("The log has 2 entries, the newest last.\n"), "{text}");
    assert!(text.contains("EVENT  1 (2 of 2)\n"), "{text}");
}

#[test]
fn lines_that_are_no_entries_are_counted() {
    let world = logged();
    let line = std::fs::read_to_string(world.path(LOG)).unwrap().lines().next().unwrap().to_owned();
    append(&world, &format!("not JSON\n{{\"event_id\":\"1\" and so on}}\n{}", &line[..line.len() / 2]));
    let found = why(&world, "1", LOG);
    assert_eq!((found.code, &found.json()["bad_lines"]), (0, &json!(3)), "{found:?}");
    assert_eq!(found.json()["events"].as_array().unwrap().len(), 1);
    assert_eq!(found.stderr, "the log: 3 lines are no entries and passed over\n");
}

/// Offers once for each order, and once an hour for each customer; a negative amount says that an order was returned.
fn keeping() -> World {
    let world = World::small();
    let once = "to: offers, once: state, limit: { in: state, by: [.customer], at_most: 1, per: 1h },";
    let outcome = "outcome: { when: .amount < 0.0, of: .of, label: true, within: 1h, in: state }\nlog: {";
    let pipeline = PIPELINE
        .replace("stores:\n", "stores:\n  state: \"redb:state.redb\"\n")
        .replace("amount: float }", "amount: float, of: \"string?\" }")
        .replace("to: offers,", once)
        .replace("log: {", outcome);
    world.write("pipeline.yaml", &pipeline[..pipeline.find("tests:").unwrap()]);
    let order = |id: &str| format!("{{\"id\":\"{id}\",\"customer\":\"ada\",\"amount\":20}}\n");
    let returned = "{\"id\":\"back\",\"customer\":\"ada\",\"amount\":-20,\"of\":\"1\"}\n";
    world.write("orders.jsonl", order("1") + &order("2") + returned);
    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0);
    world
}

#[test]
fn how_a_decision_turned_out_is_shown_with_it() {
    let world = keeping();
    let lines = world.lines(LOG);
    assert!(lines.iter().any(|line| line["outcome_of"] == lines[0]["decision_id"]), "{lines:?}");
    // By its event's id, and by its own.
    for wanted in ["1", lines[0]["decision_id"].as_str().unwrap()] {
        let found = why(&world, wanted, LOG);
        assert_eq!((found.code, found.stderr.as_str(), &found.json()["bad_lines"]), (0, "", &json!(0)));
        let events = &found.json()["events"];
        assert_eq!(events.as_array().unwrap().len(), 1, "an outcome is no entry: {events}");
        let outcomes = events[0]["outcomes"].as_array().unwrap();
        assert_eq!(
            (outcomes.len(), &outcomes[0]["label"], &outcomes[0]["event_id"]),
            (1, &json!(true), &json!("back"))
        );
        assert!(outcomes[0]["delay_ms"].is_i64(), "{outcomes:?}");
        assert_eq!(events[0]["outcome"], Value::Null);
    }
    let text = world.run(&["why", "1", "--log", LOG]).stdout;
    assert!(text.contains("\n  turned out  true ") && text.contains(" later, told by back\n"), "{text}");

    let telling = &why(&world, "back", LOG).json()["events"];
    assert_eq!(telling.as_array().unwrap().len(), 1, "{telling}");
    assert_eq!(telling[0]["outcome"], json!({ "decision_id": lines[0]["decision_id"], "label": true }));
    assert_eq!(telling[0]["outcomes"], json!([]));
}

#[test]
fn what_a_limit_held_back_and_what_was_done_before_are_shown() {
    let world = keeping();
    let held = &why(&world, "2", LOG).json()["events"][0];
    assert_eq!(held["act"]["rules"][0], json!({ "name": "offer", "state": "held-back", "when": null, "lacks": [] }));
    assert_eq!((&held["act"]["actions"], &held["replay"]), (&json!([]), &Value::Null));
    let text = world.run(&["why", "2", "--log", LOG]).stdout;
    assert!(text.contains("  offer  matched, but a limit held it back\n"), "{text}");

    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0);
    let events = &why(&world, "1", LOG).json()["events"];
    let (first, again) = (&events[0], &events[1]);
    assert_eq!(
        (&first["act"]["actions"][0]["earlier"], &again["act"]["actions"][0]["earlier"]),
        (&json!(false), &json!(true))
    );
    assert_eq!((&again["disposition"], &again["replay"]["version"]), (&json!("skipped"), &first["version"]));
    let text = world.run(&["why", "1", "--log", LOG]).stdout;
    for part in
        ["  offer → offers  done for an earlier delivery\n", "; its actions 2", "\nskipped: it was done for an earlier"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn packed_logs_are_read_also_when_they_are_torn() {
    let world = logged();
    let packed = zstd::encode_all(std::fs::read(world.path(LOG)).unwrap().as_slice(), 1).unwrap();
    world.write("log.jsonl.zst", &packed);
    assert_eq!(why(&world, "3", "log.jsonl.zst").json()["events"][0]["event_id"], Value::Null);
    assert_eq!(why(&world, "3", "log.jsonl.zst").json()["events"][0]["event"]["id"], "3");
    let mut torn = packed.clone();
    torn.extend(&packed[..packed.len() / 2]);
    world.write("log.jsonl.zst", torn);
    let found = why(&world, "3", "log.jsonl.zst");
    assert_eq!(found.code, 0, "{found:?}");
    assert!(found.stderr.contains("torn or damaged"), "{}", found.stderr);
}

#[test]
fn wrong_usage_ends_with_2() {
    let world = logged();
    for (log, says) in
        [("nowhere.jsonl", "does not exist"), ("customers.csv", "not rows"), ("pipeline.yaml", "name it")]
    {
        let ended = world.run(&["why", "1", "--log", log]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{log}");
        assert!(ended.stderr.contains(says), "{log}: {}", ended.stderr);
    }
    assert_eq!(world.run(&["why", "1"]).code, 2);
}
