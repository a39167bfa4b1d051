//! Any text as a pipeline file: it is a pipeline, or mistakes with places in the text.

#![no_main]

#[path = "../../shared/pipeline/tests/common/mod.rs"]
mod common;

use std::{cell::RefCell, path::Path};

use common::World;
use fourstroke::{
    config::{Environment, PipelineFile},
    pipeline::Builder,
};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let opened = RUNTIME.with_borrow(|runtime| {
        runtime.block_on(async {
            let file = PipelineFile::parse(Path::new("pipeline.yaml"), text, &Environment::default())?;
            Builder::new(file).open(&World::default()).await
        })
    });
    let Err(mistakes) = opened else { return };
    assert!(!mistakes.list.is_empty(), "a file is refused for a reason");
    for mistake in &mistakes.list {
        let span = mistake.span.clone();
        assert!(text.get(span.clone()).is_some(), "{span:?} is a place in the file: {}", mistake.message);
        assert!(!mistake.message.is_empty());
    }
    assert!(mistakes.render(true).contains("mistake"));
});
