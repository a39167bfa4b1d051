//! `OneHotEncoder`: a column for each category, 1 in that of the category that is there.

use std::{collections::HashMap, sync::Arc};

use tract_onnx::{prelude::DatumType, tract_core::internal::ToDim};

use super::{
    array::{Array, Data, Slice, View, cells},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// As in onnxruntime, floats lose what is behind the point, and a category that is listed twice has the column of its
/// last place. Floats that are no 64-bit whole number even then, as NaN is, are unknown.
#[derive(Debug)]
struct OneHotEncoder {
    categories: Categories,
    /// How many columns there are.
    count: usize,
    /// Whether an unknown category is all zeros; else it is an error.
    zeros: bool,
}

/// The column of each category.
#[derive(Debug)]
enum Categories {
    Ints(HashMap<i64, usize>),
    Strings(HashMap<String, usize>),
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let ints = attributes.ints("cats_int64s")?;
    let strings = attributes.strings("cats_strings")?;
    let count = ints.len() + strings.len();
    let categories = match (ints.is_empty(), strings.is_empty()) {
        (false, true) => Categories::Ints(ints.iter().copied().zip(0..).collect()),
        (true, false) => Categories::Strings(strings.into_iter().zip(0..).collect()),
        _ => return Err("it needs one of `cats_int64s` and `cats_strings`".to_owned()),
    };
    let zeros = attributes.int("zeros")?.unwrap_or(1) != 0;
    Ok(Arc::new(OneHotEncoder { categories, count, zeros }))
}

/// Returns a float without what is behind the point, if 64 bits can hold it.
fn whole(x: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    (-END..END).contains(&x).then_some(x as i64)
}

impl OneHotEncoder {
    /// Sets the ones; `find` gives the column of an element.
    fn encode<T>(&self, data: &[T], find: impl Fn(&T) -> Option<usize>) -> Result<Vec<f32>, String> {
        let mut output = vec![0.0; cells(data.len(), self.count)?];
        for ((place, x), columns) in data.iter().enumerate().zip(output.chunks_exact_mut(self.count)) {
            match find(x) {
                Some(column) => columns[column] = 1.0,
                None if self.zeros => {}
                None => return Err(format!("category {place} is unknown")),
            }
        }
        Ok(output)
    }
}

impl Operator for OneHotEncoder {
    fn name(&self) -> &'static str {
        "OneHotEncoder"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        if (input.dtype == DatumType::String) != matches!(self.categories, Categories::Strings(_)) {
            return Err(format!("it has no categories of {:?}", input.dtype));
        }
        Ok(vec![Fact::new(DatumType::F32, input.shape.iter().cloned().chain([self.count.to_dim()]))])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let data = match (&self.categories, input.data) {
            (Categories::Strings(of), Slice::String(data)) => self.encode(data, |x| of.get(x).copied()),
            (Categories::Ints(of), Slice::I64(data)) => self.encode(data, |x| of.get(x).copied()),
            (Categories::Ints(of), Slice::I32(data)) => self.encode(data, |x| of.get(&i64::from(*x)).copied()),
            (Categories::Ints(of), Slice::F32(data)) => self.encode(data, |x| of.get(&whole(f64::from(*x))?).copied()),
            (Categories::Ints(of), Slice::F64(data)) => self.encode(data, |x| of.get(&whole(*x)?).copied()),
            _ => Err(format!("it has no categories of {:?}", input.dtype())),
        }?;
        let shape = input.shape.iter().copied().chain([self.count]).collect();
        Ok(vec![Array { shape, data: Data::F32(data) }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        array::{Data, Slice},
        testing::{Value, read, run},
    };

    #[test]
    fn what_is_unknown_is_zeros_or_an_error() {
        for zeros in [0, 1] {
            let categories = ("cats_int64s", Value::Ints(&[0, -3]));
            let operator = read(super::read, &[categories, ("zeros", Value::Int(zeros))]).unwrap();
            let output = run(&operator, &[(&[1, 2], Slice::F32(&[-3.5, 0.0]))]).unwrap();
            assert_eq!((&output[0].shape[..], &output[0].data), (&[1, 2, 2][..], &Data::F32(vec![0.0, 1.0, 1.0, 0.0])));
            let unknown = run(&operator, &[(&[3], Slice::F32(&[f32::NAN, f32::INFINITY, 7.0]))]);
            assert_eq!(
                unknown.map(|output| output[0].data.clone()).ok(),
                (zeros == 1).then(|| Data::F32(vec![0.0; 6]))
            );
        }
    }
}
