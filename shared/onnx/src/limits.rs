//! How much memory a graph may ask for: a few bytes of a model can declare billions of numbers.

use tract_onnx::{
    prelude::{Symbol, SymbolValues, TDim, TractResult, TypedModel},
    tract_core::internal::bail,
};

use crate::ml::array::CELL_LIMIT;

/// Returns how many rows may be taken at once, so that no node makes more numbers than an answer may have.
///
/// # Errors
/// A node makes more of one row, or of none.
pub(crate) fn most_rows(model: &TypedModel, rows: &Symbol) -> TractResult<usize> {
    let mut most = usize::MAX;
    for node in model.nodes() {
        for output in &node.outputs {
            let numbers = |count: usize| {
                let sizes = output.fact.shape.iter().map(|dim| size(dim, rows, count));
                sizes.fold(1_usize, usize::saturating_mul)
            };
            let (one, two) = (numbers(1), numbers(2));
            if one > CELL_LIMIT {
                bail!("node `{}` makes more than {CELL_LIMIT} numbers of a row", node.name);
            }
            if two > one {
                // As many for each row, or more the more rows there are.
                let mut count = CELL_LIMIT / (two - one);
                while count > 1 && numbers(count) > CELL_LIMIT {
                    count /= 2;
                }
                most = most.min(count.max(1));
            }
        }
    }
    Ok(most)
}

/// Evaluates a size for so many rows, with the least of what only a run tells. What cannot be told counts as 1.
fn size(dim: &TDim, rows: &Symbol, count: usize) -> usize {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let symbols = dim.symbols();
    let values = symbols
        .iter()
        .fold(SymbolValues::default(), |values, symbol| values.with(symbol, if symbol == rows { count } else { 1 }));
    dim.eval_to_i64(&values).map_or(1, |size| usize::try_from(size).unwrap_or(0))
}
