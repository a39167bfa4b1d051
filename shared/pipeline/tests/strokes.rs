//! Each stroke through the public face.

mod common;

use std::time::Duration;

use common::{PIPELINE, World, bodies, event, run};
use fourstroke::{
    clock::Clock,
    config::{Environment, PipelineFile},
    event::Decoded,
    pipeline::{Builder, Stubs},
    ports::{Condition, Key, Put, Store},
    report::Disposition,
    testkit::faults::{Fault, Faults, Op},
    types::Fields,
};
use serde_json::json;

#[tokio::test]
async fn id_key_and_time_come_from_the_file_or_the_platform() {
    let world = World::default();
    let pipeline = world.pipeline().await;
    let body = json!({ "id": "own", "k": "c1", "x": 0.9, "at": "2013-10-01T00:00:00Z" });
    let report = run(&pipeline, vec![event("platform", body), event("p2", json!({ "id": "", "x": 0.9 }))]).await;
    let facts = report.decisions[0].record.facts();
    assert_eq!((&*facts.id, facts.key.as_deref()), ("own", Some("c1")));
    assert_eq!(facts.time.unwrap().to_rfc3339(), "2013-10-01T00:00:00+00:00");
    assert_eq!(report.decisions[1].error.as_ref().unwrap().code.as_str(), "FS-D006");
    assert_eq!(&*world.out.taken()[0].id, fourstroke::identity::idempotency_key("small", "own", "go"));
}

#[tokio::test]
async fn a_transform_in_rust_does_what_one_in_vrl_does() {
    let yaml = PIPELINE.replace("when: .m.probability >= 0.5", "when: .double > 1.0");
    let file = PipelineFile::parse("p.yaml".as_ref(), &yaml, &Environment::default()).unwrap();
    let adds = Fields(vec![("double".to_owned(), fourstroke::types::FieldType::parse("float").unwrap())]);
    let world = World::default();
    let pipeline = Builder::new(file)
        .transform(adds, |record| {
            let x = record.get("x").and_then(|x| x.as_float()).ok_or("there is no x")?;
            record.insert("double", fourstroke::Value::from_f64_or_zero(x.into_inner() * 2.0));
            Ok(())
        })
        .open(&world)
        .await
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report =
        run(&pipeline, vec![event("1", json!({ "id": "a", "x": 0.9 })), event("2", json!({ "id": "b" }))]).await;
    assert_eq!(report.dispositions(), [Disposition::Acted, Disposition::DeadLettered]);
    assert_eq!(bodies(&world.dead)[0]["reason"], "there is no x");
}

#[tokio::test]
async fn lookups_ask_for_each_key_once_and_remember() {
    let counted = Faults::none();
    let world = World::default().with("stores.table", counted.clone());
    world.row("a", 2.0).await;
    let yaml = PIPELINE.replace("timeout: 100ms", "cache: 10m");
    let pipeline = world.open(&yaml).await.unwrap();
    let batch = || {
        (0..50)
            .map(|place| event(&place.to_string(), json!({ "id": if place % 2 == 0 { "a" } else { "b" }, "x": 0.1 })))
            .collect()
    };
    let report = run(&pipeline, batch()).await;
    run(&pipeline, batch()).await;
    assert_eq!((counted.counts(Op::Get).calls, counted.counts(Op::Get).items), (1, 2));
    let row = |place: usize| serde_json::to_value(report.decisions[place].record.get("row").unwrap()).unwrap();
    assert_eq!((row(0), row(1)), (json!({ "weight": 2.0 }), json!(null)));
    assert_eq!((report.decisions[0].lookups[0].found, report.decisions[1].lookups[0].found), (true, false));
}

