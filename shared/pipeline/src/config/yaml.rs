//! YAML text to a tree whose nodes know their place in the text. Bounded in size, depth and number of nodes, so that
//! aliases cannot blow it up.

use std::{collections::HashMap, ops::Range, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use vrl::value::{KeyString, ObjectMap, Value};

use super::Mistake;

/// The most bytes a pipeline file may have.
pub(super) const MAX_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 100_000;

/// A part of the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub data: Data,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Scalar { text: String, plain: bool },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// Returns the text of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Tells whether this is YAML's null: `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// Names what this is, for messages.
    pub fn what(&self) -> &'static str {
        match self.data {
            _ if self.is_null() => "nothing",
            Data::Scalar { .. } => "a single value",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }

    /// Returns the value by YAML's core schema: plain `true`, `1`, `1.5`, `null` are what they look like.
    pub fn value(&self) -> Value {
        match &self.data {
            Data::Sequence(items) => Value::Array(items.iter().map(Node::value).collect()),
            Data::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (KeyString::from(key.scalar().unwrap_or_default()), value.value()))
                    .collect::<ObjectMap>(),
            ),
            Data::Scalar { .. } if self.is_null() => Value::Null,
            Data::Scalar { text, plain: false } => Value::from(text.as_str()),
            Data::Scalar { text, plain: true } => match text.as_str() {
                "true" => Value::Boolean(true),
                "false" => Value::Boolean(false),
                text => match (text.parse::<i64>(), text.parse::<f64>()) {
                    (Ok(number), _) => Value::Integer(number),
                    (_, Ok(number)) if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                        Value::from_f64_or_zero(number)
                    }
                    _ => Value::from(text),
                },
            },
        }
    }

    /// Returns, for each byte of a scalar's text and its end, where it stands in the file. Quotes, escapes, indentation
    /// and folded line ends make the two differ, so both are walked side by side.
    pub fn offsets(&self, file: &str) -> Arc<[usize]> {
        let text = self.scalar().unwrap_or_default();
        let raw = file.get(self.span.clone()).unwrap_or_default();
        let mut at = 0;
        if raw.starts_with(['|', '>']) {
            at = raw.find('\n').map_or(0, |end| end + 1);
        }
        let mut offsets = Vec::with_capacity(text.len() + 1);
        for c in text.chars() {
            // Quotes, indentation and folded lines are not part of the text.
            let between = |found: char| found != c && " \t\r\n\"'".contains(found) && !(c == ' ' && found == '\n');
            let next = at + raw[at..].find(|found| !between(found)).unwrap_or(raw.len() - at);
            offsets.extend(std::iter::repeat_n(self.span.start + next, c.len_utf8()));
            at = next + written(&raw[next..], c);
        }
        offsets.push(self.span.start + at);
        offsets.into()
    }
}

/// Returns how many bytes a character takes in the file: more than its own if it is written as an escape.
fn written(raw: &str, c: char) -> usize {
    let mut chars = raw.chars();
    let length = match (chars.next(), chars.next()) {
        (Some('\\'), Some(escape)) if c != '\\' || escape == '\\' => match escape {
            'x' => 4,
            'u' => 6,
            'U' => 10,
            escape => 1 + escape.len_utf8(),
        },
        (Some(first), _) => first.len_utf8(),
        (None, _) => 0,
    };
    (0..=length.min(raw.len())).rfind(|end| raw.is_char_boundary(*end)).unwrap_or(0)
}

