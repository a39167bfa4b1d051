//! The keys a batch asks a store for, each once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use super::Lookup;
use crate::{
    error::{Code, Error, Stage},
    expression::Evaluator,
    ports::Key,
    report::Decision,
};

/// Which decision asks for which key, each key once.
#[derive(Default)]
pub(super) struct Asked {
    pub keys: Vec<Key>,
    /// Per decision: the place of its key; none: no key, or it has failed already.
    pub of: Vec<Option<usize>>,
}

/// Keys being collected. A key that is there already is found without making it.
#[derive(Default)]
struct Keys {
    keys: Vec<Key>,
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
}

impl Keys {
    fn place(&mut self, partition: &str, sort: &str) -> usize {
        let Keys { keys, places, hasher } = self;
        let hash = hasher.hash_one((partition, sort));
        let is_it = |place: &usize| keys[*place].partition == partition && keys[*place].sort == sort;
        if let Some(place) = places.find(hash, is_it) {
            return *place;
        }
        let place = keys.len();
        keys.push(Key::new(partition, sort));
        places.insert_unique(hash, place, |place| hasher.hash_one((&*keys[*place].partition, &*keys[*place].sort)));
        place
    }
}

impl Asked {
    /// Collects the keys of a batch. A decision whose key cannot be made fails.
    pub fn collect(lookup: &Lookup, decisions: &mut [Decision]) -> Asked {
        const CHUNK: usize = 256;
        let mut chunks: Vec<Asked> =
            decisions.par_chunks_mut(CHUNK).map(|chunk| Asked::of_chunk(lookup, chunk)).collect();
        if chunks.len() < 2 {
            return chunks.pop().unwrap_or_default();
        }
        let mut all = Keys::default();
        let mut of = Vec::with_capacity(decisions.len());
        for chunk in chunks {
            let places: Vec<usize> = chunk.keys.iter().map(|key| all.place(&key.partition, &key.sort)).collect();
            of.extend(chunk.of.into_iter().map(|place| place.map(|place| places[place])));
        }
        Asked { keys: all.keys, of }
    }

    fn of_chunk(lookup: &Lookup, chunk: &mut [Decision]) -> Asked {
        let (mut keys, mut sort, mut evaluator) = (Keys::default(), String::new(), Evaluator::default());
        let of = chunk.iter_mut().map(|decision| {
            if decision.error.is_some() {
                return None;
            }
            place(lookup, decision, &mut keys, &mut sort, &mut evaluator).unwrap_or_else(|reason| {
                let reason = format!("the key of `{}`: {reason}", lookup.name);
                decision.error = Some(Error::poison(Stage::Enrich, Code::LOOKUP_KEY, reason));
                None
            })
        });
        let of = of.collect();
        Asked { keys: keys.keys, of }
    }
}

/// Finds the place of one decision's key; none where a part of it is null.
fn place(
    lookup: &Lookup,
    decision: &mut Decision,
    keys: &mut Keys,
    sort: &mut String,
    evaluator: &mut Evaluator,
) -> Result<Option<usize>, String> {
    let mut parts = lookup.keys.iter();
    let Some(first) = parts.next() else { return Ok(None) };
    let Some(partition) = first.text(&mut decision.record, evaluator)? else { return Ok(None) };
    sort.clear();
    for (place, part) in parts.enumerate() {
        let Some(part) = part.text(&mut decision.record, evaluator)? else { return Ok(None) };
        Key::push_part(sort, place, &part);
    }
    Ok(Some(keys.place(&partition, sort)))
}