#[tokio::test]
async fn a_cache_forgets_by_wall_clock() {
    let hand = fourstroke::testkit::HandClock::default();
    let counted = Faults::none();
    let world = World::default().with("stores.table", counted.clone());
    let yaml = PIPELINE.replace("timeout: 100ms", "cache: 1m");
    let file = PipelineFile::parse("p.yaml".as_ref(), &yaml, &Environment::default()).unwrap();
    let pipeline = Builder::new(file).clock(hand.clock()).open(&world).await.unwrap();
    for (wait, calls) in [(0, 1), (59, 1), (1, 2)] {
        hand.advance(Duration::from_secs(wait));
        run(&pipeline, vec![event("1", json!({ "id": "a", "x": 0.1 }))]).await;
        assert_eq!(counted.counts(Op::Get).calls, calls, "after {wait} more seconds");
    }
}

#[tokio::test]
async fn a_cache_keeps_no_answer_longer_than_its_store_says() {
    let hand = fourstroke::testkit::HandClock::default();
    let counted = Faults::none();
    let world = World::default().with("stores.table", counted.clone());
    let value = serde_json::from_value(json!({ "weight": 1 })).unwrap();
    let put = Put {
        key: Key::new("a", ""),
        value,
        condition: Condition::Absent,
        expires: Some(hand.now() + chrono::TimeDelta::minutes(5)),
    };
    world.table.put(&[put]).await[0].as_ref().unwrap();
    let yaml = PIPELINE.replace("timeout: 100ms", "cache: 1h");
    let file = PipelineFile::parse("p.yaml".as_ref(), &yaml, &Environment::default()).unwrap();
    let pipeline = Builder::new(file).clock(hand.clock()).open(&world).await.unwrap();
    for (wait, calls) in [(0, 1), (299, 1), (1, 2), (1, 3)] {
        hand.advance(Duration::from_secs(wait));
        run(&pipeline, vec![event("1", json!({ "id": "a", "x": 0.1 }))]).await;
        assert_eq!(counted.counts(Op::Get).calls, calls, "after {wait} more seconds");
    }
}

#[tokio::test]
async fn what_a_lookup_does_not_find_is_null_a_default_or_poison() {
    let one = vec![event("1", json!({ "id": "a", "x": 0.9 }))];
    for (missing, disposition, row) in [
        ("missing: \"null\"", Disposition::Acted, json!(null)),
        ("missing: default, default: { weight: 7 }", Disposition::Acted, json!({ "weight": 7.0 })),
        ("missing: poison", Disposition::DeadLettered, serde_json::Value::Null),
    ] {
        let world = World::default();
        let pipeline = world.open(&PIPELINE.replace("missing: \"null\"", missing)).await.unwrap();
        let report = run(&pipeline, one.clone()).await;
        assert_eq!(report.dispositions(), [disposition], "{missing}");
        let seen = report.decisions[0].record.get("row").map(|row| serde_json::to_value(row).unwrap());
        assert_eq!(seen.unwrap_or_default(), row, "{missing}");
    }
    // An empty cell of a row that is there takes the default's value.
    let world = World::default();
    let value = serde_json::from_value(json!({ "weight": null })).unwrap();
    let put = fourstroke::ports::Put {
        key: fourstroke::ports::Key::new("a", ""),
        value,
        condition: fourstroke::ports::Condition::Absent,
        expires: None,
    };
    fourstroke::ports::Store::put(&*world.table, &[put]).await;
    let pipeline =
        world.open(&PIPELINE.replace("missing: \"null\"", "missing: default, default: { weight: 7 }")).await.unwrap();
    let report = run(&pipeline, one).await;
    assert_eq!(serde_json::to_value(report.decisions[0].record.get("row")).unwrap(), json!({ "weight": 7.0 }));
    assert!(report.decisions[0].lookups[0].found);
}

