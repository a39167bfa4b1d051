//! The n-grams of a pool, and how they are found in a row of items.

use std::{collections::HashMap, ops::RangeInclusive};

use tract_onnx::prelude::DatumType;

use super::array::{Slice, View};

/// The items of all n-grams, one after the other, the short ones first.
pub(super) enum Pool {
    Ints(Vec<i64>),
    Strings(Vec<String>),
}

/// What an n-gram adds to which column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ngram {
    pub column: usize,
    pub weight: f32,
}

/// The n-grams as a tree of their items. An item is hashed once in a row: from then on it is a number.
#[derive(Debug)]
pub(super) struct Ngrams {
    items: Items,
    /// Where an item leads to from a node; 0 is the root.
    steps: HashMap<(usize, usize), usize>,
    /// The n-gram that ends in each node.
    ends: Vec<Option<Ngram>>,
    lengths: RangeInclusive<usize>,
}

/// A number for every item that is in an n-gram.
#[derive(Debug)]
enum Items {
    Ints(HashMap<i64, usize>),
    Strings(HashMap<String, usize>),
}

impl Ngrams {
    /// Makes the tree of the n-grams that are as long as `lengths` says. `starts` are the places in the pool where
    /// those of one item begin, of two, and so on; `ngrams` says what each one is.
    ///
    /// # Errors
    /// The pool is not cut into whole n-grams, has one twice, or has too few or too many.
    pub(super) fn new(
        pool: Pool,
        starts: &[i64],
        ngrams: &[Ngram],
        lengths: RangeInclusive<usize>,
    ) -> Result<Ngrams, String> {
        if lengths.is_empty() || *lengths.end() > starts.len() {
            let (shortest, longest) = (lengths.start(), lengths.end());
            return Err(format!(
                "its n-grams are from {shortest} to {longest} items long, and {} at most",
                starts.len()
            ));
        }
        let (numbers, items) = match pool {
            Pool::Ints(pool) => {
                let (numbers, items) = numbered(pool);
                (numbers, Items::Ints(items))
            }
            Pool::Strings(pool) => {
                let (numbers, items) = numbered(pool);
                (numbers, Items::Strings(items))
            }
        };
        if numbers.is_empty() {
            return Err("its pool must not be empty".to_owned());
        }
        let mut tree = Ngrams { items, steps: HashMap::new(), ends: vec![None], lengths };
        let mut ngrams = ngrams.iter();
        for (place, start) in starts.iter().enumerate() {
            let length = place + 1;
            let end = starts.get(length).map_or(Some(numbers.len()), |end| usize::try_from(*end).ok());
            let part = usize::try_from(*start).ok().zip(end).and_then(|(start, end)| numbers.get(start..end));
            let part = part.filter(|part| part.len() % length == 0);
            let part = part.ok_or_else(|| format!("`ngram_counts` cuts no whole {length}-grams from the pool"))?;
            for items in part.chunks(length) {
                let ngram = ngrams.next().ok_or("it has more n-grams than `ngram_indexes`")?;
                if tree.lengths.contains(&length) {
                    tree.put(items, *ngram)?;
                }
            }
        }
        Ok(tree)
    }

    fn put(&mut self, items: &[usize], ngram: Ngram) -> Result<(), String> {
        let mut node = 0;
        for item in items {
            let next = self.ends.len();
            node = *self.steps.entry((node, *item)).or_insert(next);
            if node == next {
                self.ends.push(None);
            }
        }
        match self.ends[node].replace(ngram) {
            None => Ok(()),
            Some(_) => Err(format!("a {}-gram is in the pool twice", items.len())),
        }
    }

    /// Tells whether the pool is of this type.
    pub(super) fn takes(&self, dtype: DatumType) -> bool {
        match self.items {
            Items::Ints(_) => matches!(dtype, DatumType::I64 | DatumType::I32),
            Items::Strings(_) => dtype == DatumType::String,
        }
    }

