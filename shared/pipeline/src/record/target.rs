//! The record as VRL's programs read and change it.

use vrl::{
    compiler::{SecretTarget, Target},
    path::{OwnedSegment, OwnedTargetPath, PathPrefix},
    value::{ObjectMap, Value},
};

use super::Record;

/// Programs change only `.`: paths under `%` are read-only at compile time.
const READ_ONLY: &str = "the event's own facts cannot be changed";

impl Record {
    /// Changes the fields as one object, for paths that do not begin with a field.
    fn change_whole<T>(&mut self, change: impl FnOnce(&mut Value) -> T) -> T {
        let mut whole = self.fields().clone();
        let answer = change(&mut whole);
        self.whole.take();
        self.fields.clear();
        self.others = ObjectMap::new();
        // The compiler makes sure that the record stays an object.
        if let Value::Object(fields) = whole {
            fields.into_iter().for_each(|(name, value)| self.insert(&name, value));
        }
        answer
    }
}

impl Target for Record {
    fn target_insert(&mut self, path: &OwnedTargetPath, value: Value) -> Result<(), String> {
        if path.prefix == PathPrefix::Metadata {
            return Err(READ_ONLY.to_owned());
        }
        match path.path.segments.as_slice() {
            [OwnedSegment::Field(name)] => self.insert(name, value),
            [OwnedSegment::Field(name), rest @ ..] => match self.layout.place(name) {
                Some(place) => {
                    let field = self.field(place);
                    let mut whole = field.take().unwrap_or(Value::Null);
                    whole.insert(rest, value);
                    self.set(place, whole);
                }
                None => drop(self.change_whole(|whole| whole.insert(&path.path, value))),
            },
            _ => drop(self.change_whole(|whole| whole.insert(&path.path, value))),
        }
        Ok(())
    }

    fn target_get(&self, path: &OwnedTargetPath) -> Result<Option<&Value>, String> {
        Ok(self.at(path))
    }

    fn target_get_mut(&mut self, path: &OwnedTargetPath) -> Result<Option<&mut Value>, String> {
        match (path.prefix, path.path.segments.as_slice()) {
            (PathPrefix::Metadata, _) => Err(READ_ONLY.to_owned()),
            (PathPrefix::Event, [OwnedSegment::Field(name), rest @ ..]) => match self.layout.place(name) {
                Some(place) => Ok(self.field(place).value_mut().and_then(|value| value.get_mut(rest))),
                None => {
                    self.whole.take();
                    Ok(self.others.get_mut(name).and_then(|value| value.get_mut(rest)))
                }
            },
            _ => Err("the record as a whole cannot be changed in place".to_owned()),
        }
    }

    fn target_remove(&mut self, path: &OwnedTargetPath, compact: bool) -> Result<Option<Value>, String> {
        if path.prefix == PathPrefix::Metadata {
            return Err(READ_ONLY.to_owned());
        }
        Ok(match path.path.segments.as_slice() {
            [OwnedSegment::Field(name)] => match self.layout.place(name) {
                Some(place) => self.field(place).take(),
                None => {
                    self.whole.take();
                    self.others.remove(name)
                }
            },
            _ => self.change_whole(|whole| whole.remove(&path.path, compact)),
        })
    }
}

/// There are no secrets in a record.
impl SecretTarget for Record {
    fn get_secret(&self, _: &str) -> Option<&str> {
        None
    }

    fn insert_secret(&mut self, _: &str, _: &str) {}

    fn remove_secret(&mut self, _: &str) {}
}
