//! A writer's schema resolved against ours, once: how each of its bytes is read, and as what. Only then are bytes looked
//! at, by `read.rs`.

use std::collections::HashMap;

use apache_avro::schema::{EnumSchema, Name, NamesRef, RecordSchema, ResolvedSchema, Schema};
use vrl::value::{KeyString, Value};

use super::{
    default::default,
    wire::{Meaning, Text, bits, meaning, size, text},
};

/// The most types of one schema, and how deep they may stand in each other: a body may bring its own.
const MAX_NODES: usize = 1 << 14;
const MAX_DEPTH: usize = 64;

/// Nodes that refer to each other by place, as a type may hold itself. The first is the whole.
pub(super) struct Plan(pub Vec<Node>);

/// How one type's bytes are read, and what they become.
pub(super) enum Node {
    Null,
    Boolean,
    /// A number of at most so many bits, in as few bytes as it needs.
    Whole(u32, Meaning),
    Float,
    Double,
    /// Bytes: so many, or as many as the number before them says.
    Bytes(Option<usize>, Text),
    /// By the writer's symbol, the reader's.
    Enum(Vec<Option<Value>>),
    Array(usize),
    Map(usize),
    /// By the writer's branch.
    Union(Vec<usize>),
    Record(Record),
    /// What stands at another place.
    Same(usize),
    /// A branch the reader has no place for.
    Nowhere(String),
}

/// The writer's fields in order, each with the reader's name for it unless it is skipped, and what the writer lacks.
#[derive(Default)]
pub(super) struct Record {
    pub fields: Vec<(Option<KeyString>, usize)>,
    pub defaults: Vec<(KeyString, Value)>,
}

impl Plan {
    /// Resolves two records. Of the reader's fields only those that are kept are read.
    ///
    /// # Errors
    /// What the reader cannot take.
    pub fn new(writer: &Schema, reader: &Schema, kept: impl Fn(&str) -> bool) -> Result<Plan, String> {
        let names = |schema| ResolvedSchema::new(schema).map_err(|error| error.to_string());
        let (of_writer, of_reader) = (names(writer)?, names(reader)?);
        let mut planning = Planning {
            writer: of_writer.get_names(),
            reader: of_reader.get_names(),
            known: HashMap::new(),
            nodes: Vec::new(),
        };
        let (Schema::Record(writer), Schema::Record(reader)) = (writer, reader) else {
            return Err("the schema's top must be a record".to_owned());
        };
        let place = planning.add()?;
        let record = planning.record(writer, reader, Side::Reader, &kept, 0)?;
        planning.nodes[place] = Node::Record(record);
        Ok(Plan(planning.nodes))
    }
}

/// Whose names a type refers to. What is skipped is resolved against itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Writer,
    Reader,
}

struct Planning<'s> {
    writer: &'s NamesRef<'s>,
    reader: &'s NamesRef<'s>,
    known: HashMap<(Name, Name, Side), usize>,
    nodes: Vec<Node>,
}

impl<'s> Planning<'s> {
    fn add(&mut self) -> Result<usize, String> {
        if self.nodes.len() == MAX_NODES {
            return Err(format!("the schema has more than {MAX_NODES} types"));
        }
        self.nodes.push(Node::Null);
        Ok(self.nodes.len() - 1)
    }

