//! `Binarizer`: 1 where a number is greater than a threshold, else 0.

use std::sync::Arc;

use super::{
    array::{Array, Data, Slice, View},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// As in onnxruntime, NaN is an error. onnxruntime knows 32-bit floats only; here all numbers of the specification
/// work.
#[derive(Debug)]
struct Binarizer {
    threshold: f32,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    Ok(Arc::new(Binarizer { threshold: attributes.float("threshold")?.unwrap_or(0.0) }))
}

impl Operator for Binarizer {
    fn name(&self) -> &'static str {
        "Binarizer"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.numbers()?;
        Ok(vec![input.clone()])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let numbers = input.f64s()?;
        if let Some(place) = numbers.iter().position(|x| x.is_nan()) {
            return Err(format!("number {place} is NaN"));
        }
        let threshold = f64::from(self.threshold);
        let greater = numbers.iter().map(|x| u8::from(*x > threshold));
        let data = match input.data {
            Slice::F32(_) => Data::F32(greater.map(f32::from).collect()),
            Slice::F64(_) => Data::F64(greater.map(f64::from).collect()),
            Slice::I64(_) => Data::I64(greater.map(i64::from).collect()),
            Slice::I32(_) => Data::I32(greater.map(i32::from).collect()),
            Slice::Bool(_) | Slice::String(_) => return Err(format!("it takes no {:?}", input.dtype())),
        };
        Ok(vec![Array { shape: input.shape.to_vec(), data }])
    }
}
