//! The file's sections, but for the strokes and the tests.

use std::{cell::RefCell, path::Path, sync::Arc, time::Duration};

use super::{
    BodyFormat, Environment, EventConfig, LogConfig, Mistake, Mistakes, Name, OutcomeConfig, PipelineFile, SloConfig,
    cursor::Cursor,
    mistake::did_you_mean,
    on_error::on_error,
    references,
    resolve::read_bounded,
    resources::{Use, resource, resources},
    strokes, tests_section,
    yaml::{self, Data, Node},
};
use crate::types::{Base, FieldType, Fields};

pub(super) const TOP: &[&str] = &[
    "fourstroke",
    "name",
    "sources",
    "stores",
    "sinks",
    "event",
    "transform",
    "enrich",
    "infer",
    "act",
    "outcome",
    "log",
    "on_error",
    "slo",
    "tests",
];
pub(super) const EVENT: &[&str] = &["format", "schema", "id", "key", "time", "fields"];
pub(super) const OUTCOME: &[&str] = &["in", "when", "of", "label", "within"];
pub(super) const LOG: &[&str] = &["to", "keep"];
pub(super) const SLO: &[&str] = &["decide", "event_age"];

const DAY: Duration = Duration::from_secs(24 * 3600);

impl PipelineFile {
    /// Reads a pipeline file from disk.
    ///
    /// # Errors
    /// As [`PipelineFile::parse`]; without a place if the file cannot be read.
    pub fn read(path: &Path, environment: &Environment) -> Result<PipelineFile, Mistakes> {
        match read_bounded(path, yaml::MAX_BYTES as u64) {
            Ok(text) => PipelineFile::parse(path, &text, environment),
            Err(error) => {
                let mistake = Mistake::new(0..0, format!("cannot read the pipeline file: {error}"));
                Err(Mistakes::new(path.to_owned(), "".into(), vec![mistake]))
            }
        }
    }

    /// Reads a pipeline file's text. Relative paths in it start from `path`'s directory.
    ///
    /// A mistake that leaves the rest readable is kept: [`Builder::open`](crate::pipeline::Builder::open) reports it
    /// together with those it finds itself, so that all are seen at once.
    ///
    /// # Errors
    /// What makes the file unreadable as a whole, with its place.
    pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<PipelineFile, Mistakes> {
        let text: Arc<str> = text.into();
        let fail = |list| Err(Mistakes::new(path.to_owned(), text.clone(), list));
        let root = match yaml::read(&text) {
            Ok(root) => root,
            Err(mistake) => return fail(vec![mistake]),
        };
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let cursor = Cursor {
            text: &text,
            base,
            environment,
            mistakes: RefCell::default(),
            broken: RefCell::default(),
            references: RefCell::default(),
        };
        let file = top(&cursor, &root, path);
        let (mistakes, broken) = (cursor.mistakes.take(), cursor.broken.take());
        match file {
            Some(file) => Ok(PipelineFile { mistakes, broken, references: cursor.references.take(), ..file }),
            None => fail(mistakes),
        }
    }
}

fn top(cursor: &Cursor<'_>, root: &Node, path: &Path) -> Option<PipelineFile> {
    let section = cursor.section(root, "", TOP)?;
    if let Some(node) = section.require("fourstroke", "the first line is `fourstroke: v1`") {
        cursor.word(node, "fourstroke", &[("v1", ())]);
    }
    let name = section
        .require("name", "every pipeline has a name; decision ids are made of it")
        .and_then(|node| cursor.name(node, "name"))
        .inspect(|name| pipeline_name(cursor, name))
        .unwrap_or(Name { text: String::new(), span: 0..0 });
    let sources = resources(&section, "sources", Use::Source);
    let stores = resources(&section, "stores", Use::Store);
    let sinks = resources(&section, "sinks", Use::Sink);
    let (dead_letters, stop_above) = on_error(&section);
    let file = PipelineFile {
        path: path.to_owned(),
        text: cursor.text.clone(),
        revision: None,
        event: section.get("event").map(|node| event(cursor, node)).unwrap_or_default(),
        transform: section.expr("transform"),
        enrich: strokes::enrich(&section),
        infer: strokes::infer(&section),
        act: strokes::act(&section),
        outcome: section.get("outcome").and_then(|node| outcome(cursor, node)),
        log: section.get("log").and_then(|node| log(cursor, node)),
        slo: section.get("slo").map(|node| slo(cursor, node)).unwrap_or_default(),
        tests: tests_section::tests(&section),
        dead_letters,
        stop_above,
        name,
        sources,
        stores,
        sinks,
        references: Vec::new(),
        mistakes: Vec::new(),
        broken: Vec::new(),
    };
    let broken = cursor.broken.borrow().clone();
    references::check(&file, &broken, &|mistake| cursor.note(mistake));
    Some(file)
}