    /// Follows a name to its type.
    fn named(&self, schema: &'s Schema, side: Side) -> Result<&'s Schema, String> {
        let Schema::Ref { name } = schema else { return Ok(schema) };
        let names = if side == Side::Writer { self.writer } else { self.reader };
        names.get(name).copied().ok_or_else(|| format!("the schema has no type `{name}`"))
    }

    fn node(&mut self, writer: &'s Schema, reader: &'s Schema, side: Side, depth: usize) -> Result<usize, String> {
        if depth == MAX_DEPTH {
            return Err(format!("the schema is nested deeper than {MAX_DEPTH} levels"));
        }
        let writer = self.named(writer, Side::Writer)?;
        let reader = self.named(reader, side)?;
        if let (Schema::Record(writer), Schema::Record(reader)) = (writer, reader) {
            let key = (writer.name.clone(), reader.name.clone(), side);
            if let Some(place) = self.known.get(&key) {
                return Ok(*place);
            }
            let place = self.add()?;
            self.known.insert(key, place);
            let record = self.record(writer, reader, side, &|_| true, depth)?;
            self.nodes[place] = Node::Record(record);
            return Ok(place);
        }
        let place = self.add()?;
        let node = self.other(writer, reader, side, depth + 1)?;
        self.nodes[place] = node;
        Ok(place)
    }

    fn record(
        &mut self,
        writer: &'s RecordSchema,
        reader: &'s RecordSchema,
        side: Side,
        kept: &dyn Fn(&str) -> bool,
        depth: usize,
    ) -> Result<Record, String> {
        let mut record = Record::default();
        for field in &writer.fields {
            let known = |name: &str| name == field.name;
            let ours =
                reader.fields.iter().find(|ours| known(&ours.name) || ours.aliases.iter().any(|name| known(name)));
            let (name, ours, side) = match ours.filter(|ours| kept(&ours.name)) {
                Some(ours) => (Some(KeyString::from(ours.name.as_str())), &ours.schema, side),
                None => (None, &field.schema, Side::Writer),
            };
            let in_field = |reason: String| format!("in the field `{}`: {reason}", field.name);
            record.fields.push((name, self.node(&field.schema, ours, side, depth + 1).map_err(in_field)?));
        }
        let has = |name: &str| record.fields.iter().any(|(known, _)| known.as_deref() == Some(name));
        for field in reader.fields.iter().filter(|field| kept(&field.name) && !has(&field.name)) {
            let default = match &field.default {
                Some(json) => default(json, &field.schema, self.reader, 0),
                None => Err("it has no default".to_owned()),
            };
            let lacks = |reason| format!("the writer's schema has no field `{}`, and {reason}", field.name);
            record.defaults.push((field.name.as_str().into(), default.map_err(lacks)?));
        }
        Ok(record)
    }

    fn other(&mut self, writer: &'s Schema, reader: &'s Schema, side: Side, depth: usize) -> Result<Node, String> {
        let node = match (writer, reader) {
            (Schema::Union(union), _) => {
                let branches = union.variants().iter().map(|branch| match self.node(branch, reader, side, depth) {
                    Ok(place) => Ok(place),
                    Err(reason) => {
                        let place = self.add()?;
                        self.nodes[place] = Node::Nowhere(reason);
                        Ok(place)
                    }
                });
                return Ok(Node::Union(branches.collect::<Result<_, String>>()?));
            }
            (_, Schema::Union(union)) => {
                let mut fits = Vec::new();
                for branch in union.variants() {
                    let branch = self.named(branch, side)?;
                    fits.push((likeness(writer, branch), branch));
                }
                // The branch of the same type before one it can be promoted to, each in their order.
                let best = fits.iter().map(|(likeness, _)| *likeness).max().filter(|best| *best > 0);
                let found = fits.iter().find(|(likeness, _)| Some(*likeness) == best);
                let (_, branch) = found.ok_or_else(|| mismatch(writer, reader))?;
                return match (writer, *branch) {
                    (Schema::Record(_), _) => Ok(Node::Same(self.node(writer, branch, side, depth)?)),
                    _ => self.other(writer, branch, side, depth),
                };
            }
            (Schema::Null, Schema::Null) => Node::Null,
            (Schema::Boolean, Schema::Boolean) => Node::Boolean,
            (Schema::Float, Schema::Float | Schema::Double) => Node::Float,
            (Schema::Double, Schema::Double) => Node::Double,
            (Schema::Enum(writer), Schema::Enum(reader)) => Node::Enum(symbols(writer, reader)),
            (Schema::Array(writer), Schema::Array(reader)) => {
                Node::Array(self.node(&writer.items, &reader.items, side, depth)?)
            }
            (Schema::Map(writer), Schema::Map(reader)) => {
                Node::Map(self.node(&writer.types, &reader.types, side, depth)?)
            }
            _ => {
                let whole = bits(writer).zip(meaning(reader));
                let whole = whole.filter(|(wide, _)| bits(reader).is_none_or(|room| room >= *wide));
                let bytes = size(writer).zip(text(reader)).filter(|(of_writer, _)| size(reader) == Some(*of_writer));
                match (whole, bytes) {
                    (Some((bits, meaning)), _) => Node::Whole(bits, meaning),
                    (_, Some((size, text))) => Node::Bytes(size, text),
                    _ => return Err(mismatch(writer, reader)),
                }
            }
        };
        Ok(node)
    }
}

fn mismatch(writer: &Schema, reader: &Schema) -> String {
    let name = |schema: &Schema| format!("{:?}", apache_avro::schema::SchemaKind::from(schema)).to_lowercase();
    format!("the writer's {} cannot be read as {}", name(writer), name(reader))
}

/// Says how well a writer's type fits a branch: 0 not at all, 1 by promotion, 2 it is the same type.
fn likeness(writer: &Schema, branch: &Schema) -> u8 {
    let same = std::mem::discriminant(writer) == std::mem::discriminant(branch);
    let alike = writer.name().zip(branch.name()).is_none_or(|(of_writer, ours)| {
        let also = branch.aliases().into_iter().flatten();
        of_writer.name() == ours.name() || also.into_iter().any(|alias| alias.name() == of_writer.name())
    });
    let whole = bits(writer).zip(bits(branch)).map(|(wide, room)| room >= wide);
    let promoted = whole.unwrap_or_else(|| {
        let number = bits(writer).is_some() || matches!(writer, Schema::Float);
        (number && matches!(branch, Schema::Float | Schema::Double))
            || (size(writer) == Some(None) && size(branch) == Some(None))
    });
    match (same && alike, promoted) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

fn symbols(writer: &EnumSchema, reader: &EnumSchema) -> Vec<Option<Value>> {
    let ours = |symbol| reader.symbols.iter().find(|ours| *ours == symbol).or(reader.default.as_ref());
    writer.symbols.iter().map(|symbol| ours(symbol).map(|ours| Value::from(ours.as_str()))).collect()
}
