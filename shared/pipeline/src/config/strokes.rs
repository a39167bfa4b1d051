//! `enrich`, `infer` and `act`.

use std::time::Duration;

use vrl::value::Value;

use super::{
    ActConfig, CacheConfig, Categories, LookupConfig, Match, Missing, Mistake, ModelConfig, Name, Pin, RuleConfig,
    cursor::{Cursor, Section},
    resources::{Use, resource},
    state,
    yaml::{Data, Node},
};

pub(super) const LOOKUP: &[&str] = &["from", "key", "cache", "timeout", "missing", "default", "window"];
pub(super) const CACHE: &[&str] = &["ttl", "size"];
pub(super) const MODEL: &[&str] =
    &["model", "sha256", "external_data", "reload", "when", "positive", "features", "categories", "missing"];
pub(super) const ACT: &[&str] = &["match", "rules"];
pub(super) const RULE: &[&str] = &["name", "when", "to", "key", "once", "limit", "data"];

/// About a gigabyte of keys.
const MAX_CACHE_SIZE: usize = 10_000_000;

pub(super) fn enrich(top: &Section<'_>) -> Vec<LookupConfig> {
    let Some(node) = top.get("enrich") else { return Vec::new() };
    let cursor = top.cursor();
    cursor
        .entries(node, "enrich")
        .into_iter()
        .filter_map(|(name, node, at)| readable(cursor, name, node, &at, lookup))
        .collect()
}

/// Reads an entry; remembers the name of one that cannot be read.
fn readable<'a, T>(
    cursor: &'a Cursor<'a>,
    name: Name,
    node: &'a Node,
    at: &str,
    read: impl Fn(&'a Cursor<'a>, Name, &'a Node, &str) -> Option<T>,
) -> Option<T> {
    let text = name.text.clone();
    let entry = read(cursor, name, node, at);
    if entry.is_none() {
        cursor.broken.borrow_mut().push(text);
    }
    entry
}

fn lookup<'a>(cursor: &'a Cursor<'a>, name: Name, node: &'a Node, at: &str) -> Option<LookupConfig> {
    cursor.field_name(&name);
    let section = cursor.section(node, at, LOOKUP)?;
    if let Some(node) = section.get("window") {
        return window(cursor, name, node, &section);
    }
    let from = section.require("from", "the store to look in").and_then(|_| section.name("from"));
    let key = section.require("key", "one expression per key column: `key: [.field]`");
    let key = key.map(|node| match node.data {
        Data::Sequence(_) => cursor.items(node, &section.place("key")),
        _ => vec![(node, section.place("key"))],
    });
    Some(LookupConfig {
        name,
        from: from?,
        key: key?.into_iter().filter_map(|(node, at)| cursor.expr(node, &at)).collect(),
        cache: section.get("cache").and_then(|node| cache(cursor, node, &section.place("cache"))),
        timeout: section.duration("timeout"),
        missing: missing(cursor, &section),
        window: None,
        computed: None,
    })
}

fn window<'a>(cursor: &'a Cursor<'a>, name: Name, node: &'a Node, section: &Section<'a>) -> Option<LookupConfig> {
    for key in LOOKUP.iter().filter(|key| **key != "window") {
        if let Some(node) = section.get(key) {
            let message = format!("`{}` means nothing beside `window`", section.place(key));
            cursor.note(Mistake::new(node.span.clone(), message));
        }
    }
    let (from, key, window) = state::window(cursor, node, &section.place("window"))?;
    Some(LookupConfig {
        name,
        from,
        key,
        cache: None,
        timeout: None,
        missing: Missing::Null,
        window: Some(window),
        computed: None,
    })
}

