//! The picture of an event for people: a heading per stroke, names and values beneath each other.

use fourstroke_runtime::micros;
use serde_json::Value;

use super::{
    page::{Page, Tone, shortened, value},
    picture::{Asked, Failure, LookedUp, Picture, Read, Sending, Tested, Turned, Weighed},
};

/// A body may be long, and is shown once.
const BODY: usize = 400;
/// What is sent is shown as it is, unless it is huge.
const SENT: usize = 4_000;

/// How pictures are shown.
#[derive(Clone, Copy)]
pub struct Manner {
    pub colours: bool,
    /// Nothing was sent: it is said what would be.
    pub would: bool,
}

/// Writes pictures one after the other.
pub fn text(pictures: &[Picture], manner: Manner) -> String {
    let mut page = Page::new(manner.colours);
    for (place, picture) in pictures.iter().enumerate() {
        let of = if pictures.len() > 1 { format!(" ({} of {})", place + 1, pictures.len()) } else { String::new() };
        event(&mut page, picture, &of);
        transform(&mut page, picture);
        enrich(&mut page, picture);
        infer(&mut page, picture);
        act(&mut page, picture, manner);
        end(&mut page, picture, manner);
    }
    page.text
}

fn event(page: &mut Page, picture: &Picture, of: &str) {
    let event = &picture.event;
    page.head("EVENT", &format!("{}{of}", event.id));
    let version = picture.version.get(..12).unwrap_or(&picture.version);
    let mut facts = vec![
        ("decision", picture.decision_id.clone()),
        ("pipeline", format!("{}, version {version}", picture.pipeline)),
        ("decided", decided(picture)),
        ("key", event.key.clone().unwrap_or_else(|| "none".to_owned())),
        ("time", event.time.clone().unwrap_or_else(|| "none".to_owned())),
    ];
    facts.extend(event.size.map(|size| ("size", format!("{size} bytes"))));
    facts.extend(event.body.as_ref().map(|body| ("body", shortened(body.trim_end(), BODY))));
    page.pairs(2, facts);
}

/// When it was decided: of a delivery whose actions were chosen for an earlier one, both moments.
fn decided(picture: &Picture) -> String {
    match &picture.replay {
        None => picture.decided_at.clone(),
        Some(earlier) => {
            let version = earlier.version.get(..12).unwrap_or(&earlier.version);
            format!("{}; its actions {}, by version {version}", picture.decided_at, earlier.decided_at)
        }
    }
}

fn transform(page: &mut Page, picture: &Picture) {
    let told = &picture.transform;
    let skipped = told.decoded.is_none() && told.kept.is_none();
    page.head("TRANSFORM", &if skipped { "not reached".to_owned() } else { micros(picture.us.transform) });
    if let Some(decoded) = &told.decoded {
        page.item("decoded", "", Tone::Plain);
        page.pairs(4, decoded.0.iter().map(|(name, of)| (name, value(of))));
    }
    if let Some(added) = told.added.as_ref().filter(|added| !added.0.is_empty()) {
        page.item("added", "", Tone::Plain);
        page.pairs(4, added.0.iter().map(|(name, of)| (name, value(of))));
    }
    if let Some(changed) = told.changed.as_ref().filter(|changed| !changed.is_empty()) {
        page.item("changed", "", Tone::Plain);
        page.pairs(4, changed.iter().map(|one| (&one.name, format!("{} → {}", value(&one.from), value(&one.to)))));
    }
    if let Some(removed) = told.removed.as_ref().filter(|removed| !removed.is_empty()) {
        page.item("removed", &removed.join(", "), Tone::Plain);
    }
    if let Some(kept) = &told.kept {
        page.item("kept in the log", if fields(kept).is_empty() { "nothing" } else { "" }, Tone::Plain);
        page.pairs(4, fields(kept));
    }
}

fn enrich(page: &mut Page, picture: &Picture) {
    if picture.enrich.is_empty() {
        return;
    }
    page.head("ENRICH", &micros(picture.us.enrich));
    for lookup in &picture.enrich {
        let (said, tone) = looked_up(lookup);
        page.item(&lookup.name, &said, tone);
        page.pairs(4, reads(lookup.key.as_deref().unwrap_or_default(), "key "));
        page.pairs(4, fields(&lookup.value));
    }
}

