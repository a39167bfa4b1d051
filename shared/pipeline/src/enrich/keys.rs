//! Keys a batch asks for: each once, in one buffer, found without being made.

use std::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, Hasher},
};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::ports::Key;

/// Different keys, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Keys {
    text: String,
    /// For each key, where in the text its partition and its sort part end.
    ends: Vec<(usize, usize)>,
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
}

impl Keys {
    /// Returns the place of a key, which is given one if it has none yet.
    pub fn place(&mut self, partition: &str, sort: &str) -> usize {
        let Keys { text, ends, places, hasher } = self;
        let hash = hasher.hash_one(Parts { partition, sort });
        if let Some(place) = places.find(hash, |place| at(text, ends, *place) == Parts { partition, sort }) {
            return *place;
        }
        let place = ends.len();
        text.push_str(partition);
        let middle = text.len();
        text.push_str(sort);
        ends.push((middle, text.len()));
        places.insert_unique(hash, place, |place| hasher.hash_one(at(text, ends, *place)));
        place
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the key at a place.
    pub fn parts(&self, place: usize) -> Parts<'_> {
        at(&self.text, &self.ends, place)
    }
}

fn at<'a>(text: &'a str, ends: &[(usize, usize)], place: usize) -> Parts<'a> {
    let start = place.checked_sub(1).map_or(0, |before| ends[before].1);
    let (middle, end) = ends[place];
    Parts { partition: &text[start..middle], sort: &text[middle..end] }
}

/// A key that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Parts<'a> {
    pub partition: &'a str,
    pub sort: &'a str,
}

impl Parts<'_> {
    pub fn to_key(self) -> Key {
        Key::new(self.partition, self.sort)
    }
}

/// What a map by [`Key`] can be asked by: a key, or its parts.
pub(super) trait AsParts {
    fn as_parts(&self) -> Parts<'_>;
}

impl AsParts for Key {
    fn as_parts(&self) -> Parts<'_> {
        Parts { partition: &self.partition, sort: &self.sort }
    }
}

impl AsParts for Parts<'_> {
    fn as_parts(&self) -> Parts<'_> {
        *self
    }
}

impl<'a> Borrow<dyn AsParts + 'a> for Key {
    fn borrow(&self) -> &(dyn AsParts + 'a) {
        self
    }
}

/// Hashes as a `Key` does: its two fields behind each other.
impl Hash for dyn AsParts + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_parts().hash(state);
    }
}

impl PartialEq for dyn AsParts + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.as_parts() == other.as_parts()
    }
}

impl Eq for dyn AsParts + '_ {}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_key_has_one_place_and_its_parts_stay_apart() {
        let mut keys = Keys::default();
        let asked = [("ab", "c"), ("a", "bc"), ("ab", "c"), ("", ""), ("abc", "")];
        let places: Vec<usize> = asked.iter().map(|(partition, sort)| keys.place(partition, sort)).collect();
        assert_eq!(places, [0, 1, 0, 2, 3]);
        assert_eq!(keys.len(), 4);
        assert_eq!(keys.parts(1).to_key(), Key::new("a", "bc"));
    }

    #[test]
    fn parts_hash_as_their_key() {
        let hasher = DefaultHashBuilder::default();
        let parts = Parts { partition: "EWR", sort: "2013" };
        let borrowed: &dyn AsParts = &parts;
        assert_eq!(hasher.hash_one(borrowed), hasher.hash_one(Key::new("EWR", "2013")));
    }
}
