//! `Imputer`: what stands for a missing number is replaced.

use std::sync::Arc;

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, Slice, View},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// As in onnxruntime, the replacements are used column by column if there is one for each; else the first one is used
/// for all. onnxruntime knows 32-bit floats and 64-bit whole numbers only; here all numbers of the specification work.
#[derive(Debug)]
enum Imputer {
    Floats { missing: f32, replacements: Vec<f32> },
    Ints { missing: i64, replacements: Vec<i64> },
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let floats = attributes.floats("imputed_value_floats")?.to_vec();
    let ints = attributes.ints("imputed_value_int64s")?.to_vec();
    let imputer = match (floats.is_empty(), ints.is_empty()) {
        (false, true) => {
            Imputer::Floats { missing: attributes.float("replaced_value_float")?.unwrap_or(0.0), replacements: floats }
        }
        (true, false) => {
            Imputer::Ints { missing: attributes.int("replaced_value_int64")?.unwrap_or(0), replacements: ints }
        }
        _ => return Err("it needs one of `imputed_value_floats` and `imputed_value_int64s`".to_owned()),
    };
    Ok(Arc::new(imputer))
}

/// Replaces what is missing; there is at least one replacement.
fn replace<T: Copy>(data: &[T], columns: usize, missing: impl Fn(T) -> bool, replacements: &[T]) -> Vec<T> {
    let all;
    let by_column = if replacements.len() == columns {
        replacements
    } else {
        all = vec![replacements[0]; columns];
        &all
    };
    let rows = data.chunks(columns.max(1));
    rows.flat_map(|row| row.iter().zip(by_column).map(|(x, other)| if missing(*x) { *other } else { *x })).collect()
}

impl Operator for Imputer {
    fn name(&self) -> &'static str {
        "Imputer"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        match (self, input.dtype) {
            (Imputer::Floats { .. }, DatumType::F32 | DatumType::F64) => {}
            (Imputer::Ints { .. }, DatumType::I64 | DatumType::I32) => {}
            (_, dtype) => return Err(format!("its replacements are not for {dtype:?}")),
        }
        Ok(vec![input.clone()])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (_, columns) = input.matrix();
        let data = match (self, input.data) {
            (Imputer::Floats { missing, replacements }, Slice::F32(data)) => {
                let is_missing = |x: f32| x == *missing || x.is_nan() && missing.is_nan();
                Data::F32(replace(data, columns, is_missing, replacements))
            }
            (Imputer::Floats { missing, replacements }, Slice::F64(data)) => {
                let is_missing = |x: f64| x == f64::from(*missing) || x.is_nan() && missing.is_nan();
                let replacements: Vec<f64> = replacements.iter().map(|x| f64::from(*x)).collect();
                Data::F64(replace(data, columns, is_missing, &replacements))
            }
            (Imputer::Ints { missing, replacements }, Slice::I64(data)) => {
                Data::I64(replace(data, columns, |x| x == *missing, replacements))
            }
            (Imputer::Ints { missing, replacements }, Slice::I32(data)) => {
                let replacements: Result<Vec<i32>, _> = replacements.iter().map(|x| i32::try_from(*x)).collect();
                let replacements = replacements.map_err(|_| "a replacement does not fit into 32 bits")?;
                Data::I32(replace(data, columns, |x| i64::from(x) == *missing, &replacements))
            }
            _ => return Err(format!("its replacements are not for {:?}", input.dtype())),
        };
        Ok(vec![Array { shape: input.shape.to_vec(), data }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        array::{Data, Slice},
        testing::{Value, read, run},
    };

    #[test]
    fn nan_can_stand_for_what_is_missing() {
        let nan = ("replaced_value_float", Value::Float(f32::NAN));
        let operator = read(super::read, &[("imputed_value_floats", Value::Floats(&[1.0, 2.0])), nan]).unwrap();
        let output = run(&operator, &[(&[2, 2], Slice::F64(&[f64::NAN, 5.0, 6.0, f64::NAN]))]).unwrap();
        assert_eq!(output[0].data, Data::F64(vec![1.0, 5.0, 6.0, 2.0]));
        let output = run(&operator, &[(&[1, 3], Slice::F32(&[0.0, f32::NAN, f32::NAN]))]).unwrap();
        assert_eq!(output[0].data, Data::F32(vec![0.0, 1.0, 1.0]));
        assert!(run(&operator, &[(&[1], Slice::I64(&[0]))]).is_err());
    }
}