fn looked_up(lookup: &LookedUp) -> (String, Tone) {
    let from = lookup.from.as_ref().map(|from| format!(" in {from}")).unwrap_or_default();
    let no_key = lookup.key.iter().flatten().any(|part| part.value.is_null());
    let nothing = if no_key { "not asked, a part of the key is null".to_owned() } else { format!("nothing{from}") };
    let age = lookup.age_ms.map(|age| format!(", {age} ms old")).unwrap_or_default();
    let cache = lookup.cache_ms.map(|ms| format!("; cached for up to {}", duration(ms))).unwrap_or_default();
    match lookup.state {
        "found" => (format!("found{from}{age}{cache}"), Tone::Good),
        "default" => (format!("{nothing}; the default stands in"), Tone::Odd),
        "null" => (format!("{nothing}; null stands in"), Tone::Odd),
        "empty" => (format!("{nothing}; an empty window"), Tone::Plain),
        "failed" => ("failed".to_owned(), Tone::Bad),
        _ => ("not reached".to_owned(), Tone::Dim),
    }
}

fn infer(page: &mut Page, picture: &Picture) {
    if picture.infer.is_empty() {
        return;
    }
    page.head("INFER", &micros(picture.us.infer));
    for model in &picture.infer {
        let (said, tone) = asked(model);
        page.item(&model.name, said, tone);
        if let Some(when) = &model.when {
            condition(page, when);
        }
        page.pairs(4, model.features.0.iter().map(|(name, of)| (format!("in  {name}"), value(of))));
        let said = fields(&model.prediction);
        page.pairs(4, said.into_iter().map(|(name, of)| (format!("out {name}"), of)));
    }
}

fn asked(model: &Asked) -> (&'static str, Tone) {
    match model.state {
        "ran" => ("ran", Tone::Good),
        "skipped" => ("did not run: its `when` is false", Tone::Dim),
        "failed" => ("failed", Tone::Bad),
        _ => ("not reached", Tone::Dim),
    }
}

fn act(page: &mut Page, picture: &Picture, manner: Manner) {
    let act = &picture.act;
    let how = act.matches.map(|how| format!(", match: {how}")).unwrap_or_default();
    page.head("ACT", &format!("{}{how}", micros(picture.us.act)));
    let failed = picture.error.is_some();
    for rule in &act.rules {
        let (said, tone) = weighed(rule, failed);
        page.item(&rule.name, &said, tone);
        if let Some(when) = &rule.when {
            condition(page, when);
        }
    }
    if act.rules.is_empty() {
        page.item("no rule matched", "", Tone::Dim);
    }
    for action in &act.actions {
        sending(page, action, manner);
    }
    if let Some(told) = &picture.outcome {
        page.item("outcome", &format!("{} for decision {}", told.label, told.decision_id), Tone::Plain);
    }
    for turned in picture.outcomes.iter().flatten() {
        page.item("turned out", &turned_out(turned), Tone::Plain);
    }
}

fn turned_out(turned: &Turned) -> String {
    let delay = turned.delay_ms.map(|ms| format!(" {} later", span(ms))).unwrap_or_default();
    let time = turned.event_time.as_ref().map(|time| format!(" at {time}")).unwrap_or_default();
    format!("{}{delay}, told by {}{time}", turned.label, turned.event_id)
}

fn weighed(rule: &Weighed, failed: bool) -> (String, Tone) {
    match rule.state {
        "chosen" => ("chosen".to_owned(), Tone::Good),
        "held-back" => ("matched, but a limit held it back".to_owned(), Tone::Odd),
        "candidate" if failed => ("matched, but the event failed".to_owned(), Tone::Odd),
        "candidate" => ("matched, but an earlier rule was first".to_owned(), Tone::Odd),
        "no-match" => ("did not match".to_owned(), Tone::Dim),
        "no-prediction" => (format!("left out: it reads {}, which did not run", rule.lacks.join(", ")), Tone::Dim),
        "failed" => ("failed".to_owned(), Tone::Bad),
        _ => ("not reached".to_owned(), Tone::Dim),
    }
}

