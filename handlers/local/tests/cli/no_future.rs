//! No decision knows what happened after it: what comes later can be removed or changed, and nothing moves.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
};

use serde_json::{Value, json};

use crate::support::{World, flights, flights_pipeline};

const EVENTS: usize = 30_000;

fn events() -> Vec<Value> {
    let file = File::open(flights().join("data/2013-q4.jsonl.zst")).unwrap();
    let lines = BufReader::new(zstd::Decoder::new(file).unwrap()).lines().take(EVENTS);
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

fn decides(event: &Value) -> bool {
    event["type"] == "boarding"
}

/// Returns the log's entries of the events that were decided, by event.
fn decisions(events: &[Value]) -> BTreeMap<String, Value> {
    let world = World::empty();
    world.write("events.jsonl", events.iter().map(|event| format!("{event}\n")).collect::<String>());
    let ended = world.run(&["run", &flights_pipeline(), "--input", "events.jsonl"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let log = world.lines("out/decisions.jsonl");
    let decided = log.into_iter().filter(|entry| entry["predictions"].as_object().is_some_and(|said| !said.is_empty()));
    let decided: BTreeMap<_, _> =
        decided.map(|entry| (entry["event_id"].as_str().unwrap().to_owned(), entry)).collect();
    assert_eq!(decided.len(), events.iter().filter(|event| decides(event)).count());
    decided
}

/// Compares the decisions up to a moment.
fn assert_same(these: &BTreeMap<String, Value>, those: &BTreeMap<String, Value>, until: &str) {
    assert_eq!(these.len(), those.len());
    let second = |entry: &Value| entry["event_time"].as_str().unwrap()[.."2013-10-01T08:30:00".len()].to_owned();
    let early = these.iter().filter(|(_, this)| second(this).as_str() <= &until[.."2013-10-01T08:30:00".len()]);
    let mut compared = 0;
    for (id, this) in early {
        compared += 1;
        let that = &those[id];
        assert_eq!(this["features"], that["features"], "{id}");
        for model in ["late", "late_no_history", "late_event_only"] {
            let probability = |entry: &Value| entry["predictions"][model]["probability"].as_f64().unwrap();
            // Another batch may add up in another order.
            assert!((probability(this) - probability(that)).abs() < 1e-6, "{id}");
        }
        assert_eq!(this["actions"], that["actions"], "{id}");
    }
    assert!(compared > these.len() / 3, "{compared} tell too little");
}

#[test]
fn what_happens_later_changes_no_decision() {
    let events = events();
    let decided = decisions(&events);
    // What happened before it a decision may know: windows count it.
    let now = events[EVENTS / 2]["at"].as_str().unwrap().to_owned();
    let is_news = |event: &Value| !decides(event) && event["at"].as_str().unwrap() >= now.as_str();

    let removed: Vec<Value> = events.iter().filter(|event| !is_news(event)).cloned().collect();
    assert_same(&decided, &decisions(&removed), &now);

    let mut changed = events.clone();
    for event in changed.iter_mut().filter(|event| is_news(event)) {
        for (field, value) in
            [("tailnum", json!("N00000")), ("carrier", json!("ZZ")), ("origin", json!("XXX")), ("dest", json!("XXX"))]
        {
            event[field] = value;
        }
        for field in ["dep_delay", "arr_delay"] {
            if !event[field].is_null() {
                event[field] = json!(999.0 - event[field].as_f64().unwrap());
            }
        }
    }
    assert_same(&decided, &decisions(&changed), &now);

    // Weather is only what had been measured by then.
    let mut seen = 0;
    for (id, entry) in &decided {
        let Some(measured) = entry["enriched"]["weather"]["value"]["measured_at"].as_str() else { continue };
        let to_the_second = "2013-10-01T08:30:00".len();
        let decided = entry["event_time"].as_str().unwrap();
        assert!(measured[..to_the_second] <= decided[..to_the_second], "{id}: {measured} is after {decided}");
        seen += 1;
    }
    assert!(seen > decided.len() / 2, "only {seen} decisions saw the weather");
}
