//! `Normalizer`: each row divided by its norm.

use std::sync::Arc;

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, View},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// The norm of a row. As in onnxruntime, `MAX` is the greatest number and not the greatest absolute value, and a row
/// whose norm is zero stays as it is.
#[derive(Clone, Copy, Debug)]
enum Normalizer {
    Max,
    L1,
    L2,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let normalizer = match attributes.string("norm")?.as_deref() {
        None | Some("MAX") => Normalizer::Max,
        Some("L1") => Normalizer::L1,
        Some("L2") => Normalizer::L2,
        Some(other) => return Err(format!("there is no norm `{other}`")),
    };
    Ok(Arc::new(normalizer))
}

impl Normalizer {
    fn divide(self, row: &mut [f32]) {
        let norm = match self {
            Normalizer::Max => row.iter().fold(f32::MIN, |max, x| if *x > max { *x } else { max }),
            Normalizer::L1 => row.iter().fold(0.0, |sum, x| sum + x.abs()),
            Normalizer::L2 => row.iter().fold(0.0, |sum, x| sum + x * x),
        };
        if norm == 0.0 {
            return;
        }
        for x in row {
            *x = match self {
                Normalizer::Max | Normalizer::L1 => *x / norm,
                // onnxruntime's way: the root of the quotient, not the quotient of the roots.
                Normalizer::L2 => (*x * *x / norm).sqrt() * if *x < 0.0 { -1.0 } else { 1.0 },
            };
        }
    }
}

impl Operator for Normalizer {
    fn name(&self) -> &'static str {
        "Normalizer"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.numbers()?;
        Ok(vec![Fact::new(DatumType::F32, input.shape.iter().cloned())])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (_, columns) = input.matrix();
        let mut data = input.f32s()?.into_owned();
        data.chunks_mut(columns.max(1)).for_each(|row| self.divide(row));
        Ok(vec![Array { shape: input.shape.to_vec(), data: Data::F32(data) }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        array::{Data, Slice},
        testing::{Value, read, run},
    };

    #[test]
    fn zero_rows_stay_and_the_greatest_may_be_negative() {
        for (norm, negative) in
            [("MAX", [1.0, 2.0]), ("L1", [-1.0 / 3.0, -2.0 / 3.0]), ("L2", [-0.2f32.sqrt(), -0.8f32.sqrt()])]
        {
            let operator = read(super::read, &[("norm", Value::Text(norm))]).unwrap();
            let output = run(&operator, &[(&[2, 2], Slice::I64(&[0, 0, -1, -2]))]).unwrap();
            assert_eq!(output[0].data, Data::F32(vec![0.0, 0.0, negative[0], negative[1]]), "{norm}");
        }
        assert!(read(super::read, &[("norm", Value::Text("L3"))]).is_err());
    }
}
