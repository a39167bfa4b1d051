//! Outcomes joined to their decisions over processes, and lookups that a closure answers from an open store.

mod common;

use common::{PIPELINE, World, bodies, event, run};
use fourstroke::{
    code::{Lookup, Rule, Strokes},
    ports::Key,
    report::{Disposition, Joined},
    testkit::faults::{Fault, Faults, Op},
};
use serde_json::{Value, json};

const TOLD: &str = r#"
outcome: { in: state, when: .k == "told", of: .id, label: (.x || 0.0) > 0.5, within: 1h }
"#;

fn pipeline() -> String {
    let state = "stores:\n  state: \"memory:\"";
    // The event that tells has its own id, and names the one that was decided.
    let ids = PIPELINE.replace("  id: .id\n", "  id: \"%id\"\n").replace("stores:", state);
    format!("{ids}{TOLD}")
}

fn decided(id: &str, at: &str) -> fourstroke::event::Decoded {
    event(id, json!({ "id": id, "x": 0.9, "at": at }))
}

fn told(id: &str, of: &str, at: &str) -> fourstroke::event::Decoded {
    event(id, json!({ "id": of, "k": "told", "x": 0.9, "at": at }))
}

fn outcomes(world: &World) -> Vec<Value> {
    bodies(&world.log).into_iter().filter(|entry| entry.get("outcome_of").is_some()).collect()
}

#[tokio::test]
async fn an_outcome_finds_the_decision_of_another_process() {
    let world = World::default();
    let (one, other) = (world.open(&pipeline()).await.unwrap(), world.open(&pipeline()).await.unwrap());
    run(&one, vec![decided("a", "2026-01-01T12:00:00Z"), decided("b", "2026-01-01T12:00:00Z")]).await;
    let report = run(
        &other,
        vec![
            told("t1", "a", "2026-01-01T12:30:00Z"),
            told("t2", "b", "2026-01-01T13:30:00Z"),
            told("t3", "nobody", "2026-01-01T12:30:00Z"),
        ],
    )
    .await;
    let joined: Vec<Joined> =
        report.decisions.iter().map(|decision| decision.outcome.as_ref().unwrap().joined).collect();
    assert_eq!(joined, [Joined::Found { delay_ms: 1_800_000 }, Joined::Late, Joined::Unknown]);
    let entries = outcomes(&world);
    assert_eq!(entries.len(), 1, "what is late or unknown is counted, and not written: {entries:?}");
    assert_eq!(entries[0]["outcome_of"], fourstroke::identity::decision_id("small", "a"));
    assert_eq!((&entries[0]["label"], &entries[0]["delay_ms"]), (&json!(true), &json!(1_800_000)));
    assert_eq!(entries[0]["event_id"], "t1");
    assert_eq!(report.log_written, 4, "an entry for each event, and the outcome's");
}

#[tokio::test]
async fn an_outcome_in_the_same_batch_is_joined_and_a_batch_asks_once() {
    let calls = Faults::none();
    let world = World::default().with("stores.state", calls.clone());
    let small = world.open(&pipeline()).await.unwrap();
    let mut events: Vec<_> = (0..100).map(|nth| decided(&format!("e{nth}"), "2026-01-01T12:00:00Z")).collect();
    events.extend((0..100).map(|nth| told(&format!("t{nth}"), &format!("e{nth}"), "2026-01-01T12:00:01Z")));
    events.push(told("x", "nobody", "2026-01-01T12:00:01Z"));
    let report = run(&small, events).await;
    assert_eq!(report.count(Disposition::Retry), 0);
    assert_eq!(outcomes(&world).len(), 100);
    assert_eq!((calls.counts(Op::Put).calls, calls.counts(Op::Get).calls), (1, 1));
}

#[tokio::test]
async fn a_decision_that_cannot_be_noted_has_acted_all_the_same_and_an_outcome_comes_again() {
    let world = World::default().with("stores.state", Faults::plan(|_| Some(Fault::Before)));
    let small = world.open(&pipeline()).await.unwrap();
    let soon = || fourstroke::clock::Deadline::after(std::time::Duration::from_millis(100));
    let report = small.run(vec![decided("a", "2026-01-01T12:00:00Z")], soon()).await;
    assert_eq!((report.count(Disposition::Acted), report.unkept.0), (1, 1));
    assert!(report.unkept.1.is_some_and(|why| why.contains("a note for an outcome")));
    let passes = event("t", json!({ "id": "a", "k": "told", "x": null, "at": "2026-01-01T12:00:00Z" }));
    let report = small.run(vec![passes], soon()).await;
    assert_eq!(report.decisions[0].error.as_ref().unwrap().code.as_str(), "FS-A011");
}

#[tokio::test]
async fn without_a_store_outcomes_are_written_unchecked() {
    let world = World::default();
    let small = world.open(&pipeline().replace("in: state, when: .k", "when: .k")).await.unwrap();
    run(&small, vec![told("t1", "a", "2026-01-01T12:30:00Z")]).await;
    assert_eq!(outcomes(&world)[0]["delay_ms"], Value::Null);
}

#[tokio::test]
async fn a_closure_answers_a_lookup_from_the_open_store() {
    let world = World::default();
    world.row("a", 3.0).await;
    let seen = Lookup::computed("seen", "table", [".id"], "weights: float, asked: integer", |store, keys| async move {
        let asked = keys.len() as i64;
        let rows = store.get(&keys.iter().map(|key| Key::new(&key.partition, "")).collect::<Vec<_>>()).await;
        let answer = |row: Option<fourstroke::ports::Item>| {
            let weight = row?.value.as_object()?.get("weight")?.as_float()?.into_inner();
            Some(fourstroke::code::object([
                ("weights", fourstroke::code::float(weight * 2.0)),
                ("asked", asked.into()),
            ]))
        };
        rows.into_iter().map(|row| row.map(answer)).collect()
    });
    let strokes = Strokes::named("own", "1")
        .fields("id: string")
        .identity(".id", ".id")
        .store("table", "memory:", &["id"], "weight: float")
        .sink("out", "memory:")
        .sink("dead", "memory:")
        .enrich(seen.default([("weights", fourstroke::code::float(0.0)), ("asked", 0.into())]))
        .rule(Rule::new("go", "out").data(".seen"))
        .dead_letters("dead");
    let (_, own) = strokes.open(&world).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&own, vec![event("1", json!({ "id": "a" })), event("2", json!({ "id": "b" }))]).await;
    assert_eq!(report.count(Disposition::Acted), 2, "{:?}", report.decisions[0].error);
    assert_eq!(bodies(&world.out), [json!({ "weights": 6.0, "asked": 2 }), json!({ "weights": 0.0, "asked": 0 })]);
    let store = own.store("table").expect("the store is open");
    assert!(store.get(&[Key::new("a", "")]).await[0].as_ref().unwrap().is_some());
}
