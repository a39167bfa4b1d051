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
    assert_eq!(summary["actions"][0]["taken"], 1_694);

    let scores = &summary["scores"];
    assert_eq!((&scores["outcomes_joined"], &scores["outcomes_late_or_unknown"]), (&json!(82_609), &json!(0)));
    let auc = |row: &Value| row["auc"].as_f64().unwrap();
    let (baseline, event_only, all) = (&scores["baselines"][0], &scores["models"][0], &scores["models"][1]);
    assert_eq!((&event_only["name"], &all["name"]), (&json!("late_event_only"), &json!("late")));
    assert!(auc(all) >= 0.72, "{scores}");
    assert!(auc(all) > auc(event_only) + 0.03 && auc(event_only) > auc(baseline), "{scores}");
    let top = |row: &Value| row["precision_top_5_percent"].as_f64().unwrap();
    assert!(top(all) > top(event_only) && top(event_only) > top(baseline), "{scores}");
    // What the training script measured, from every probability and not from a histogram.
    for (row, exact) in [(all, (0.7301, 0.4642)), (event_only, (0.6625, 0.3077))] {
        assert!((auc(row) - exact.0).abs() < 1e-4 && (top(row) - exact.1).abs() < 1e-3, "{row}");
    }

    assert_eq!(summary["log"]["written"], 249_699);
    let log = zstd::Decoder::new(File::open(world.path("out/decisions.jsonl.zst")).unwrap()).unwrap();
    assert_eq!(BufReader::new(log).lines().map(Result::unwrap).count(), 249_699);
    assert_eq!(world.lines("out/rebooking.jsonl").len(), 1_694);
    eprintln!("peak memory: {} MiB", summary["peak_memory_bytes"].as_u64().unwrap_or_default() >> 20);
}
