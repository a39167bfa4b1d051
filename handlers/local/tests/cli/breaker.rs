//! A source that goes bad: `run` stops before all of it is dead letters, and nothing is lost.

use serde_json::json;

use crate::support::{PIPELINE, World};

const LIMITED: &str = "on_error: { to: dead, stop_above: 20%, of_last: 50 }";

/// Forty good orders, then forty whose amount has become a text.
fn world() -> World {
    let world = World::small();
    let order = |n: u32| {
        let amount = if n < 40 { json!(20) } else { json!("20") };
        format!("{}\n", json!({ "id": n.to_string(), "customer": "ada", "amount": amount }))
    };
    world.write("orders.jsonl", (0..80).map(order).collect::<String>());
    world.write("pipeline.yaml", PIPELINE.replace("on_error: { to: dead }", LIMITED));
    world
}

#[test]
fn what_is_beyond_the_share_is_held_and_handled_once_the_pipeline_is_mended() {
    let world = world();
    let ended = world.run(&["run", "pipeline.yaml"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 40, "every good order before it was handled");
    assert_eq!(world.lines("out/dead.jsonl").len(), 10);
    assert_eq!(world.lines("out/decisions.jsonl").len(), 50);
    let alarms: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("ALARM: ")).collect();
    let why = "ALARM: FS-B003: 11 of the last 50 events are poison, and `on_error.stop_above` is 20% of the last 50: ";
    assert!(alarms.len() == 1 && alarms[0].starts_with(why) && alarms[0].contains("most are FS-D003"), "{alarms:?}");
    for part in [
        "gave up on 30 events after trying again: orders.jsonl:51, ",
        "the breaker holds 30 (FS-B003): mend what the dead letters show",
        "what is held is not lost",
        "FS-B003: 30 events; the first: ",
        "breaker       tripped once; events held: 30",
    ] {
        assert!(ended.stderr.contains(part), "{part:?} is not in\n{}", ended.stderr);
    }

    let mended = PIPELINE
        .replace("on_error: { to: dead }", LIMITED)
        .replace("amount: float }", "amount: any }\ntransform: .amount = to_float!(.amount)");
    world.write("pipeline.yaml", mended);
    let ended = world.run(&["run", "pipeline.yaml", "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert_eq!(ended.json()["dispositions"]["acted"], 80);
    assert_eq!(ended.json()["breaker"], json!({ "tripped": 0, "first": null, "held": 0 }));
}

#[test]
fn without_the_breaker_all_of_it_becomes_dead_letters() {
    let world = world();
    let held = world.run(&["run", "pipeline.yaml", "--json"]);
    assert_eq!((held.code, &held.json()["breaker"]["tripped"]), (1, &json!(1)), "{held:?}");
    assert_eq!((&held.json()["breaker"]["held"], &held.json()["dispositions"]["retry"]), (&json!(30), &json!(30)));
    world.write("pipeline.yaml", PIPELINE);
    std::fs::remove_file(world.path("out/dead.jsonl")).unwrap();
    let ended = world.run(&["run", "pipeline.yaml", "--json"]);
    assert_eq!((ended.code, world.lines("out/dead.jsonl").len()), (1, 40));
    assert_eq!((&ended.json()["dispositions"]["acted"], &ended.json()["breaker"]), (&json!(40), &json!(null)));
}

#[test]
fn the_tests_of_a_pipeline_do_not_trip_it() {
    let world = world();
    let rotten = "  - { name: rotten, event: { id: \"3\" }, expect: { disposition: dead-lettered } }\n";
    let pipeline = PIPELINE.replace("on_error: { to: dead }", &LIMITED.replace("20%", "2%"));
    world.write("pipeline.yaml", pipeline + &rotten.repeat(5));
    let ended = world.run(&["test", "pipeline.yaml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}
