//! The border to tract.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tract_onnx::prelude::TractResult;

/// How much of tract's own words is worth repeating: its errors can hold whole nodes.
const REASON_CHARS: usize = 400;

/// Calls tract and puts what went wrong in one line.
///
/// tract indexes and unwraps on what a model declares (an output that no node gives, a raw tensor of strings), so a
/// hostile or broken model may make it panic. Models come from outside: that must refuse the model or the row, and not
/// take a process with many other events down. Whatever the panic left half done is dropped with the failed call; a
/// warm plan is immutable. It asks for unwinding panics, the default of every profile.
pub(crate) fn guarded<T>(call: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(one_line(&format!("{error:#}"))),
        Err(panic) => Err(one_line(panic_text(&*panic))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else {
        "tract panicked"
    }
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