#[tokio::test]
async fn a_lookup_may_use_what_an_earlier_one_found() {
    let yaml = PIPELINE
        .replace("fields: { weight: \"float?\" }", "fields: { weight: \"float?\", next: \"string?\" }")
        .replace("infer:", "  second: { from: table, key: [.row.next], missing: \"null\" }\ninfer:");
    let counted = Faults::none();
    let world = World::default().with("stores.table", counted.clone());
    for (id, next) in [("a", Some("b")), ("b", None)] {
        let value = serde_json::from_value(json!({ "weight": 1, "next": next })).unwrap();
        let key = fourstroke::ports::Key::new(id, "");
        let put = fourstroke::ports::Put { key, value, condition: fourstroke::ports::Condition::Absent, expires: None };
        fourstroke::ports::Store::put(&*world.table, &[put]).await;
    }
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![event("1", json!({ "id": "a", "x": 0.1 }))]).await;
    assert_eq!(
        serde_json::to_value(report.decisions[0].record.get("second")).unwrap(),
        json!({ "weight": 1.0, "next": null })
    );
    assert_eq!(counted.counts(Op::Get).calls, 2, "one round trip per wave");
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_is_a_retry_and_what_fails_once_is_asked_again() {
    let slow = World::default().with("stores.table", Faults::none().delayed(Duration::from_secs(1)));
    let report = run(&slow.pipeline().await, vec![event("1", json!({ "id": "a", "x": 0.9 }))]).await;
    assert_eq!(report.decisions[0].error.as_ref().unwrap().code.as_str(), "FS-E002");
    assert_eq!(report.dispositions(), [Disposition::Retry]);
    let faults = Faults::plan(|attempt| (attempt.key == "b" && attempt.nth == 1).then_some(Fault::Before));
    let flaky = World::default().with("stores.table", faults.clone());
    let events = ["a", "b", "c"].map(|id| event(id, json!({ "id": id, "x": 0.9 })));
    let report = run(&flaky.pipeline().await, events.to_vec()).await;
    assert_eq!(report.count(Disposition::Acted), 3);
    assert_eq!((faults.counts(Op::Get).calls, faults.counts(Op::Get).items), (2, 4), "only what failed is asked again");
}

#[tokio::test]
async fn a_model_runs_for_those_it_is_for_and_one_bad_row_stays_alone() {
    let counted = Faults::none();
    let world = World::default().with("model", counted.clone());
    let pipeline = world.pipeline().await;
    let xs = [json!(0.9), json!(null), json!(13.0), json!(0.2), json!(14.0)];
    let events =
        xs.iter().enumerate().map(|(place, x)| event(&place.to_string(), json!({ "id": place.to_string(), "x": x })));
    let report = run(&pipeline, events.collect()).await;
    use Disposition::*;
    assert_eq!(report.dispositions(), [Acted, Passed, DeadLettered, Passed, DeadLettered]);
    let codes: Vec<_> =
        report.decisions.iter().map(|decision| decision.error.as_ref().map(|error| error.code.as_str())).collect();
    assert_eq!(codes, [None, None, Some("FS-I004"), None, Some("FS-I005")]);
    assert!(report.decisions[1].predictions.is_empty());
    let said = &report.decisions[0].predictions[0];
    let probability = said.probability().unwrap();
    assert!((probability - 0.9).abs() < 1e-6);
    assert_eq!(serde_json::to_value(said.output.value()).unwrap()["class"], 1);
}

#[tokio::test]
async fn features_that_are_null_or_too_large_are_poison_unless_something_stands_in() {
    let always = PIPELINE.replace(", when: .x != null", "");
    let with = always.replace("positive: 1", "positive: 1, missing: { x: 0.75 }");
    let null = || vec![event("1", json!({ "id": "a", "x": null }))];
    let code =
        |report: &fourstroke::report::Report| report.decisions[0].error.as_ref().map(|error| error.code.as_str());
    let world = World::default();
    assert_eq!(code(&run(&world.open(&always).await.unwrap(), null()).await), Some("FS-I002"));
    assert_eq!(run(&world.open(&with).await.unwrap(), null()).await.dispositions(), [Disposition::Acted]);
    let large = vec![event("1", json!({ "id": "a", "x": 1e39 }))];
    assert_eq!(code(&run(&world.open(&always).await.unwrap(), large).await), Some("FS-I003"));
}

