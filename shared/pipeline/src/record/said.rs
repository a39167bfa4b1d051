//! What a model said about one record: a row of values, whose names all of its rows share.

use std::sync::{Arc, OnceLock};

use vrl::{
    path::OwnedSegment,
    value::{KeyString, ObjectMap, Value},
};

/// The names of a model's outputs, sorted as objects have them; a second one where the first names an object.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Names {
    names: Vec<(KeyString, Option<KeyString>)>,
    /// For each value, the JSON from the one before it.
    before: Vec<String>,
    /// The JSON behind the last one.
    after: &'static str,
}

impl Names {
    /// Takes names in their order.
    pub fn new(names: Vec<(KeyString, Option<KeyString>)>) -> Names {
        let mut within: Option<&KeyString> = None;
        let mut before = Vec::with_capacity(names.len());
        for (place, (top, below)) in names.iter().enumerate() {
            let mut json = String::new();
            let same = below.is_some() && within == Some(top);
            if !same {
                json.push_str(if within.is_some() { "}" } else { "" });
                json.push_str(if place == 0 { "{" } else { "," });
                json.push_str(&quoted(top));
                json.push(':');
            }
            if let Some(below) = below {
                json.push(if same { ',' } else { '{' });
                json.push_str(&quoted(below));
                json.push(':');
            }
            within = below.as_ref().map(|_| top);
            before.push(json);
        }
        let after = match (names.is_empty(), within) {
            (true, _) => "{}",
            (false, None) => "}",
            (false, Some(_)) => "}}",
        };
        Names { before, after, names }
    }
}

fn quoted(name: &KeyString) -> String {
    Value::from(name.as_str()).to_string()
}

/// Holds what a model said about one record: `probability`, `class`, `scores`, `value`, or the model's own output names.
#[derive(Clone, Debug)]
pub struct Said {
    names: Arc<Names>,
    /// In the order of the names; none for what stands in for a model.
    values: Vec<Value>,
    /// All of it as one object, made when somebody first asks.
    whole: OnceLock<Value>,
}

impl Said {
    /// Takes a value per name.
    pub(crate) fn new(names: Arc<Names>, values: Vec<Value>) -> Said {
        Said { names, values, whole: OnceLock::new() }
    }

    /// Takes what stands in for a model.
    pub(crate) fn stand_in(value: Value) -> Said {
        Said { names: Arc::default(), values: Vec::new(), whole: OnceLock::from(value) }
    }

    /// Returns all of it as one object.
    pub fn value(&self) -> &Value {
        self.whole.get_or_init(|| {
            let mut whole = ObjectMap::new();
            for ((top, below), value) in self.names.names.iter().zip(&self.values) {
                match below {
                    None => drop(whole.insert(top.clone(), value.clone())),
                    Some(below) => {
                        let object = whole.entry(top.clone()).or_insert_with(|| Value::Object(ObjectMap::new()));
                        if let Value::Object(object) = object {
                            object.insert(below.clone(), value.clone());
                        }
                    }
                }
            }
            Value::Object(whole)
        })
    }

    /// Returns what a path of one or two names leads to.
    pub(crate) fn named(&self, top: &str, below: Option<&str>) -> Option<&Value> {
        let is_it = |(a, b): &(KeyString, Option<KeyString>)| **a == *top && b.as_deref() == below;
        let place = self.names.names.iter().position(is_it)?;
        self.values.get(place)
    }

    /// Returns what a path leads to.
    pub(crate) fn at(&self, path: &[OwnedSegment]) -> Option<&Value> {
        let found = match path {
            [OwnedSegment::Field(top)] => self.named(top, None),
            [OwnedSegment::Field(top), OwnedSegment::Field(below)] => self.named(top, Some(below)),
            _ => None,
        };
        found.or_else(|| self.value().get(path))
    }

    /// Returns its JSON in parts, none for what stands in for a model: what comes before each value, and behind the last.
    pub(crate) fn json(&self) -> Option<(impl Iterator<Item = (&str, &Value)>, &'static str)> {
        let Names { names, before, after } = &*self.names;
        (!names.is_empty()).then(|| (before.iter().map(String::as_str).zip(&self.values), *after))
    }
}

impl PartialEq for Said {
    fn eq(&self, other: &Said) -> bool {
        self.value() == other.value()
    }
}