/// Shows a condition, what it came to, and the values it read.
fn condition(page: &mut Page, when: &Tested) {
    let came_to = when.value.map_or_else(|| "ended with an error".to_owned(), |came_to| format!("is {came_to}"));
    page.pairs(4, [("when", format!("{}  {came_to}", one_line(&when.text)))]);
    page.pairs(6, reads(&when.reads, ""));
}

fn sending(page: &mut Page, action: &Sending, manner: Manner) {
    let place = action.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let (verb, tone) = match action.taken {
        _ if action.earlier => ("done for an earlier delivery", Tone::Dim),
        Some(false) => ("not taken", Tone::Bad),
        _ if manner.would => ("would be sent", Tone::Good),
        _ => ("", Tone::Good),
    };
    page.item(&format!("{} → {}{place}", action.name, action.to), verb, tone);
    let mut parts = vec![
        ("key".to_owned(), action.key.clone().unwrap_or_else(|| "none".to_owned())),
        ("idempotency key".to_owned(), action.idempotency_key.clone()),
    ];
    parts.extend(fields(&action.data).into_iter().map(|(name, of)| (format!("data {name}"), of)));
    parts.extend(action.content_type.map(|kind| ("type".to_owned(), kind.to_owned())));
    parts.extend(action.body.as_ref().map(|body| ("body".to_owned(), shortened(body, SENT))));
    page.pairs(4, parts);
}

fn end(page: &mut Page, picture: &Picture, manner: Manner) {
    let (ended, tone) = match picture.disposition.as_str() {
        "acted" if manner.would => ("acted: its actions would be sent", Tone::Good),
        "passed" => ("passed: nothing is to be done", Tone::Good),
        "skipped" => ("skipped: it was done for an earlier delivery", Tone::Good),
        "dead-lettered" if manner.would => ("dead-lettered: it can never succeed", Tone::Bad),
        "retry" => ("retry: it would be asked for again", Tone::Odd),
        "dead-lettered" => ("dead-lettered", Tone::Bad),
        other => (other, Tone::Good),
    };
    page.end(ended, tone);
    if let Some(error) = &picture.error {
        page.pairs(2, error_lines(error));
    }
}

fn error_lines(error: &Failure) -> Vec<(&'static str, String)> {
    let at = error.stage.map(|stage| format!(" in {stage}")).unwrap_or_default();
    let kind = error.kind.map(|kind| format!(", {kind}")).unwrap_or_default();
    let reason = error.reason.clone().unwrap_or_else(|| "not in the decision log; the dead letter has it".to_owned());
    let mut lines = vec![("error", format!("{}{at}{kind}", error.code)), ("reason", reason)];
    lines.extend(error.meaning.map(|meaning| ("meaning", meaning.to_owned())));
    lines.extend(error.what_to_do.map(|what_to_do| ("what to do", what_to_do.to_owned())));
    lines
}

/// Writes a duration as the pipeline file does.
fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match UNITS.into_iter().find(|(unit, _)| ms > 0 && ms.is_multiple_of(*unit)) {
        Some((unit, letter)) => format!("{}{letter}", ms / unit),
        None => format!("{ms}ms"),
    }
}

/// Writes how long something took, in its greatest unit; what came before what it is told of is negative.
fn span(ms: i64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    match UNITS.into_iter().find(|(unit, _)| ms >= *unit) {
        Some((unit, name)) => format!("{sign}{:.1} {name}", ms as f64 / unit as f64),
        None => format!("{sign}{ms} ms"),
    }
}

/// The fields of an object, each with its value; anything else but null as it is.
fn fields(of: &Value) -> Vec<(String, String)> {
    match of {
        Value::Null => Vec::new(),
        Value::Object(fields) => fields.iter().map(|(name, of)| (name.clone(), value(of))).collect(),
        other => vec![("value".to_owned(), value(other))],
    }
}

fn reads(reads: &[Read], what: &str) -> Vec<(String, String)> {
    reads.iter().map(|read| (format!("{what}{}", one_line(&read.text)), value(&read.value))).collect()
}

/// Puts an expression on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
