//! What is wrong with an expression, in words, at its place in the file.

use std::ops::Range;

use vrl::{
    diagnostic::{Diagnostic, DiagnosticList},
    path::{OwnedTargetPath, OwnedValuePath, PathPrefix},
    value::Kind,
};

use super::paths::{self, Found};
use crate::config::{Expr, Mistake, did_you_mean};

/// A mistake in an expression. It is excused where the names it is about are known to be wrong already.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub mistake: Mistake,
    /// The names it is about; none: all that the expression reads.
    pub about: Option<Vec<String>>,
}

impl Wrong {
    /// Makes a mistake about everything the expression reads.
    pub fn of(mistake: Mistake) -> Wrong {
        Wrong { mistake, about: None }
    }
}

/// Notes every path that nothing gives: neither the strokes before, nor an assignment earlier in the text, nor, once that
/// is known, the record as the program leaves it.
pub(super) fn unknown_paths(expr: &Expr, record: &Kind, facts: &Kind, left: Option<&Kind>) -> Vec<Wrong> {
    let all = paths::find(&expr.text);
    let deletes = ["del(", "remove(", "remove!("].iter().any(|call| expr.text.contains(call));
    let mut unknown = Vec::new();
    for (place, found) in all.iter().enumerate().filter(|(_, found)| !found.assigned) {
        let root = if found.path.prefix == PathPrefix::Event { record } else { facts };
        let in_kind = |kind: &Kind| !kind.at_path(&found.path.path).is_undefined();
        let assigned = all[..place].iter().any(|earlier| earlier.assigned && related(&earlier.path, &found.path));
        // A field set for a while and then dropped or replaced is not in what the program leaves: when in doubt, accept.
        let times = all.iter().filter(|other| other.assigned && related(&other.path, &found.path)).count();
        let stays = times == 1 && !deletes;
        if in_kind(root) || (assigned && (!stays || left.is_none_or(in_kind))) {
            continue;
        }
        let root = if assigned { left.unwrap_or(root) } else { root };
        let segments = &found.path.path.segments;
        let known = (0..segments.len())
            .map(|length| OwnedValuePath { segments: segments[..length].to_vec() })
            .rfind(|path| !root.at_path(path).is_undefined())
            .unwrap_or_else(OwnedValuePath::root);
        let names: Vec<String> = match root.at_path(&known).as_object() {
            Some(object) => object.known().keys().map(ToString::to_string).collect(),
            None => Vec::new(),
        };
        let wrong = segments.get(known.segments.len()).map(ToString::to_string).unwrap_or_default();
        let near = did_you_mean(&wrong, names.iter().map(String::as_str));
        let help = near.unwrap_or_else(|| match names.as_slice() {
            [] => "there are no fields here".to_owned(),
            names => format!("there are: {}", names.join(", ")),
        });
        let message = format!("nothing gives `{}`", &expr.text[found.span.clone()]);
        let mistake = mistake(expr, found.span.clone(), message).help(help);
        unknown.push(Wrong { mistake, about: Some(segments.iter().map(ToString::to_string).collect()) });
    }
    unknown
}

/// Tells whether assigning one path gives something at the other: one leads to the other.
fn related(assigned: &OwnedTargetPath, read: &OwnedTargetPath) -> bool {
    let (assigned_to, read_from) = (&assigned.path.segments, &read.path.segments);
    let shorter = assigned_to.len().min(read_from.len());
    assigned.prefix == read.prefix && assigned_to[..shorter] == read_from[..shorter]
}