fn cache(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<CacheConfig> {
    if !matches!(node.data, Data::Mapping(_)) {
        return Some(CacheConfig { ttl: cursor.duration(node, at)?, size: CacheConfig::SIZE });
    }
    let section = cursor.section(node, at, CACHE)?;
    let ttl = section.require("ttl", "how long an answer may be used again").and_then(|_| section.duration("ttl"));
    let size = match section.get("size") {
        None => CacheConfig::SIZE,
        Some(node) => {
            match node.scalar().and_then(|text| text.parse().ok()).filter(|size| (1..=MAX_CACHE_SIZE).contains(size)) {
                Some(size) => size,
                None => {
                    cursor.note(Mistake::new(
                        node.span.clone(),
                        format!("`{at}.size` must be a number of keys from 1 to {MAX_CACHE_SIZE}"),
                    ));
                    CacheConfig::SIZE
                }
            }
        }
    };
    Some(CacheConfig { ttl: ttl?, size })
}

fn missing(cursor: &Cursor<'_>, section: &Section<'_>) -> Missing {
    #[derive(Clone, Copy, PartialEq)]
    enum Word {
        Poison,
        Null,
        Default,
    }
    let words = [("poison", Word::Poison), ("null", Word::Null), ("default", Word::Default)];
    let word = section.get("missing").and_then(|node| cursor.word(node, &section.place("missing"), &words));
    match (word, section.get("default")) {
        (Some(Word::Default), None) => {
            section.require("default", "`missing: default` needs the value that stands in");
            Missing::Null
        }
        (Some(Word::Default) | None, Some(node)) => match node.data {
            Data::Mapping(_) => Missing::Default(node.value()),
            _ => {
                let message =
                    format!("`{}` must be a mapping of fields, not {}", section.place("default"), node.what());
                cursor.note(Mistake::new(node.span.clone(), message));
                Missing::Null
            }
        },
        (Some(_), Some(node)) => {
            cursor.note(
                Mistake::new(node.span.clone(), format!("`{}` is never used", section.place("default")))
                    .help("set `missing: default`, or leave it out"),
            );
            Missing::Null
        }
        (Some(Word::Null), None) => Missing::Null,
        (Some(Word::Poison) | None, None) => Missing::Poison,
    }
}

pub(super) fn infer(top: &Section<'_>) -> Vec<ModelConfig> {
    let Some(node) = top.get("infer") else { return Vec::new() };
    let cursor = top.cursor();
    cursor
        .entries(node, "infer")
        .into_iter()
        .filter_map(|(name, node, at)| readable(cursor, name, node, &at, model))
        .collect()
}

fn model<'a>(cursor: &'a Cursor<'a>, name: Name, node: &'a Node, at: &str) -> Option<ModelConfig> {
    cursor.field_name(&name);
    let section = cursor.section(node, at, MODEL)?;
    let model = section
        .require("model", "where the ONNX file is")
        .and_then(|node| resource(cursor, node, &section.place("model"), Use::Object));
    let features = section.require("features", "one expression per column of the model, in its order");
    let features: Vec<_> = cursor
        .entries(features?, &section.place("features"))
        .into_iter()
        .filter_map(|(name, node, at)| Some((name, cursor.expr(node, &at)?)))
        .collect();
    let categories = section.get("categories").map(|node| cursor.entries(node, &section.place("categories")));
    let categories = categories.unwrap_or_default().into_iter();
    let categories = categories.map(|(name, node, at)| Some((name, table(cursor, node, &at)?))).collect::<Vec<_>>();
    let missing = section.get("missing").map(|node| cursor.entries(node, &section.place("missing")));
    Some(ModelConfig {
        model: model?,
        sha256: section.get("sha256").and_then(|node| pin(cursor, node, &section.place("sha256"))),
        external_data: section.get("external_data").map(|node| names(cursor, node, &section)).unwrap_or_default(),
        reload: section.get("reload").and_then(|node| reload(cursor, node, &section.place("reload"))),
        when: section.expr("when"),
        positive: section.name("positive"),
        // Without one of its tables the types of its features would be other ones.
        categories: categories.into_iter().collect::<Option<_>>()?,
        missing: missing
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, node, at)| Some((name, stand_in(cursor, node, &at)?)))
            .collect(),
        features,
        name,
    })
}

fn pin(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Pin> {
    let name = cursor.name(node, at)?;
    if name.text == "beside" {
        return Some(Pin::Beside);
    }
    if name.text.len() == 64 && name.text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Pin::Digest(name));
    }
    cursor.note(
        Mistake::new(node.span.clone(), format!("`{at}` must be 64 hexadecimal digits, or `beside`"))
            .help("`sha256sum MODEL` prints it"),
    );
    None
}

/// Reads the names of files beside the model.
fn names(cursor: &Cursor<'_>, node: &Node, section: &Section<'_>) -> Vec<Name> {
    let items = cursor.items(node, &section.place("external_data"));
    items.into_iter().filter_map(|(node, at)| cursor.name(node, &at)).collect()
}

/// Reads how often a model is asked for change.
fn reload(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Duration> {
    let every = cursor.duration(node, at)?;
    if every.is_zero() {
        cursor.note(Mistake::new(node.span.clone(), format!("`{at}` must be longer than 0s, such as 30s")));
        return None;
    }
    Some(every)
}

fn table(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Categories> {
    match node.data {
        Data::Sequence(_) => Some(Categories::Inline(
            cursor.items(node, at).into_iter().filter_map(|(node, at)| cursor.text(node, &at)).collect(),
        )),
        _ => resource(cursor, node, at, Use::Object).map(|resource| Categories::Table(Box::new(resource))),
    }
}

/// `nan`, or the value that stands in for a null feature.
fn stand_in(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<f64> {
    let text = node.scalar().unwrap_or_default();
    let number = if text == "nan" { Some(f64::NAN) } else { text.parse::<f64>().ok().filter(|n| n.is_finite()) };
    if number.is_none() {
        cursor.note(Mistake::new(node.span.clone(), format!("`{at}` must be a number, or `nan`")));
    }
    number
}

pub(super) fn act(top: &Section<'_>) -> ActConfig {
    let Some(node) = top.get("act") else { return ActConfig::default() };
    let cursor = top.cursor();
    let Some(section) = cursor.section(node, "act", ACT) else { return ActConfig::default() };
    let words = [("first", Match::First), ("all", Match::All)];
    let rules = section.require("rules", "what to do, and when");
    ActConfig {
        matches: section.get("match").and_then(|node| cursor.word(node, "act.match", &words)).unwrap_or_default(),
        rules: rules
            .map(|node| cursor.items(node, "act.rules"))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(node, at)| rule(cursor, node, &at))
            .collect(),
    }
}

fn rule(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<RuleConfig> {
    let section = cursor.section(node, at, RULE)?;
    let once = section.get("once").and_then(|node| state::once(cursor, node, &section.place("once")));
    let limits = section.get("limit").map(|node| state::limits(cursor, node, &section.place("limit")));
    let name = section.require("name", "idempotency keys and the log name the rule").and_then(|_| section.name("name"));
    let to = section.require("to", "the sink the action goes to").and_then(|_| section.name("to"));
    Some(RuleConfig {
        needs: Vec::new(),
        name: name?,
        to: to?,
        when: section.expr("when"),
        key: section.expr("key"),
        data: section.expr("data"),
        once,
        limits: limits.unwrap_or_default(),
    })
}

/// Reads a mapping of names to values, such as `given` and `predict`.
pub(super) fn values(cursor: &Cursor<'_>, node: Option<&Node>, at: &str) -> Vec<(Name, Value)> {
    let Some(node) = node else { return Vec::new() };
    cursor.entries(node, at).into_iter().map(|(name, node, _)| (name, node.value())).collect()
}
