//! Pipelines in Rust: what is noted in a file is noted in them too, and closures are held to the types they state.

mod common;

use common::{World, run};
use fourstroke::{
    code::{Infer, Lookup, Rule, Strokes, with},
    config::BodyFormat,
    pipeline::Pipeline,
    record::Record,
    report::Disposition,
};
use serde_json::json;

fn small() -> Strokes {
    Strokes::named("small", "1")
        .store("table", "memory:", &["id"], "weight: float?")
        .sink("out", "memory:")
        .sink("dead", "memory:")
        .fields("id: string, x: float?")
        .identity(".id", ".id")
        .dead_letters("dead")
}

async fn open(strokes: Strokes) -> Pipeline {
    strokes.open(&World::default()).await.unwrap_or_else(|mistakes| panic!("{mistakes}")).1
}

async fn refused(strokes: Strokes) -> String {
    strokes.open(&World::default()).await.map(|_| ()).expect_err("a mistake").to_string()
}

#[tokio::test]
async fn what_a_file_must_say_a_pipeline_in_rust_must_too() {
    let model = || Infer::new("m", "memory:m").positive("1").feature("x", ".x");
    for (strokes, mistake) in [
        (Strokes::named("small", "1").sink("out", "memory:"), "dead letters must go somewhere"),
        (Strokes::named("sm\"all", "1").sink("dead", "memory:").dead_letters("dead"), "cannot be a pipeline's name"),
        (small().dead_letters("deda"), "there is no sink `deda`"),
        (small().format(BodyFormat::Avro), "Avro needs a schema"),
        (small().stop_above(0.0, 1_000), "`on_error.stop_above` must be a share"),
        (small().stop_above(f64::NAN, 1_000), "`on_error.stop_above` must be a share"),
        (small().stop_above(20.0, 0), "`on_error.of_last` must be a whole number of events"),
        (small().stop_above(0.1, 10), "is less than one event"),
        (small().infer(model().missing(&["z"], 0.0)), "`infer.m` has no feature `z`"),
        (small().infer(model().categories("z", &["a"])), "`infer.m` has no feature `z`"),
        (small().rule(Rule::new("go", "out").needs(&["mm"])), "there is no model `mm`"),
    ] {
        let shown = refused(strokes).await;
        assert!(shown.contains(mistake), "{mistake:?} is not in\n{shown}");
    }
}

#[tokio::test]
async fn avro_comes_with_its_schema() {
    let schema = r#"{ "type": "record", "name": "order", "fields": [{ "name": "id", "type": "string" }] }"#;
    let world = World { files: [("file:orders.avsc", schema.to_owned())].into(), ..World::default() };
    let strokes = Strokes::named("small", "1").sink("dead", "memory:").dead_letters("dead").avro("file:orders.avsc");
    let (_, pipeline) = strokes.open(&world).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![fourstroke::event::Event::new("1", &b"\x02a"[..]).into()]).await;
    assert_eq!(report.decisions[0].record.text("id"), Ok("a"), "{:?}", report.decisions[0].error);
}

#[tokio::test]
async fn what_a_transform_leaves_must_be_what_it_says() {
    let leaves = |value: serde_json::Value| {
        small().transform("y: float, z: integer?", move |record: &mut Record| {
            record.insert("y", serde_json::from_value::<fourstroke::Value>(value.clone()).map_err(|e| e.to_string())?);
            Ok(())
        })
    };
    for (value, reason) in [
        (json!("high"), Some("the transform left `y` as \"high\", where float is declared")),
        (json!(null), Some("the transform left `y` as null, where float is declared")),
        (json!(1.5), None),
        (json!(2), None),
    ] {
        let pipeline = open(leaves(value.clone()).rule(Rule::new("go", "out").when(".y > 1.0"))).await;
        let report = run(&pipeline, vec![common::event("1", json!({ "id": "a" }))]).await;
        let decision = &report.decisions[0];
        match reason {
            Some(reason) => {
                let error = decision.error.as_ref().expect("poison");
                assert_eq!((error.code.as_str(), error.reason.as_str()), ("FS-T001", reason));
            }
            None => assert_eq!(decision.disposition, Disposition::Acted, "{value}: {:?}", decision.error),
        }
    }
}

#[tokio::test]
async fn a_lookup_is_keyed_by_a_closure_too() {
    let world = World::default();
    world.row("A", 7.0).await;
    let upper = with(|record| Ok(record.text("id")?.to_uppercase()));
    let strokes =
        small().enrich(Lookup::new("row", "table", [upper])).rule(Rule::new("go", "out").when(".row.weight == 7.0"));
    let (_, pipeline) = strokes.open(&world).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let report = run(&pipeline, vec![common::event("1", json!({ "id": "a" }))]).await;
    assert_eq!(report.dispositions(), [Disposition::Acted], "{:?}", report.decisions[0].error);
}