/// The name goes into ids and URLs.
fn pipeline_name(cursor: &Cursor<'_>, name: &Name) {
    if let Some(mistake) = unfit_name(name) {
        cursor.note(mistake);
    }
}

/// Says what is wrong with a pipeline's name, if anything.
pub(crate) fn unfit_name(name: &Name) -> Option<Mistake> {
    let fits = !name.text.is_empty() && name.text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let message = format!("`{}` cannot be a pipeline's name", name.text);
    (!fits).then(|| Mistake::new(name.span.clone(), message).help("use letters, digits, -, _ and ."))
}

pub(super) fn fields(cursor: &Cursor<'_>, node: &Node, at: &str) -> Fields {
    let mut fields = Fields::default();
    for (name, node, at) in cursor.entries(node, at) {
        let Some(text) = cursor.text(node, &at) else { continue };
        match FieldType::parse(&text) {
            Some(declared) => fields.0.push((name.text, declared)),
            None => {
                cursor.broken.borrow_mut().push(name.text);
                let known: Vec<&str> = Base::ALL.iter().map(|(_, name)| *name).collect();
                let help = did_you_mean(text.trim_end_matches('?'), known.iter().copied())
                    .unwrap_or_else(|| format!("types are {}, each with `?` if it may be null", known.join(", ")));
                cursor.note(Mistake::new(node.span.clone(), format!("`{text}` is not a type")).help(help));
            }
        }
    }
    fields
}

fn event(cursor: &Cursor<'_>, node: &Node) -> EventConfig {
    let Some(section) = cursor.section(node, "event", EVENT) else { return EventConfig::default() };
    let formats = [
        ("json", BodyFormat::Json),
        ("jsonl", BodyFormat::JsonLines),
        ("ndjson", BodyFormat::JsonLines),
        ("csv", BodyFormat::Csv),
        ("cloudevents", BodyFormat::CloudEvents),
        ("avro", BodyFormat::Avro),
    ];
    let read = section.get("format").map(|node| cursor.word(node, "event.format", &formats));
    let format = read.flatten().unwrap_or_default();
    let why = "records are read by their schema: `schema: file:events.avsc`";
    let schema = if format == BodyFormat::Avro { section.require("schema", why) } else { section.get("schema") };
    if let Some(node) = schema.filter(|_| format != BodyFormat::Avro && read != Some(None)) {
        cursor.note(Mistake::new(node.span.clone(), "`event.schema` means something with `format: avro` alone"));
    }
    let schema = schema.and_then(|node| resource(cursor, node, "event.schema", Use::Object));
    let fields = section.get("fields").map(|node| fields(cursor, node, "event.fields"));
    let field_spans = match (section.get("fields").map(|node| &node.data), &fields) {
        (Some(Data::Mapping(entries)), Some(fields)) => entries
            .iter()
            .filter(|(key, _)| key.scalar().is_some_and(|name| fields.get(name).is_some()))
            .map(|(key, _)| key.span.clone())
            .collect(),
        _ => Vec::new(),
    };
    EventConfig {
        format,
        schema,
        id: section.expr("id"),
        key: section.expr("key"),
        time: section.expr("time"),
        fields,
        field_spans,
    }
}

fn outcome(cursor: &Cursor<'_>, node: &Node) -> Option<OutcomeConfig> {
    let section = cursor.section(node, "outcome", OUTCOME)?;
    let required = |key: &str, why: &str| section.require(key, why).and_then(|_| section.expr(key));
    let when = required("when", "which events tell an outcome");
    let of = required("of", "the id of the event that was decided");
    let label = required("label", "what really happened: true or false");
    let within = section.duration("within").unwrap_or(DAY);
    let store = section.name("in");
    Some(OutcomeConfig { when: when?, of: of?, label: label?, within, store })
}

fn log(cursor: &Cursor<'_>, node: &Node) -> Option<LogConfig> {
    let section = cursor.section(node, "log", LOG)?;
    let to = section.require("to", "the sink decisions are logged to").and_then(|_| section.name("to"));
    let keep = section.get("keep").map(|node| cursor.items(node, "log.keep")).unwrap_or_default();
    Some(LogConfig { to: to?, keep: keep.into_iter().filter_map(|(node, at)| cursor.expr(node, &at)).collect() })
}

fn slo(cursor: &Cursor<'_>, node: &Node) -> SloConfig {
    let Some(section) = cursor.section(node, "slo", SLO) else { return SloConfig::default() };
    SloConfig { decide: section.duration("decide"), event_age: section.duration("event_age") }
}
