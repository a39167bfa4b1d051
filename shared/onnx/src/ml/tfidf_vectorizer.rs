//! `TfIdfVectorizer`: how often the n-grams of a pool are in a row, perhaps weighed.

use std::sync::Arc;

use tract_onnx::prelude::{DatumType, ToDim};

use super::{
    array::{Array, Data, View, cells},
    attributes::Attributes,
    ngrams::{Ngram, Ngrams, Pool},
    operator::{Fact, Operator},
};

/// The most columns of an answer: a model asks for them in a few bytes.
const COLUMN_LIMIT: usize = 1 << 24;
/// The most that items of an n-gram may be apart: a text is looked through as often.
const FARTHEST: usize = 1 << 6;

#[derive(Debug)]
struct TfIdfVectorizer {
    ngrams: Ngrams,
    columns: usize,
    /// Whether it matters only that an n-gram is there, and not how often.
    once: bool,
    /// How far apart the items of an n-gram may be; 1 is next to each other.
    farthest: usize,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html>
///
/// A pool of the other type than the input is an error here, where onnxruntime finds nothing.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let size = |name: &str, least: i64| {
        let size = attributes.int(name)?.ok_or_else(|| format!("it has no `{name}`"))?;
        let size = usize::try_from(size).ok().filter(|_| size >= least);
        size.ok_or_else(|| format!("`{name}` must be {least} at least"))
    };
    let (shortest, longest) = (size("min_gram_length", 1)?, size("max_gram_length", 1)?);
    let farthest = size("max_skip_count", 0)?.saturating_add(1);
    if farthest > FARTHEST {
        return Err(format!("`max_skip_count` must be {} at most", FARTHEST - 1));
    }
    let (once, weighed) = match attributes.string("mode")?.as_deref() {
        Some("TF") => (false, false),
        Some("IDF") => (true, true),
        Some("TFIDF") => (false, true),
        _ => return Err("`mode` must be TF, IDF or TFIDF".to_owned()),
    };
    let indexes = attributes.ints("ngram_indexes")?;
    let column = |index: &i64| usize::try_from(*index).ok().filter(|column| *column < COLUMN_LIMIT);
    let places: Option<Vec<usize>> = indexes.iter().map(column).collect();
    let places = places.ok_or_else(|| format!("`ngram_indexes` must be from 0 to {}", COLUMN_LIMIT - 1))?;
    let columns = places.iter().max().ok_or("`ngram_indexes` must not be empty")? + 1;
    let weights = attributes.floats("weights")?;
    if !weights.is_empty() && weights.len() != places.len() {
        return Err(format!("it has {} weights for {} n-grams", weights.len(), places.len()));
    }
    let weights = if weighed { weights } else { &[] }.iter().copied().chain(std::iter::repeat(1.0));
    let ngrams: Vec<Ngram> = places.into_iter().zip(weights).map(|(column, weight)| Ngram { column, weight }).collect();
    let strings = attributes.strings("pool_strings")?;
    let pool =
        if strings.is_empty() { Pool::Ints(attributes.ints("pool_int64s")?.to_vec()) } else { Pool::Strings(strings) };
    let ngrams = Ngrams::new(pool, attributes.ints("ngram_counts")?, &ngrams, shortest..=longest)?;
    Ok(Arc::new(TfIdfVectorizer { ngrams, columns, once, farthest }))
}

impl Operator for TfIdfVectorizer {
    fn name(&self) -> &'static str {
        "TfIdfVectorizer"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        if !self.ngrams.takes(input.dtype) {
            return Err(format!("its pool is not of the input's type, {:?}", input.dtype));
        }
        let rows = match &input.shape[..] {
            [] | [_] => None,
            [rows, _] => Some(rows.clone()),
            _ => return Err(format!("it takes one or two dimensions, not {}", input.shape.len())),
        };
        Ok(vec![Fact::new(DatumType::F32, rows.into_iter().chain([self.columns.to_dim()]))])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (rows, items) = match input.shape {
            [rows, items] => (*rows, *items),
            [] | [_] => (1, input.len()),
            _ => return Err(format!("it takes one or two dimensions, not {}", input.shape.len())),
        };
        let mut counts = vec![0.0; cells(rows, self.columns)?];
        let found = self.ngrams.items(*input)?;
        // Rows of nothing are left as they are.
        for (row, counts) in found.chunks(items.max(1)).zip(counts.chunks_mut(self.columns)) {
            self.ngrams.find(row, self.farthest, |ngram| {
                let count = &mut counts[ngram.column];
                *count = if self.once { ngram.weight } else { *count + ngram.weight };
            });
        }
        let shape = if input.shape.len() == 2 { vec![rows, self.columns] } else { vec![self.columns] };
        Ok(vec![Array { shape, data: Data::F32(counts) }])
    }
}
