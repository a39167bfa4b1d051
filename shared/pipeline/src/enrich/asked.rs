//! The keys a batch asks a store for, each once.

use super::{Lookup, keys::Keys};
use crate::{
    error::{Code, Error, Stage},
    expression::Evaluator,
    pipeline::cpu,
    report::Decision,
    state::write_key,
};

/// Which decision asks for which key, each key once.
#[derive(Default)]
pub(super) struct Asked {
    pub keys: Keys,
    /// Per decision: the place of its key; none: no key, or it has failed already.
    pub of: Vec<Option<usize>>,
}

impl Asked {
    /// Collects the keys of a batch. A decision whose key cannot be made fails.
    pub fn collect(lookup: &Lookup, decisions: &mut [Decision]) -> Asked {
        let mut chunks = cpu::map_mut(decisions, cpu::CHUNK, |chunk| Asked::of_chunk(lookup, chunk));
        if chunks.len() < 2 {
            return chunks.pop().unwrap_or_default();
        }
        let mut all = Keys::default();
        let mut of = Vec::with_capacity(decisions.len());
        for chunk in chunks {
            let keys = (0..chunk.keys.len()).map(|place| chunk.keys.parts(place));
            let places: Vec<usize> = keys.map(|key| all.place(key.partition, key.sort)).collect();
            of.extend(chunk.of.into_iter().map(|place| place.map(|place| places[place])));
        }
        Asked { keys: all, of }
    }

    fn of_chunk(lookup: &Lookup, chunk: &mut [Decision]) -> Asked {
        let (mut keys, mut evaluator) = (Keys::default(), Evaluator::default());
        let (mut partition, mut sort) = (String::new(), String::new());
        let of = chunk.iter_mut().map(|decision| {
            if decision.error.is_some() {
                return None;
            }
            let key = (&mut partition, &mut sort);
            let made = write_key(&lookup.keys, lookup.kind(), decision, &mut evaluator, key);
            made.map(|made| made.then(|| keys.place(&partition, &sort))).unwrap_or_else(|reason| {
                let reason = format!("the key of `{}`: {reason}", lookup.name);
                decision.error = Some(Error::poison(Stage::Enrich, Code::LOOKUP_KEY, reason));
                None
            })
        });
        let of = of.collect();
        Asked { keys, of }
    }
}
