//! What README.md shows is true: its pipeline compiles, its test passes, its mistake looks so.

mod common;

use common::{World, signature};
use fourstroke::{
    clock::Deadline,
    config::{Environment, PipelineFile},
    event::Event,
    pipeline::Stubs,
};

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).expect("README.md is there")
}

/// The fenced block of that language that holds a text.
fn block(text: &str, language: &str, holding: &str) -> String {
    text.split("```")
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .find(|block| block.contains(holding))
        .unwrap_or_else(|| panic!("README.md has a {language} block with {holding}"))
        .to_owned()
}

#[tokio::test]
async fn its_pipeline_compiles_and_its_test_passes() {
    let yaml = block(&readme(), "yaml", "card-fraud");
    let world = World { signature: signature(3), ..World::default() };
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let file = PipelineFile::parse("pipeline.yaml".as_ref(), &yaml, &Environment::default()).unwrap();
    for test in file.tests {
        let named = |list: Vec<(fourstroke::config::Name, fourstroke::Value)>| {
            list.into_iter().map(|(name, value)| (name.text, value)).collect()
        };
        let stubs = Stubs { given: named(test.given), predict: named(test.predict), now: test.now };
        let event = Event::new("test", test.event);
        let report = pipeline.run_with([event.into()], Deadline::after(std::time::Duration::from_secs(5)), stubs).await;
        let actions: Vec<String> = report.decisions[0].actions.iter().map(|action| action.name.to_string()).collect();
        assert_eq!(Some(actions), test.expect.actions, "{:?}", report.decisions[0].error);
    }
}

#[tokio::test]
async fn its_mistake_looks_so() {
    let text = readme();
    let yaml = block(&text, "yaml", "card-fraud").replace(".fraud.probability >=", ".fraud.probabilty >=");
    let world = World { signature: signature(3), ..World::default() };
    let shown = world.open(&yaml).await.expect_err("a mistake").to_string();
    let promised = block(&text, "text", "nothing gives");
    assert!(shown.starts_with(promised.trim_end()), "{shown}");
}

#[tokio::test]
async fn its_pipeline_in_rust_opens() {
    use fourstroke::code::{Infer, Lookup, Rule, Strokes, float, with};
    let shown = block(&readme(), "rust", "Strokes::named");
    assert!(shown.contains(include_str!("common/readme_strokes.rs").trim_end()), "README.md shows other strokes");
    assert!(shown.starts_with("use fourstroke::code::{Infer, Lookup, Rule, Strokes, float, with};\n"), "{shown}");
    let strokes = include!("common/readme_strokes.rs");
    let world = World { signature: signature(2), ..World::default() };
    strokes.open(&world).await.map(|_| ()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
}