    /// Numbers the items of an input; what is in no n-gram has no number.
    ///
    /// # Errors
    /// They are of another type than the pool.
    pub(super) fn items(&self, input: View<'_>) -> Result<Vec<Option<usize>>, String> {
        Ok(match (&self.items, input.data) {
            (Items::Ints(items), Slice::I64(data)) => data.iter().map(|item| items.get(item).copied()).collect(),
            (Items::Ints(items), Slice::I32(data)) => {
                data.iter().map(|item| items.get(&i64::from(*item)).copied()).collect()
            }
            (Items::Strings(items), Slice::String(data)) => data.iter().map(|item| items.get(item).copied()).collect(),
            _ => return Err(format!("its pool is not of the input's type, {:?}", input.dtype())),
        })
    }

    /// Finds the n-grams of a row: those of items next to each other, then those of every second one, up to those that
    /// are `farthest` apart. An n-gram of one item is found once.
    pub(super) fn find(&self, row: &[Option<usize>], farthest: usize, mut found: impl FnMut(&Ngram)) {
        let (mut shortest, longest) = (*self.lengths.start(), *self.lengths.end());
        for apart in 1..=farthest {
            // With more between its items, even the shortest n-gram would not fit.
            let Some(starts) = row.len().checked_sub((shortest - 1).saturating_mul(apart)).filter(|starts| *starts > 0)
            else {
                return;
            };
            for start in 0..starts {
                let mut node = 0;
                for (place, item) in row[start..].iter().step_by(apart).take(longest).enumerate() {
                    let Some(next) = item.and_then(|item| self.steps.get(&(node, item))) else { break };
                    node = *next;
                    if let Some(ngram) = self.ends[node].as_ref().filter(|_| place + 1 >= shortest) {
                        found(ngram);
                    }
                }
            }
            shortest = shortest.max(2);
            if shortest > longest {
                return;
            }
        }
    }
}

/// Numbers the items of a pool, equal ones alike.
fn numbered<T: Eq + std::hash::Hash>(pool: Vec<T>) -> (Vec<usize>, HashMap<T, usize>) {
    let mut items = HashMap::new();
    let mut numbers = Vec::with_capacity(pool.len());
    for item in pool {
        let next = items.len();
        numbers.push(*items.entry(item).or_insert(next));
    }
    (numbers, items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        Pool::Ints(vec![2, 3, 5, 4, 5, 6, 7, 8, 6, 7])
    }

    fn columns(farthest: usize, lengths: RangeInclusive<usize>) -> Vec<usize> {
        let ngrams: Vec<Ngram> = (0..7).map(|column| Ngram { column, weight: 1.0 }).collect();
        let ngrams = Ngrams::new(pool(), &[0, 4], &ngrams, lengths).unwrap();
        let row = [1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8];
        let row = ngrams.items(View { shape: &[12], data: Slice::I32(&row) }).unwrap();
        let mut columns = Vec::new();
        ngrams.find(&row, farthest, |ngram| columns.push(ngram.column));
        columns.sort_unstable();
        columns
    }

    #[test]
    fn ngrams_are_found_next_to_each_other_and_apart() {
        assert_eq!(columns(1, 1..=1), [1, 1, 1, 2]);
        assert_eq!(columns(1, 2..=2), [4, 5, 6]);
        assert_eq!(columns(6, 2..=2), [4, 5, 5, 5, 6]);
        assert_eq!(columns(usize::MAX, 1..=2), columns(12, 1..=2));
    }

    #[test]
    fn a_pool_that_is_not_whole_is_refused() {
        let ngrams = vec![Ngram { column: 0, weight: 1.0 }; 7];
        for starts in [&[0, 3][..], &[0, 11], &[5, 4], &[-1, 4], &[0]] {
            assert!(Ngrams::new(pool(), starts, &ngrams, 1..=2).is_err(), "{starts:?}");
        }
        assert!(Ngrams::new(pool(), &[0, 4], &ngrams[1..], 1..=2).is_err());
        assert!(Ngrams::new(Pool::Ints(vec![1, 1]), &[0], &ngrams, 1..=1).is_err());
        assert!(Ngrams::new(Pool::Strings(vec![]), &[0], &ngrams, 1..=1).is_err());
    }
}
