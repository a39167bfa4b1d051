//! What the format has and this version does not: read as it will be, so that it is right when it comes, then refused.

use super::{
    Mistake,
    cursor::{Cursor, Section},
    yaml::{Data, Node},
};

pub(super) const WINDOW: &[&str] = &["in", "by", "when", "value", "over", "give", "late"];
pub(super) const LIMIT: &[&str] = &["in", "by", "at_most", "per"];

const GIVE: [(&str, ()); 7] =
    [("count", ()), ("sum", ()), ("mean", ()), ("min", ()), ("max", ()), ("last", ()), ("distinct", ())];

fn refuse(cursor: &Cursor<'_>, node: &Node, at: &str) {
    cursor.note(Mistake::new(node.span.clone(), format!("`{at}` is not in this version yet")));
}

/// `once: STORE`
pub(super) fn once(cursor: &Cursor<'_>, node: &Node, at: &str) {
    cursor.text(node, at);
    refuse(cursor, node, at);
}

/// `limit`: one, or a list.
pub(super) fn limits<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) {
    match node.data {
        Data::Sequence(_) => cursor.items(node, at).into_iter().for_each(|(node, at)| limit(cursor, node, &at)),
        _ => limit(cursor, node, at),
    }
    refuse(cursor, node, at);
}

fn limit<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) {
    let Some(section) = cursor.section(node, at, LIMIT) else { return };
    section.require("in", "the store that counts").and_then(|_| section.name("in"));
    section.require("at_most", "how often").and_then(|_| section.expr("at_most"));
    section.require("per", "in what time").and_then(|_| section.duration("per"));
    by(&section);
}

/// `window`
pub(super) fn window<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) {
    if let Some(section) = cursor.section(node, at, WINDOW) {
        section.require("in", "the store that counts").and_then(|_| section.name("in"));
        by(&section);
        section.expr("when");
        section.expr("value");
        section.duration("late");
        if let Some(node) = section.require("over", "how far back, such as [1h, 3h]") {
            for (node, at) in cursor.items(node, &section.place("over")) {
                cursor.duration(node, &at);
            }
        }
        if let Some(node) = section.require("give", "what to compute, such as [count, mean]") {
            for (node, at) in cursor.items(node, &section.place("give")) {
                cursor.word(node, &at, &GIVE);
            }
        }
    }
    refuse(cursor, node, at);
}

fn by(section: &Section<'_>) {
    if let Some(node) = section.require("by", "one expression per key part: `by: [.field]`") {
        for (node, at) in section.cursor().items(node, &section.place("by")) {
            section.cursor().expr(node, &at);
        }
    }
}