#[tokio::test]
async fn rules_match_first_or_all_and_cloudevents_carry_the_ids() {
    let rules = r#"  match: MATCH
  rules:
    - { name: high, when: .m.probability >= 0.8, to: out, data: '{ "id": .id }' }
    - { name: mid, when: .m.probability >= 0.5, to: out, key: .k, data: '{ "k": .k }' }
    - { name: whole, to: out }
"#;
    let start = PIPELINE.find("  rules:").unwrap();
    let end = PIPELINE.find("\nlog:").unwrap() + 1;
    let yaml = format!("{}{rules}{}", &PIPELINE[..start], &PIPELINE[end..])
        .replace("out: \"memory:\"", "out: { url: \"memory:\", format: cloudevents }");
    let body = json!({ "id": "a", "k": "c1", "x": 0.9, "at": "2013-10-01T00:00:00Z" });
    for (matches, names) in [("first", vec!["high"]), ("all", vec!["high", "mid", "whole"])] {
        let world = World::default();
        let pipeline =
            world.open(&yaml.replace("MATCH", matches)).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let report = run(&pipeline, vec![event("1", body.clone())]).await;
        let chosen: Vec<_> = report.decisions[0].actions.iter().map(|action| action.name.to_string()).collect();
        assert_eq!(chosen, names);
        assert_eq!(report.decisions[0].candidates.len(), 3, "the log names every rule that matched");
        let sent = bodies(&world.out);
        assert_eq!(sent[0]["specversion"], "1.0");
        assert_eq!(sent[0]["data"], json!({ "id": "a" }));
        assert_eq!(sent[0]["decisionid"], fourstroke::identity::decision_id("small", "a"));
        assert_eq!(sent[0]["id"], fourstroke::identity::idempotency_key("small", "a", "high"));
        assert_eq!((&sent[0]["type"], &sent[0]["partitionkey"]), (&json!("fourstroke.high"), &json!("c1")));
    }
    // A model that did not run: rules that read it do not match, the others do.
    let world = World::default();
    let pipeline = world.open(&yaml.replace("MATCH", "all")).await.unwrap();
    let report = run(&pipeline, vec![event("1", json!({ "id": "a" }))]).await;
    let chosen: Vec<_> = report.decisions[0].actions.iter().map(|action| action.name.to_string()).collect();
    assert_eq!(chosen, ["whole"]);
}

#[tokio::test]
async fn a_log_entry_holds_what_trains_replays_and_explains() {
    let world = World::default();
    world.row("a", 2.0).await;
    let file = PipelineFile::parse("p.yaml".as_ref(), PIPELINE, &Environment::default()).unwrap();
    let now = "2013-10-01T00:00:01Z".parse().unwrap();
    let pipeline = Builder::new(file).clock(Clock::fixed(now)).open(&world).await.unwrap();
    run(&pipeline, vec![event("1", json!({ "id": "a", "k": "c", "x": 0.75, "at": "2013-10-01T00:00:00Z" }))]).await;
    let mut entry = bodies(&world.log).remove(0);
    let us = entry.as_object_mut().unwrap().remove("us").unwrap();
    assert!(["transform", "enrich", "infer", "act"].iter().all(|stroke| us[stroke].is_u64()));
    let sha256 = fourstroke::identity::sha256(b"memory:m");
    assert_eq!(
        entry,
        json!({
            "v": 1, "decision_id": fourstroke::identity::decision_id("small", "a"), "event_id": "a", "key": "c",
            "event_time": "2013-10-01T00:00:00.000Z", "decided_at": "2013-10-01T00:00:01.000Z", "event_age_ms": 1000,
            "pipeline": "small", "version": pipeline.version(), "record": { "id": "a" },
            "enriched": { "row": { "value": { "weight": 2.0 }, "found": true, "age_ms": 0 } },
            "features": { "m": { "x": 0.75 } },
            "predictions": { "m": { "class": 1, "probability": 0.75, "scores": { "0": 0.25, "1": 0.75 } } },
            "model": [{ "name": "m", "sha256": sha256 }], "candidates": ["go"],
            "actions": [{ "name": "go", "to": "out", "key": "c", "taken": true, "data": { "id": "a" },
                "idempotency_key": fourstroke::identity::idempotency_key("small", "a", "go") }],
            "propensity": 1.0, "policy": null, "held_back": [], "disposition": "acted", "code": null, "batch_size": 1,
        })
    );
}