/// Reads one document.
pub(super) fn read(text: &str) -> Result<Node, Mistake> {
    if text.len() > MAX_BYTES {
        return Err(Mistake::new(0..0, format!("the file is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let mut builder = Builder { text, at: Position::new(text), stack: Vec::new(), anchors: HashMap::new(), nodes: 0 };
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = builder.at.byte(error.marker().index()).min(text.len());
            let length = text[at..].chars().next().map_or(0, char::len_utf8);
            Mistake::new(at..at + length, format!("not valid YAML: {}", error.info()))
        })?;
        if let Some(done) = builder.take(event, span)?
            && root.replace(done).is_some()
        {
            let at = builder.at.byte(span.start.index());
            return Err(Mistake::new(at..at, "a second document; a pipeline file holds one"));
        }
    }
    root.ok_or_else(|| Mistake::new(0..0, "the file is empty").help("start with `fourstroke: v1` and `name:`"))
}

/// The parser counts characters; spans are bytes.
enum Position {
    Ascii,
    Table(Vec<usize>),
}

impl Position {
    fn new(text: &str) -> Position {
        if text.is_ascii() {
            return Position::Ascii;
        }
        Position::Table(text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect())
    }

    fn byte(&self, character: usize) -> usize {
        match self {
            Position::Ascii => character,
            Position::Table(table) => table[character.min(table.len() - 1)],
        }
    }
}

/// A sequence or mapping that is not complete yet.
struct Open {
    anchor: usize,
    node: Node,
    /// A mapping's key that waits for its value.
    key: Option<Node>,
    /// A mapping's keys so far, and where they stand.
    keys: HashMap<String, usize>,
}

struct Builder<'a> {
    text: &'a str,
    at: Position,
    stack: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Builder<'_> {
    /// Takes one event; gives the document's root when it is complete.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<Option<Node>, Mistake> {
        let span = self.at.byte(span.start.index())..self.at.byte(span.end.index());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
                    return Err(Mistake::new(span, format!("the tag {tag} means nothing here")));
                }
                let span = self.scalar_span(span, style);
                let data = Data::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.complete(anchor, Node { span, data }, 1)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, Node { span, data: Data::Sequence(Vec::new()) }),
            Event::MappingStart(anchor, _) => self.open(anchor, Node { span, data: Data::Mapping(Vec::new()) }),
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open { anchor, mut node, .. }) => {
                    node.span.end = span.end.max(node.span.end);
                    self.complete(anchor, node, 1)
                }
                None => Ok(None),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, size)) => {
                    let (node, size) = (Node { span, ..node.clone() }, *size);
                    self.complete(0, node, size)
                }
                None => Err(Mistake::new(span, "an alias of something that is not complete yet")),
            },
            _ => Ok(None),
        }
    }

    /// Block scalars reach to the next token; their text ends before the line break.
    fn scalar_span(&self, span: Range<usize>, style: ScalarStyle) -> Range<usize> {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let end = span.start + self.text[span.clone()].trim_end().len();
                span.start..end
            }
            _ => span,
        }
    }

    fn open(&mut self, anchor: usize, node: Node) -> Result<Option<Node>, Mistake> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Mistake::new(node.span, format!("nested deeper than {MAX_DEPTH}")));
        }
        self.stack.push(Open { anchor, node, key: None, keys: HashMap::new() });
        Ok(None)
    }

    fn complete(&mut self, anchor: usize, node: Node, size: usize) -> Result<Option<Node>, Mistake> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err(Mistake::new(node.span, format!("more than {MAX_NODES} values, aliases counted")));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), count(&node)));
        }
        let Some(Open { node: parent, key: pending, keys, .. }) = self.stack.last_mut() else {
            return Ok(Some(node));
        };
        match &mut parent.data {
            Data::Sequence(items) => items.push(node),
            Data::Mapping(entries) => match pending.take() {
                None if node.scalar().is_none() => {
                    return Err(Mistake::new(node.span, "a key must be a single value"));
                }
                None => *pending = Some(node),
                Some(key) => {
                    let name = key.scalar().unwrap_or_default();
                    if let Some(first) = keys.insert(name.to_owned(), key.span.start) {
                        let line = self.text[..first].matches('\n').count() + 1;
                        return Err(Mistake::new(key.span.clone(), format!("`{name}` stands here twice"))
                            .help(format!("the first is in line {line}")));
                    }
                    entries.push((key, node));
                }
            },
            Data::Scalar { .. } => {}
        }
        Ok(None)
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.data {
        Data::Scalar { .. } => 0,
        Data::Sequence(items) => items.iter().map(count).sum(),
        Data::Mapping(entries) => entries.iter().map(|(key, value)| count(key) + count(value)).sum(),
    }
}
