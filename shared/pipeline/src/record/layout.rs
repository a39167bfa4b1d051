//! Which top-level fields the records of a pipeline have, so that a record is a row of places rather than a map.

use hashbrown::HashMap;
use vrl::value::KeyString;

/// The names of fields, each with its place. Declared fields come first, in their order; what the strokes add or
/// expressions read comes behind. Names are only ever added, so a place stays right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    names: Vec<KeyString>,
    places: HashMap<KeyString, usize>,
}

impl Layout {
    /// Returns the place of a name, which is given one if it has none yet.
    pub fn add(&mut self, name: &str) -> usize {
        if let Some(place) = self.place(name) {
            return place;
        }
        let name = KeyString::from(name);
        self.names.push(name.clone());
        self.places.insert(name, self.names.len() - 1);
        self.names.len() - 1
    }

    /// Returns the place of a name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Returns the names in the order of their places.
    pub fn names(&self) -> &[KeyString] {
        &self.names
    }
}
