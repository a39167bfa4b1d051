//! The example as a whole: a quarter year of flights.

use std::{
    fs::File,
    io::{BufRead, BufReader},
};

use serde_json::{Value, json};

use crate::support::{World, flights_pipeline};

#[test]
fn a_quarter_year_is_decided_and_each_stroke_pays() {
    let world = World::empty();
    let log = [("DECISIONS", "file:out/decisions.jsonl.zst")];
    let ended = world.run_with(&["run", &flights_pipeline(), "--json"], &log, b"");
    assert_eq!(ended.code, 0, "{ended:?}");
    let summary = ended.json();
    let types: Vec<(&Value, &Value)> =
        summary["types"].as_array().unwrap().iter().map(|row| (&row["type"], &row["events"])).collect();
    assert_eq!(json!(types), json!([["arrived", 82_609], ["boarding", 84_292], ["departed", 82_798]]));
    assert_eq!(summary["events"], 249_699);
    let dispositions = summary["dispositions"].as_object().unwrap();
    assert_eq!(dispositions.values().filter_map(Value::as_u64).sum::<u64>(), 249_699);
    assert_eq!(dispositions["acted"], summary["actions"][0]["taken"]);
    assert_eq!(summary["actions"][0]["taken"], 1_700);

    let scores = &summary["scores"];
    assert_eq!((&scores["outcomes_joined"], &scores["outcomes_late_or_unknown"]), (&json!(82_609), &json!(0)));
    let auc = |row: &Value| row["auc"].as_f64().unwrap();
    let [event_only, no_history, all] = &scores["models"].as_array().unwrap()[..] else { panic!("{scores}") };
    let names = [event_only, no_history, all].map(|row| row["name"].as_str().unwrap());
    assert_eq!(names, ["late_event_only", "late_no_history", "late"]);
    let baseline = &scores["baselines"][0];
    assert!(auc(all) >= 0.77, "{scores}");
    let top = |row: &Value| row["precision_top_5_percent"].as_f64().unwrap();
    for pair in [baseline, event_only, no_history, all].windows(2) {
        assert!(auc(pair[1]) > auc(pair[0]) + 0.03 && top(pair[1]) > top(pair[0]) + 0.1, "each stroke pays: {scores}");
    }
    // What the training script measured, from every probability and not from a histogram, and with windows of its own.
    for (row, exact) in [(all, (0.8011, 0.7053)), (no_history, (0.7301, 0.4642)), (event_only, (0.6625, 0.3077))] {
        assert!((auc(row) - exact.0).abs() < 1e-4 && (top(row) - exact.1).abs() < 1e-3, "{row}");
    }

    let entries = 249_699 + 82_609;
    assert_eq!(summary["log"]["written"], entries, "a decision each, and the outcomes");
    let log = zstd::Decoder::new(File::open(world.path("out/decisions.jsonl.zst")).unwrap()).unwrap();
    assert_eq!(BufReader::new(log).lines().map(Result::unwrap).count(), entries);
    assert_eq!(world.lines("out/rebooking.jsonl").len(), 1_700);
    eprintln!("peak memory: {} MiB", summary["peak_memory_bytes"].as_u64().unwrap_or_default() >> 20);
}
