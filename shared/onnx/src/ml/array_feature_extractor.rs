//! `ArrayFeatureExtractor`: some of the columns, by their numbers.

use std::sync::Arc;

use tract_onnx::{prelude::TDim, tract_core::internal::ToDim};

use super::{
    array::{Array, Data, Slice, View, cells},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// As in onnxruntime, the last dimension is the one picked from, all numbers in the second input count whatever its
/// shape, and one row without a dimension of rows becomes `[1, k]`.
#[derive(Debug)]
struct ArrayFeatureExtractor;

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html>
pub(super) fn read(_: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    Ok(Arc::new(ArrayFeatureExtractor))
}

/// Returns the shape of the picked, and how wide rows are.
fn shape<D: Clone>(input: &[D], picked: D, one: D) -> Result<(Vec<D>, D), String> {
    match input {
        [] => Err("its first input has no columns".to_owned()),
        [width] => Ok((vec![one, picked], width.clone())),
        [outer @ .., width] => Ok((outer.iter().cloned().chain([picked]).collect(), width.clone())),
    }
}

fn pick<T: Clone>(data: &[T], width: usize, columns: &[usize]) -> Vec<T> {
    data.chunks_exact(width).flat_map(|row| columns.iter().map(|column| row[*column].clone())).collect()
}

impl Operator for ArrayFeatureExtractor {
    fn name(&self) -> &'static str {
        "ArrayFeatureExtractor"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input, columns] = inputs else { return Err("it takes two inputs".to_owned()) };
        let picked = columns.shape.iter().fold(1.to_dim(), |product, dim| product * dim);
        let (shape, _) = shape::<TDim>(&input.shape, picked, 1.to_dim())?;
        Ok(vec![Fact::new(input.dtype, shape)])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input, columns] = inputs else { return Err("it takes two inputs".to_owned()) };
        let (shape, width) = shape(input.shape, columns.len(), 1)?;
        let find = |column: &i64| usize::try_from(*column).ok().filter(|column| *column < width);
        let found = columns.i64s()?.iter().map(|column| find(column).ok_or(*column)).collect::<Result<Vec<_>, _>>();
        let columns = found.map_err(|column| format!("there is no column {column} among {width}"))?;
        if columns.is_empty() {
            return Err("its second input is empty".to_owned());
        }
        // There is a column now, so rows are not empty.
        cells(input.len() / width, columns.len())?;
        let data = match input.data {
            Slice::F32(data) => Data::F32(pick(data, width, &columns)),
            Slice::F64(data) => Data::F64(pick(data, width, &columns)),
            Slice::I64(data) => Data::I64(pick(data, width, &columns)),
            Slice::I32(data) => Data::I32(pick(data, width, &columns)),
            Slice::Bool(data) => Data::Bool(pick(data, width, &columns)),
            Slice::String(data) => Data::String(pick(data, width, &columns)),
        };
        Ok(vec![Array { shape, data }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        array::{Data, Slice},
        testing::{read, run},
    };

    #[test]
    fn columns_are_picked_by_their_numbers() {
        let operator = read(super::read, &[]).unwrap();
        let texts = ["a", "b", "c", "d"].map(str::to_owned);
        let pick = |shape: &[usize], columns: &[i64]| {
            run(&operator, &[(shape, Slice::String(&texts)), (&[columns.len()], Slice::I64(columns))])
        };
        let output = pick(&[2, 2], &[1, 1, 0]).unwrap().remove(0);
        assert_eq!(
            (output.shape, output.data),
            (vec![2, 3], Data::String(["b", "b", "a", "d", "d", "c"].map(str::to_owned).into()))
        );
        assert_eq!(pick(&[4], &[3]).unwrap()[0].shape, [1, 1]);
        for columns in [&[2][..], &[-1], &[]] {
            assert!(pick(&[2, 2], columns).is_err());
        }
    }
}
