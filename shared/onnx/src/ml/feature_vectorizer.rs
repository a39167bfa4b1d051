//! `FeatureVectorizer`: the columns of all inputs side by side, as 32-bit floats.

use std::sync::Arc;

use tract_onnx::{prelude::DatumType, tract_core::internal::ToDim};

use super::{
    array::{Array, Data, View, cells},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// The widest output a model may ask for: padding is not bounded by the inputs.
const MAX_COLUMNS: usize = 1 << 24;

/// As in onnxruntime, an input that is wider than its entry in `inputdimensions` is cut, and a narrower one is filled
/// up with zeros. onnxruntime needs that attribute; without it, here inputs are as wide as they are.
#[derive(Debug)]
struct FeatureVectorizer {
    /// How many columns each input gets; empty if the model doesn't say.
    widths: Vec<usize>,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let widths = attributes.ints("inputdimensions")?.iter().map(|width| usize::try_from(*width));
    let widths = widths.collect::<Result<Vec<_>, _>>().map_err(|_| "`inputdimensions` has a negative number")?;
    Ok(Arc::new(FeatureVectorizer { widths }))
}

impl FeatureVectorizer {
    /// Returns how many columns each input gets, and all of them, for inputs that have so many.
    fn widths(&self, columns: Vec<usize>) -> Result<(Vec<usize>, usize), String> {
        let inputs = columns.len();
        let widths = if self.widths.is_empty() { columns } else { self.widths.clone() };
        if inputs == 0 || inputs != widths.len() {
            return Err(format!("`inputdimensions` has {} numbers for {inputs} inputs", widths.len()));
        }
        let all = widths.iter().try_fold(0usize, |all, width| all.checked_add(*width));
        match all.filter(|all| *all <= MAX_COLUMNS) {
            Some(all) => Ok((widths, all)),
            None => Err("its output has too many columns".to_owned()),
        }
    }
}

impl Operator for FeatureVectorizer {
    fn name(&self) -> &'static str {
        "FeatureVectorizer"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        inputs.iter().try_for_each(Fact::numbers)?;
        let columns: Option<Vec<usize>> = inputs.iter().map(Fact::columns).collect();
        let columns = match columns {
            Some(columns) => columns,
            None if self.widths.is_empty() => return Err("the columns of its inputs are not known".to_owned()),
            None => vec![0; inputs.len()],
        };
        let (_, all) = self.widths(columns)?;
        Ok(vec![Fact::new(DatumType::F32, [inputs[0].rows(), all.to_dim()])])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let (widths, all) = self.widths(inputs.iter().map(|input| input.matrix().1).collect())?;
        let (rows, _) = inputs[0].matrix();
        let mut data = vec![0.0; cells(rows, all)?];
        let mut first = 0;
        for (input, width) in inputs.iter().zip(widths) {
            let (others, columns) = input.matrix();
            if others != rows {
                return Err(format!("its inputs have {rows} and {others} rows"));
            }
            let kept = width.min(columns);
            if kept > 0 {
                for (from, to) in input.f32s()?.chunks_exact(columns).zip(data.chunks_exact_mut(all)) {
                    to[first..first + kept].copy_from_slice(&from[..kept]);
                }
            }
            first += width;
        }
        Ok(vec![Array { shape: vec![rows, all], data: Data::F32(data) }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        array::{Data, Slice},
        testing::{Value, read, run},
    };

    #[test]
    fn wide_inputs_are_cut_and_narrow_ones_filled_up() {
        let operator = read(super::read, &[("inputdimensions", Value::Ints(&[1, 3]))]).unwrap();
        let output =
            run(&operator, &[(&[2, 2], Slice::I64(&[1, 2, 3, 4])), (&[2, 2], Slice::F32(&[5.0, 6.0, 7.0, 8.0]))])
                .unwrap();
        assert_eq!(output[0].data, Data::F32(vec![1.0, 5.0, 6.0, 0.0, 3.0, 7.0, 8.0, 0.0]));
        assert!(run(&operator, &[(&[1, 1], Slice::I64(&[1])), (&[2, 1], Slice::I64(&[1, 2]))]).is_err());
    }

    #[test]
    fn endless_padding_is_an_error() {
        for widths in [&[1 << 40][..], &[i64::MAX, i64::MAX]] {
            let operator = read(super::read, &[("inputdimensions", Value::Ints(widths))]).unwrap();
            let input = (&[1, 1][..], Slice::F32(&[1.0][..]));
            assert!(run(&operator, &vec![input; widths.len()]).is_err());
        }
        let operator = read(super::read, &[("inputdimensions", Value::Ints(&[1 << 24]))]).unwrap();
        let refused = run(&operator, &[(&[17, 1], Slice::F32(&[1.0; 17]))]).unwrap_err();
        assert_eq!(refused, "17 rows of 16777216 columns are too many");
    }
}