#[tokio::test]
async fn stubs_stand_in_for_stores_and_models() {
    let counted = Faults::none();
    let world = World::default().with("stores.table", counted.clone()).with("model", counted.clone());
    let pipeline = world.pipeline().await;
    let stubs = Stubs {
        given: [("row".to_owned(), serde_json::from_value(json!({ "weight": 5 })).unwrap())].into(),
        predict: [("m".to_owned(), serde_json::from_value(json!({ "probability": 1 })).unwrap())].into(),
        now: Some("2013-10-01T00:00:00Z".parse().unwrap()),
    };
    let deadline = fourstroke::clock::Deadline::after(Duration::from_secs(5));
    let events: Vec<Decoded> = vec![event("1", json!({ "id": "a", "x": 0.0 }))];
    let report = pipeline.run_with(events, deadline, stubs).await;
    assert_eq!(report.dispositions(), [Disposition::Acted]);
    assert_eq!((counted.counts(Op::Get).calls, counted.counts(Op::Infer).calls), (0, 0));
    assert_eq!(common::field(report.decisions[0].record.get("row").unwrap(), "weight"), "5");
}

#[tokio::test]
async fn a_panic_in_an_expression_is_that_event_s_error() {
    // VRL's abs() overflows on the smallest integer: a panic where overflow is checked, a negative number elsewhere.
    let yaml = PIPELINE
        .replace("x: \"float?\"", "x: \"float?\", n: \"integer?\"")
        .replace("'{ \"id\": .id }'", "'{ \"id\": .id, \"n\": abs(.n || 0) }'");
    let world = World::default();
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let events = [1, i64::MIN, -3].map(|n| event("", json!({ "id": format!("e{n}"), "x": 0.9, "n": n })));
    let report = run(&pipeline, events.to_vec()).await;
    assert_eq!((report.dispositions()[0], report.dispositions()[2]), (Disposition::Acted, Disposition::Acted));
    if cfg!(debug_assertions) {
        assert_eq!(report.dispositions()[1], Disposition::DeadLettered);
        assert_eq!(report.decisions[1].error.as_ref().unwrap().code.as_str(), "FS-A001");
    }
}

#[tokio::test]
async fn what_json_cannot_say_is_poison() {
    let yaml = PIPELINE
        .replace("when: .x != null", "when: .x == null")
        .replace("when: .m.probability >= 0.5", "when: .x != null")
        .replace("'{ \"id\": .id }'", "'{ \"big\": (.x || 0.0) * 10.0 }'");
    let world = World::default();
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![event("1", json!({ "id": "a", "x": 1e308 }))]).await;
    assert_eq!(report.dispositions(), [Disposition::DeadLettered]);
    assert!(bodies(&world.out).is_empty());
}

#[tokio::test]
async fn a_probability_outside_0_to_1_is_no_probability() {
    let world = World::default();
    let report = run(&world.pipeline().await, vec![event("1", json!({ "id": "a", "x": 3.5 }))]).await;
    assert_eq!(report.decisions[0].error.as_ref().unwrap().code.as_str(), "FS-I005");
}

#[test]
fn no_two_lists_of_key_parts_make_the_same_key() {
    use fourstroke::ports::Key;
    assert_ne!(Key::of_parts(&["p", "q\u{1f}r", "s"]), Key::of_parts(&["p", "q", "r\u{1f}s"]));
    assert_ne!(Key::of_parts(&["p", "q\u{1e}", "s"]), Key::of_parts(&["p", "q", "\u{1e}s"]));
}
