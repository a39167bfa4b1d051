//! `validate`, `test` and `schema`.

use serde_json::{Value, json};

use crate::support::{PIPELINE, World, flights_pipeline};

#[test]
fn a_fine_file_is_counted_and_nothing_is_written() {
    let world = World::small();
    let ended = world.run(&["validate", "pipeline.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout, "pipeline.yaml: fine: 1 source, 1 lookup, 0 models, 1 rule, 2 tests\n");
    assert_eq!(world.run(&["validate", "pipeline.yaml", "--json"]).json()["fine"], true);
    assert!(!world.has_output());
}

#[test]
fn acting_once_on_ids_that_change_is_warned_of() {
    let world = World::small();
    let once = PIPELINE
        .replace("to: offers,", "once: state, to: offers,")
        .replace("stores:\n", "stores:\n  state: \"memory:\"\n");
    for (source, id, warned) in [("file:-", false, true), ("file:-", true, false), ("file:orders.jsonl", false, false)]
    {
        let lines = once.lines().filter(|line| id || !line.trim_start().starts_with("id: ."));
        let yaml: String = lines.map(|line| format!("{line}\n")).collect();
        world.write("pipeline.yaml", yaml.replace("file:orders.jsonl", source));
        let ended = world.run(&["validate", "pipeline.yaml"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.stderr.contains("acts `once`"), warned, "{source} {id}: {}", ended.stderr);
    }
}

#[test]
fn three_mistakes_show_three_carets() {
    let world = World::small();
    let wrong = PIPELINE.replace("key: .customer", "key: .custmer").replace("from: customers", "from: customer");
    world.write("pipeline.yaml", wrong.replace("log: { to: decisions", "log: { to: decision"));
    let ended = world.run(&["validate", "pipeline.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    let carets = ended.stderr.lines().filter(|line| line.trim_start_matches([' ', '|']).starts_with('^')).count();
    assert_eq!(carets, 3, "{}", ended.stderr);
    assert!(ended.stderr.ends_with("pipeline.yaml: 3 mistakes\n"), "{}", ended.stderr);
    assert!(!ended.stderr.contains('\u{1b}'), "colours are for terminals");

    let ended = world.run(&["validate", "pipeline.yaml", "--json"]);
    assert_eq!(ended.code, 2);
    let places: Vec<Value> = ended.json()["mistakes"].as_array().unwrap().iter().map(|m| m["line"].clone()).collect();
    assert_eq!(json!(places), json!([9, 12, 16]));
}

#[test]
fn what_nothing_uses_yet_is_validated_too() {
    let world = World::small();
    let unused = PIPELINE
        .replace("sinks: {", r#"sinks: { unused: "file:orders.jsonl/x.jsonl","#)
        .replace("stores:\n", "stores:\n  later: { url: \"file:later.csv\", key: [id] }\n");
    world.write("pipeline.yaml", unused);
    let ended = world.run(&["validate", "pipeline.yaml"]);
    assert_eq!(ended.code, 2);
    for part in ["`sinks.unused`: ", "`stores.later`: `file:later.csv` does not exist", "pipeline.yaml: 2 mistakes"] {
        assert!(ended.stderr.contains(part), "{part:?} is not in\n{}", ended.stderr);
    }
    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0, "a run does not need them");
}

#[test]
fn the_tests_of_the_example_are_green() {
    let world = World::empty();
    let ended = world.run(&["test", &flights_pipeline()]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.ends_with("6 tests, all ok\n"), "{}", ended.stdout);
    assert!(!world.has_output());
}

#[test]
fn a_test_that_fails_says_where_and_what_came_instead() {
    let world = World::small();
    let wrong = PIPELINE
        .replace(r#"data: { order: "1" }"#, r#"data: { order: "7", level: 3 }"#)
        .replace(r#"event: { id: "2", customer: ada, amount: 1 }"#, r#"event: { id: "2", customer: ada }"#);
    world.write("pipeline.yaml", wrong);
    let ended = world.run(&["test", "pipeline.yaml"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in [
        "FAILED  a good customer gets an offer\n        at pipeline.yaml:19\n",
        "        data.order\n          expected  \"7\"\n          got       \"1\"\n",
        "        disposition\n          expected  \"passed\"\n          got       \"dead-lettered\"\n",
        "the event failed: FS-D002 in decode: ",
        "2 tests, 2 failed\n",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is not in\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("data.level"), "what is as expected is not shown");
    let json = world.run(&["test", "pipeline.yaml", "--json"]).json();
    assert_eq!((&json["ok"], &json["failed"]), (&json!(0), &json!(2)));
    assert_eq!(json["tests"][0]["differences"], json!([{ "path": "data.order", "expected": "7", "got": "1" }]));
    assert!(!world.has_output(), "a test writes nothing");
}

#[test]
fn a_test_of_a_wrong_file_ends_with_2() {
    let world = World::small();
    world.write("pipeline.yaml", PIPELINE.replace("expect: { actions: [offer]", "expect: { actions: [ofer]"));
    let ended = world.run(&["test", "pipeline.yaml"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("there is no rule `ofer`"), "{}", ended.stderr);
}

#[test]
fn the_schema_is_json() {
    let ended = World::empty().run(&["schema"]);
    assert_eq!(ended.code, 0);
    let schema: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(schema["title"], "fourstroke pipeline");
}
