//! How tests ended, for people.

use std::{fmt::Write, path::Path};

use serde_json::Value;

use crate::test::Tested;

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// Writes a line per test, the differences of those that failed, and the totals.
pub fn text(pipeline: &Path, tests: &[Tested], colours: bool) -> String {
    let paint = |colour: &str, word: &str| match colours {
        true => format!("{colour}{word}{PLAIN}"),
        false => word.to_owned(),
    };
    let mut text = String::new();
    for test in tests {
        let end = if test.ok { paint(GREEN, "ok    ") } else { paint(RED, "FAILED") };
        let _ = writeln!(text, "{end}  {}", test.name);
        if test.ok {
            continue;
        }
        let _ = writeln!(text, "        at {}:{}", pipeline.display(), test.line);
        for difference in &test.differences {
            let got = difference.got.as_ref().map_or("nothing".to_owned(), Value::to_string);
            let _ = writeln!(text, "        {}", difference.path);
            let _ = writeln!(text, "          {}", paint(GREEN, &format!("expected  {}", difference.expected)));
            let _ = writeln!(text, "          {}", paint(RED, &format!("got       {got}")));
        }
        if let Some(error) = &test.error {
            let _ = writeln!(text, "        the event failed: {error}");
        }
    }
    let failed = tests.iter().filter(|test| !test.ok).count();
    let _ = match (tests.len(), failed) {
        (0, _) => writeln!(text, "{} has no tests", pipeline.display()),
        (all, 0) => writeln!(text, "{all} tests, all ok"),
        (all, failed) => writeln!(text, "{all} tests, {failed} failed"),
    };
    text
}
