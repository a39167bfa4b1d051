//! `sources`, `stores`, `sinks`, and the files that models and tables are.

use super::{
    Format, Mistake, Name, Reference, Resource,
    cursor::{Cursor, Section},
    parse::fields,
    resolve::{Resolved, Unresolved, resolve},
    yaml::{Data, Node},
};

pub(super) const RESOURCE: &[&str] = &[
    "url",
    "key",
    "fields",
    "format",
    "timeout",
    "headers",
    "order",
    "ephemeral",
    "insecure",
    "hosts",
    "private",
    "large",
];

/// What a resource is for; it has the keys of that use.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Source,
    Store,
    Sink,
    Object,
}

impl Use {
    /// The keys that mean something for it in this version, beside `url`.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Use::Store => &["key", "fields", "timeout", "headers", "insecure", "hosts", "private", "ephemeral"],
            Use::Sink => &[
                "format",
                "fields",
                "timeout",
                "headers",
                "order",
                "insecure",
                "hosts",
                "private",
                "ephemeral",
                "large",
            ],
            Use::Object => &["timeout", "headers", "insecure", "hosts", "private", "ephemeral"],
            Use::Source => &["ephemeral"],
        }
    }

    /// Those that a service of a later version takes.
    fn later(self) -> &'static [&'static str] {
        match self {
            Use::Sink | Use::Store | Use::Object => &[],
            Use::Source => &["headers", "timeout", "insecure", "hosts", "private"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Use::Source => "source",
            Use::Store => "store",
            Use::Sink => "sink",
            Use::Object => "file to read",
        }
    }
}

/// Reads a section of resources by name.
pub(super) fn resources(section: &Section<'_>, key: &str, kind: Use) -> Vec<(Name, Resource)> {
    let Some(node) = section.get(key) else { return Vec::new() };
    section
        .cursor()
        .entries(node, key)
        .into_iter()
        .filter_map(|(name, node, at)| match resource(section.cursor(), node, &at, kind) {
            Some(resource) => Some((name, resource)),
            None => {
                section.cursor().broken.borrow_mut().push(name.text);
                None
            }
        })
        .collect()
}

/// Reads a URL, or an object with `url` and options.
pub(super) fn resource(cursor: &Cursor<'_>, node: &Node, at: &str, kind: Use) -> Option<Resource> {
    if !matches!(node.data, Data::Mapping(_)) {
        return url(cursor, node, at);
    }
    let section = cursor.section(node, at, RESOURCE)?;
    for key in RESOURCE.iter().filter(|key| **key != "url" && !kind.keys().contains(key)) {
        let Some(node) = section.get(key) else { continue };
        let message = if kind.later().contains(key) {
            format!("`{}` is not in this version yet", section.place(key))
        } else {
            format!("`{key}` means nothing for a {}", kind.name())
        };
        cursor.note(Mistake::new(node.span.clone(), message));
    }
    let url_node = section.require("url", "a resource is a URL, or an object with `url`")?;
    let mut resource = url(cursor, url_node, at)?;
    if let Some(node) = section.get("key") {
        resource.key =
            cursor.items(node, &section.place("key")).iter().filter_map(|(item, at)| cursor.text(item, at)).collect();
    }
    resource.fields = section.get("fields").map(|node| fields(cursor, node, &section.place("fields")));
    if let Some(node) = section.get("format") {
        let words = [("json", Format::Json), ("cloudevents", Format::CloudEvents)];
        resource.format = cursor.word(node, &section.place("format"), &words).unwrap_or_default();
    }
    resource.timeout = section.duration("timeout");
    if let Some(node) = section.get("headers") {
        for (name, value, at) in cursor.entries(node, &section.place("headers")) {
            if let Some(value) = resolved(cursor, value, &at) {
                resource.headers.insert(name.text, value.text);
            }
        }
    }
    if let Some(node) = section.get("order") {
        let words = [("key", true), ("none", false)];
        resource.ordered = cursor.word(node, &section.place("order"), &words).unwrap_or(true);
    }
    let flag = |key: &str| section.get(key).and_then(|node| cursor.boolean(node, &section.place(key)));
    resource.ephemeral = flag("ephemeral").unwrap_or(false);
    resource.insecure = flag("insecure").unwrap_or(false);
    resource.private = flag("private").unwrap_or(false);
    if let Some(node) = section.get("hosts") {
        let hosts = cursor.items(node, &section.place("hosts"));
        resource.hosts = hosts.iter().filter_map(|(item, at)| cursor.text(item, at)).collect();
        if resource.hosts.is_empty() {
            let message = format!("`{}` names no host", section.place("hosts"));
            cursor.note(Mistake::new(node.span.clone(), message).help("leave it out to allow the URL's own"));
        }
    }
    resource.large =
        section.get("large").and_then(|node| self::resource(cursor, node, &section.place("large"), kind)).map(Box::new);
    Some(resource)
}

fn url(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Resource> {
    let resolved = resolved(cursor, node, at)?;
    let mut resource = Resource::new(at, resolved.text);
    resource.span = node.span.clone();
    resource.variable = resolved.from;
    resource.base = cursor.base.clone();
    let scheme = resource.scheme();
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
        let shown = match &resource.variable {
            Some(variable) => format!("what {variable} gives for `{at}`"),
            None => format!("`{}`", resource.url),
        };
        cursor.note(
            Mistake::new(node.span.clone(), format!("{shown} has no scheme"))
                .help("a resource is a URL, such as file:data/table.csv or kinesis://stream"),
        );
        return None;
    }
    Some(resource)
}

fn resolved(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Resolved> {
    let text = cursor.text(node, at)?;
    let mut referred = Vec::new();
    let resolved = resolve(&text, cursor.environment, &cursor.base, &mut referred);
    let references = referred.into_iter().map(|to| Reference { at: at.to_owned(), span: node.span.clone(), to });
    cursor.references.borrow_mut().extend(references);
    match resolved {
        Ok(resolved) => Some(resolved),
        Err(Unresolved::NotKnown) => None,
        Err(Unresolved::Wrong(reason)) => {
            cursor.note(Mistake::new(node.span.clone(), format!("`{at}`: {reason}")));
            None
        }
    }
}
