//! `tests`: examples that live beside the pipeline.

use chrono::DateTime;

use super::{
    Expectation, Mistake, TestConfig,
    cursor::{Cursor, Section},
    strokes::values,
    yaml::{Data, Node},
};
use crate::{error::Code, report::Disposition};

pub(super) const TEST: &[&str] = &["name", "now", "event", "given", "predict", "expect"];
pub(super) const EXPECT: &[&str] = &["actions", "data", "disposition", "code", "record"];

pub(super) fn tests(top: &Section<'_>) -> Vec<TestConfig> {
    let Some(node) = top.get("tests") else { return Vec::new() };
    let cursor = top.cursor();
    cursor.items(node, "tests").into_iter().filter_map(|(node, at)| test(cursor, node, &at)).collect()
}

fn test(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<TestConfig> {
    let section = cursor.section(node, at, TEST)?;
    let name = section.require("name", "what the test shows").and_then(|_| section.name("name"));
    let event = section.require("event", "the event's fields, or its body as text");
    let expect = section.require("expect", "what must come out, such as `actions: []`");
    let expect = expect.and_then(|node| expectation(cursor, node, &section.place("expect")));
    let now = section.get("now").and_then(|node| {
        let time = node.scalar().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        if time.is_none() {
            let message = format!("`{}` must be a moment, such as 2013-11-02T17:00:00Z", section.place("now"));
            cursor.note(Mistake::new(node.span.clone(), message));
        }
        time.map(|time| time.to_utc())
    });
    Some(TestConfig {
        name: name?,
        now,
        event: match &event?.data {
            Data::Scalar { text, .. } => text.clone(),
            _ => serde_json::to_string(&event?.value()).ok()?,
        },
        given: values(cursor, section.get("given"), &section.place("given")),
        predict: values(cursor, section.get("predict"), &section.place("predict")),
        expect: expect?,
    })
}

fn expectation(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Expectation> {
    let section = cursor.section(node, at, EXPECT)?;
    let actions = section.get("actions").map(|node| {
        let items = cursor.items(node, &section.place("actions"));
        items.into_iter().filter_map(|(node, at)| cursor.text(node, &at)).collect()
    });
    let dispositions = Disposition::ALL.map(|disposition| (disposition.as_str(), disposition));
    let codes: Vec<(&str, Code)> = Code::ALL.iter().map(|(code, _)| (code.as_str(), *code)).collect();
    Some(Expectation {
        actions,
        data: section.get("data").map(Node::value),
        disposition: section
            .get("disposition")
            .and_then(|node| cursor.word(node, &section.place("disposition"), &dispositions)),
        code: section.get("code").and_then(|node| cursor.word(node, &section.place("code"), &codes)),
        record: section.get("record").map(Node::value),
    })
}