/// Says what VRL's compiler found, and which path may be null where that may be the cause.
pub(super) fn mistakes(expr: &Expr, record: &Kind, diagnostics: DiagnosticList) -> Vec<Wrong> {
    let nullable: Vec<(Range<usize>, String)> = paths::find(&expr.text)
        .into_iter()
        .filter_map(|found| Some((found.span.clone(), may_be_null(expr, record, &found)?)))
        .collect();
    let problems = diagnostics.into_iter().filter(|diagnostic| diagnostic.is_problem());
    problems
        .map(|diagnostic| {
            let primary = diagnostic.labels.iter().find(|label| label.primary).or(diagnostic.labels.first());
            let span = primary.map_or(0..expr.text.len(), |label| label.span.range());
            if let Some(reason) = refused_argument(&diagnostic) {
                return Wrong::of(mistake(expr, span, reason));
            }
            let mut message = diagnostic.message.clone();
            if let Some(label) = primary.filter(|label| !label.message.is_empty() && label.message != message) {
                message = format!("{message}: {}", label.message);
            }
            let others = diagnostic.labels.iter().filter(|label| !label.primary).map(|label| label.message.clone());
            let notes = diagnostic.notes.iter().map(ToString::to_string);
            let help: Vec<String> = others.chain(notes).filter(|text| !text.contains("http")).collect();
            let mut help = vec![help.join(" ")];
            if OF_TYPES.contains(&diagnostic.code) {
                let overlaps = |path: &Range<usize>| {
                    let mut spans = diagnostic.labels.iter().map(|label| label.span.range());
                    spans.any(|span| path.start < span.end && span.start < path.end)
                };
                help.extend(nullable.iter().find(|(path, _)| overlaps(path)).map(|(_, help)| help.clone()));
            }
            help.retain(|help| !help.is_empty());
            let mistake = mistake(expr, span, message);
            Wrong::of(if help.is_empty() { mistake } else { mistake.help(help.join("; ")) })
        })
        .collect()
}

/// VRL's codes of what goes away where nothing is null: something that may fail, or has the wrong type.
const OF_TYPES: [usize; 7] = [100, 102, 103, 110, 630, 631, 660];

/// Says in one sentence why a function refuses an argument written out, which VRL says in three parts.
fn refused_argument(diagnostic: &Diagnostic) -> Option<String> {
    let part = |start: &str| diagnostic.labels.iter().find_map(|label| label.message.strip_prefix(start));
    let (name, reason) = (part("invalid argument \"")?.strip_suffix('"')?, part("error: ")?);
    Some(format!("`{name}`: {reason}"))
}

/// Says how to write a path that may be null, unless the text sees to it.
fn may_be_null(expr: &Expr, record: &Kind, found: &Found) -> Option<String> {
    let kind = record.at_path(&found.path.path);
    let missing = kind.contains_null() || kind.contains_undefined();
    if sees_to_null(&expr.text[..found.span.start], &expr.text[found.span.end..])
        || found.assigned
        || found.path.prefix != PathPrefix::Event
        || !missing
        || !kind.contains_any_defined()
    {
        return None;
    }
    let stand_in = match () {
        () if kind.contains_float() => "0.0",
        () if kind.contains_integer() => "0",
        () if kind.contains_boolean() => "false",
        () if kind.contains_bytes() => "\"\"",
        () => return None,
    };
    let path = &expr.text[found.span.clone()];
    Some(format!("`{path}` may be null: write `({path} || {stand_in})`"))
}

/// Tells whether what stands before or behind a path is there for its null.
fn sees_to_null(before: &str, behind: &str) -> bool {
    let (before, behind) = (before.trim_end(), behind.trim_start());
    let compared = |text: &str| text.starts_with("==") || text.starts_with("!=");
    let with_null = |text: &str| text.trim_start_matches(['=', '!']).trim_start().starts_with("null");
    behind.starts_with("||")
        || behind.starts_with("??")
        || (compared(behind) && with_null(behind))
        || ["null ==", "null !="].iter().any(|start| before.ends_with(start))
        || ["is_null(", "is_nullish(", "exists(", "del("].iter().any(|call| before.ends_with(call))
}

/// Returns every name in the paths a text reads.
pub(crate) fn names_read(text: &str) -> Vec<String> {
    names(paths::find(text).into_iter().filter(|found| !found.assigned))
}

/// Returns every name in the paths a text assigns.
pub(crate) fn names_set(text: &str) -> Vec<String> {
    names(paths::find(text).into_iter().filter(|found| found.assigned))
}

fn names(found: impl Iterator<Item = paths::Found>) -> Vec<String> {
    found.flat_map(|found| found.path.path.segments).map(|segment| segment.to_string()).collect()
}

/// Makes a mistake at a place in an expression's text.
fn mistake(expr: &Expr, span: Range<usize>, message: String) -> Mistake {
    let at = |byte: usize| expr.offsets.get(byte).or(expr.offsets.last()).copied().unwrap_or_default();
    let end = match span.end.checked_sub(1) {
        Some(last) if span.end > span.start => at(last) + 1,
        _ => at(span.end),
    };
    Mistake::new(at(span.start)..end, message)
}

/// Makes a mistake about a whole expression.
pub(crate) fn mistake_in(expr: &Expr, message: String) -> Mistake {
    let trimmed = expr.text.trim();
    let start = expr.text.find(trimmed).unwrap_or(0);
    mistake(expr, start..start + trimmed.len(), message)
}
