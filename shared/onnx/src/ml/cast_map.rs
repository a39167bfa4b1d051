//! `CastMap`: the values of a map, in the order of their keys, as another type. What was a map is a tensor here: the rewrite
//! made its keys columns.

use std::sync::Arc;

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, Slice, View},
    attributes::Attributes,
    cast,
    operator::{Fact, Operator},
};

#[derive(Debug)]
struct CastMap {
    to: DatumType,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_CastMap.html> As onnxruntime does, floats are written with six
/// digits behind the point, and text that is no number is refused.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let to = match attributes.string("cast_to")?.as_deref() {
        None | Some("TO_FLOAT") => DatumType::F32,
        Some("TO_INT64") => DatumType::I64,
        Some("TO_STRING") => DatumType::String,
        Some(other) => return Err(format!("`cast_to` is {other}")),
    };
    Ok(Arc::new(CastMap { to }))
}

impl Operator for CastMap {
    fn name(&self) -> &'static str {
        "CastMap"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        Ok(vec![Fact::new(self.to, input.shape.iter().cloned())])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let data = match (self.to, input.data) {
            (DatumType::String, Slice::String(texts)) => Data::String(texts.to_vec()),
            (to, Slice::String(texts)) => {
                // What a sparse map does not have is no text.
                let text = |text: &String| if text.is_empty() { "0".to_owned() } else { text.clone() };
                cast::numbers(to, &texts.iter().map(text).collect::<Vec<_>>())?
            }
            (DatumType::I64, Slice::I64(numbers)) => Data::I64(numbers.to_vec()),
            (DatumType::I64, _) => Data::I64(input.f64s()?.iter().map(|x| *x as i64).collect()),
            (DatumType::String, Slice::I64(numbers)) => Data::String(numbers.iter().map(i64::to_string).collect()),
            (DatumType::String, _) => Data::String(input.f32s()?.iter().map(|x| format!("{x:.6}")).collect()),
            _ => Data::F32(input.f32s()?.into_owned()),
        };
        Ok(vec![Array { shape: input.shape.to_vec(), data }])
    }
}
