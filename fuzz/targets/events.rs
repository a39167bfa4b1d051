//! Any bytes as an event, between two good ones, in each format: the good ones act, every byte is accounted for.

#![no_main]

#[path = "../../shared/pipeline/tests/common/accounts.rs"]
mod accounts;
#[path = "../../shared/pipeline/tests/common/mod.rs"]
mod common;

use std::cell::RefCell;

use accounts::{before, settled};
use common::{World, run};
use fourstroke::{event::Event, pipeline::Pipeline, report::Disposition};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

/// The corpus's pipelines, each with an event that acts. The first byte of an input chooses.
const PIPELINES: [(&str, &str); 6] = [
    (include_str!("../../shared/pipeline/tests/corpus/json.yaml"), r#"{"id":"good","x":0.75}"#),
    (include_str!("../../shared/pipeline/tests/corpus/jsonl.yaml"), r#"{"id":"good"}"#),
    (include_str!("../../shared/pipeline/tests/corpus/csv.yaml"), "good,1,0.5\n"),
    (
        include_str!("../../shared/pipeline/tests/corpus/cloudevents.yaml"),
        r#"{"specversion":"1.0","id":"good","source":"s","type":"t"}"#,
    ),
    (include_str!("../../shared/pipeline/tests/corpus/strokes.yaml"), r#"{"id":"good"}"#),
    (include_str!("../../shared/pipeline/tests/corpus/avro.yaml"), "\u{8}good\0\0"),
];

struct Opened {
    runtime: Runtime,
    pipelines: Vec<Pipeline>,
    world: World,
}

thread_local! {
    static OPENED: RefCell<Opened> = RefCell::new(open());
}

fn open() -> Opened {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let world = World::default();
    let open = |yaml| runtime.block_on(world.open(yaml)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let pipelines = PIPELINES.iter().map(|(yaml, _)| open(yaml)).collect();
    Opened { runtime, pipelines, world }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let which = usize::from(*first) % PIPELINES.len();
    OPENED.with_borrow_mut(|opened| {
        let good = || Event::new("good", PIPELINES[which].1).in_group("g").into();
        let bad = Event::new("bad", body.to_vec()).in_group("g").into();
        let seen = before(&opened.world);
        let report = opened.runtime.block_on(run(&opened.pipelines[which], vec![good(), bad, good()]));
        settled(&opened.world, &seen, &report);
        let ended = report.dispositions();
        assert!(ended[0] == Disposition::Acted && ended[2] == Disposition::Acted, "its neighbours act");
        assert!(ended[1] <= Disposition::DeadLettered, "nothing is down, so nothing is asked for again");
        // What the sinks took is not needed any more.
        if opened.world.out.taken().len() > 200 {
            *opened = open();
        }
    });
});
