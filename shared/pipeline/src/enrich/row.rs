//! A store's answer made to fit the declared fields.

use std::sync::Arc;

use vrl::value::{KeyString, Kind, ObjectMap, Value, kind::Collection};

use crate::{
    config::{Missing, Mistake, Name, did_you_mean},
    record::Shared,
    types::{Fields, describe},
};

/// A row as a lookup gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    Found(Arc<Shared>),
    Missing,
    /// There is a row, but it does not fit.
    Misfit(String),
}

impl Row {
    fn found(fields: ObjectMap) -> Row {
        Row::Found(Arc::new(Shared::new(Value::Object(fields))))
    }
}

/// The declared fields of a lookup, and what an empty one of a found row is filled with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    fields: Option<Fields>,
    fill: ObjectMap,
}

impl Shape {
    /// Takes the store's fields and the lookup's `missing`; the default is checked and completed against the fields.
    ///
    /// # Errors
    /// Every field of the default that does not fit.
    pub fn new(fields: Option<&Fields>, missing: &mut Missing, lookup: &Name) -> Result<Shape, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut shape = Shape { fields: fields.cloned(), fill: ObjectMap::new() };
        let (Some(fields), Missing::Default(Value::Object(default))) = (fields, missing) else {
            return Ok(shape);
        };
        let mut note = |message: String| mistakes.push(Mistake::new(lookup.span.clone(), message));
        let mut complete = ObjectMap::new();
        for (name, declared) in &fields.0 {
            match default.remove(name.as_str()) {
                Some(value) => match declared.fit(value) {
                    Ok(value) => {
                        if !value.is_null() {
                            shape.fill.insert(KeyString::from(name.as_str()), value.clone());
                        }
                        complete.insert(KeyString::from(name.as_str()), value);
                    }
                    Err(found) => note(format!("the default of `{}` has as `{name}` {found}", lookup.text)),
                },
                None if declared.nullable => {
                    complete.insert(KeyString::from(name.as_str()), Value::Null);
                }
                None => {
                    note(format!("the default of `{}` has no `{name}`, which is declared as {declared}", lookup.text))
                }
            }
        }
        for name in default.keys() {
            note(format!("the default of `{}` has `{name}`, which the store's fields do not", lookup.text));
        }
        *default = complete;
        if mistakes.is_empty() { Ok(shape) } else { Err(mistakes) }
    }

    /// Returns the type expressions see.
    pub fn kind(&self, missing: &Missing) -> Kind {
        let kind = match &self.fields {
            Some(fields) => fields.kind(),
            None => Kind::object(Collection::json()),
        };
        if *missing == Missing::Null { kind.or_null() } else { kind }
    }

    /// Says what is wrong with a value that is to stand in for a row; null stands for none.
    pub fn accepts(&self, value: &Value) -> Result<(), String> {
        if let (Some(fields), Value::Object(found)) = (&self.fields, value)
            && let Some(name) = found.keys().find(|name| fields.get(name).is_none())
        {
            let near = did_you_mean(name, fields.names());
            let near = near.unwrap_or_else(|| format!("there are: {}", fields.names().collect::<Vec<_>>().join(", ")));
            return Err(format!("the store's fields have no `{name}`; {near}"));
        }
        match self.row(Some(value.clone()).filter(|value| !value.is_null())) {
            Row::Misfit(reason) => Err(reason),
            Row::Found(_) | Row::Missing => Ok(()),
        }
    }

    /// Makes what a store gave fit.
    pub fn row(&self, value: Option<Value>) -> Row {
        let Some(value) = value else { return Row::Missing };
        let mut found = match value {
            Value::Object(found) => found,
            value => return Row::Misfit(format!("{} is not an object", describe(&value))),
        };
        let Some(fields) = &self.fields else { return Row::found(found) };
        let mut row = ObjectMap::new();
        for (name, declared) in &fields.0 {
            let value = match found.remove(name.as_str()) {
                None | Some(Value::Null) => self.fill.get(name.as_str()).cloned().unwrap_or(Value::Null),
                Some(value) => value,
            };
            match declared.fit(value) {
                Ok(value) => row.insert(KeyString::from(name.as_str()), value),
                Err(found) => return Row::Misfit(format!("the field `{name}` is {found}")),
            };
        }
        Row::found(row)
    }
}
