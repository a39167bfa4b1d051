//! Walks the file's tree: typed reading that notes every mistake and goes on.

use std::{cell::RefCell, path::PathBuf, sync::Arc, time::Duration};

use super::{
    Environment, Expr, Mistake, Name, Reference, duration,
    mistake::did_you_mean,
    yaml::{Data, Node},
};

/// What every part of the reading shares.
pub(super) struct Cursor<'a> {
    pub text: &'a Arc<str>,
    pub base: PathBuf,
    pub environment: &'a Environment,
    pub mistakes: RefCell<Vec<Mistake>>,
    /// Names of fields, lookups and models that could not be read: what reads them is not wrong for that.
    pub broken: RefCell<Vec<String>>,
    pub references: RefCell<Vec<Reference>>,
}

/// A mapping with a fixed set of keys, at a named place.
pub(super) struct Section<'a> {
    cursor: &'a Cursor<'a>,
    node: &'a Node,
    /// The place, such as `act.rules[0]`.
    pub at: String,
}

impl<'a> Cursor<'a> {
    pub fn note(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    fn expected(&self, node: &Node, at: &str, what: &str) {
        self.note(Mistake::new(node.span.clone(), format!("`{at}` must be {what}, not {}", node.what())));
    }

    /// Reads a mapping with the given keys; unknown ones are mistakes.
    pub fn section(&'a self, node: &'a Node, at: &str, known: &[&str]) -> Option<Section<'a>> {
        let Data::Mapping(entries) = &node.data else {
            self.expected(node, at, &format!("a mapping with {}", listed(known)));
            return None;
        };
        for (key, _) in entries {
            let name = key.scalar().unwrap_or_default();
            if !known.contains(&name) {
                let place = if at.is_empty() { "a pipeline file".to_owned() } else { format!("`{at}`") };
                let help = did_you_mean(name, known.iter().copied())
                    .unwrap_or_else(|| format!("{place} knows {}", listed(known)));
                self.note(Mistake::new(key.span.clone(), format!("`{name}` is not a key of {place}")).help(help));
            }
        }
        Some(Section { cursor: self, node, at: at.to_owned() })
    }

    /// Reads a mapping whose keys are names; each gets its place.
    pub fn entries(&'a self, node: &'a Node, at: &str) -> Vec<(Name, &'a Node, String)> {
        match &node.data {
            Data::Mapping(entries) => entries
                .iter()
                .map(|(key, value)| {
                    let text = key.scalar().unwrap_or_default().to_owned();
                    let at = format!("{at}.{text}");
                    (Name { text, span: key.span.clone() }, value, at)
                })
                .collect(),
            _ if node.is_null() => Vec::new(),
            _ => {
                self.expected(node, at, "a mapping of names");
                Vec::new()
            }
        }
    }

    /// Reads a list; each item gets its place.
    pub fn items(&'a self, node: &'a Node, at: &str) -> Vec<(&'a Node, String)> {
        match &node.data {
            Data::Sequence(items) => {
                items.iter().enumerate().map(|(place, item)| (item, format!("{at}[{place}]"))).collect()
            }
            _ if node.is_null() => Vec::new(),
            _ => {
                self.expected(node, at, "a list");
                Vec::new()
            }
        }
    }

    /// Reads a single value as text.
    pub fn text(&self, node: &Node, at: &str) -> Option<String> {
        match node.scalar() {
            Some(text) if !node.is_null() => Some(text.to_owned()),
            _ => {
                self.expected(node, at, "text");
                None
            }
        }
    }

    /// Reads a single value that names something.
    pub fn name(&self, node: &Node, at: &str) -> Option<Name> {
        Some(Name { text: self.text(node, at)?, span: node.span.clone() })
    }

    /// Reads a name that expressions can use as a field: letters, digits and `_`.
    pub fn field_name(&self, name: &Name) {
        let mut chars = name.text.chars();
        let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !(starts && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')) {
            self.note(
                Mistake::new(name.span.clone(), format!("`{}` cannot be a field's name", name.text))
                    .help("use letters, digits and _, and start with a letter"),
            );
        }
    }

    /// Reads an expression.
    pub fn expr(&self, node: &Node, at: &str) -> Option<Expr> {
        match node.scalar() {
            Some(text) => {
                let (text, at) = (text.to_owned(), at.to_owned());
                Some(Expr { text, at, offsets: node.offsets(self.text), function: None })
            }
            None => {
                self.expected(node, at, "an expression");
                self.note(
                    Mistake::new(node.span.clone(), "YAML reads braces and brackets itself")
                        .help("put the expression in quotes, such as '{ \"id\": .id }', or behind a `|`"),
                );
                None
            }
        }
    }

    /// Reads a duration.
    pub fn duration(&self, node: &Node, at: &str) -> Option<Duration> {
        let text = self.text(node, at)?;
        let parsed = duration::parse(&text);
        if parsed.is_none() {
            self.note(
                Mistake::new(node.span.clone(), format!("`{at}` must be a duration, not `{text}`"))
                    .help("write a whole number and ms, s, m, h, d or w, such as 50ms or 10m"),
            );
        }
        parsed
    }

    /// Reads `true` or `false`.
    pub fn boolean(&self, node: &Node, at: &str) -> Option<bool> {
        match node.scalar() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => {
                self.expected(node, at, "true or false");
                None
            }
        }
    }

    /// Reads one of several words.
    pub fn word<T: Copy>(&self, node: &Node, at: &str, words: &[(&str, T)]) -> Option<T> {
        let text = node.scalar().unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = match node.scalar() {
                Some(text) => format!("`{at}` cannot be `{text}`"),
                None => format!("`{at}` must be one word, not {}", node.what()),
            };
            let help =
                did_you_mean(text, known.iter().copied()).unwrap_or_else(|| format!("it is one of {}", listed(&known)));
            self.note(Mistake::new(node.span.clone(), message).help(help));
        }
        found
    }
}

impl<'a> Section<'a> {
    /// Returns what every part of the reading shares.
    pub fn cursor(&self) -> &'a Cursor<'a> {
        self.cursor
    }

    /// Returns the node under a key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        match &self.node.data {
            Data::Mapping(entries) => {
                entries.iter().find(|(known, _)| known.scalar() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Returns the node under a key; its absence is a mistake.
    pub fn require(&self, key: &str, why: &str) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            let end = (self.node.span.start + 1).min(self.cursor.text.len());
            let place = if self.at.is_empty() { "the file".to_owned() } else { format!("`{}`", self.at) };
            self.cursor.note(Mistake::new(self.node.span.start..end, format!("{place} has no `{key}`")).help(why));
        }
        found
    }

    /// Returns the place of a key.
    pub fn place(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// Reads an optional expression.
    pub fn expr(&self, key: &str) -> Option<Expr> {
        self.cursor.expr(self.get(key)?, &self.place(key))
    }

    /// Reads an optional duration.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        self.cursor.duration(self.get(key)?, &self.place(key))
    }

    /// Reads an optional name.
    pub fn name(&self, key: &str) -> Option<Name> {
        self.cursor.name(self.get(key)?, &self.place(key))
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
