//! `Cast` from and to strings, which tract does not have. The rewriter gives such casts the name below; all others stay
//! tract's, and so are not run here.

mod number;

use std::sync::Arc;

use tract_onnx::{pb::tensor_proto::DataType, prelude::DatumType};

use super::{
    array::{Array, Data, Slice, View},
    attributes::Attributes,
    operator::{Fact, Operator},
};

/// The domain of what is only in rewritten graphs.
pub(crate) const DOMAIN: &str = "fourstroke";

/// The name of a cast from or to strings.
pub(crate) const NAME: &str = "CastString";

/// Numbers are written and read as onnxruntime does it, where the standard says less or something else. Floats of both
/// widths are written with 8 digits at most, NaN and infinities as `NaN`, `INF` and `-INF`, booleans as `1` and `0`.
/// What is read as a number may have more text behind it, and an integer ends at the first point: `12.7` is 12.
#[derive(Debug)]
struct CastString {
    to: DatumType,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx__Cast.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let to = attributes.int("to")?.ok_or("it has no `to`")?;
    let to = i32::try_from(to).ok().and_then(|to| DataType::try_from(to).ok()).unwrap_or_default();
    let to = match to {
        DataType::Float => DatumType::F32,
        DataType::Double => DatumType::F64,
        DataType::Int64 => DatumType::I64,
        DataType::Int32 => DatumType::I32,
        DataType::Bool => DatumType::Bool,
        DataType::String => DatumType::String,
        other => return Err(format!("it cannot make {} of strings", other.as_str_name())),
    };
    Ok(Arc::new(CastString { to }))
}

impl Operator for CastString {
    fn name(&self) -> &'static str {
        "Cast"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        match (input.dtype, self.to) {
            (DatumType::String, _)
            | (
                DatumType::F32 | DatumType::F64 | DatumType::I64 | DatumType::I32 | DatumType::Bool,
                DatumType::String,
            ) => Ok(vec![Fact::new(self.to, input.shape.iter().cloned())]),
            (from, to) => Err(format!("it makes no {to:?} of {from:?} here")),
        }
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let data = match (self.to, input.data) {
            (DatumType::String, data) => Data::String(written(data)),
            (to, Slice::String(texts)) => numbers(to, texts)?,
            (to, _) => return Err(format!("it makes no {to:?} of {:?} here", input.dtype())),
        };
        Ok(vec![Array { shape: input.shape.to_vec(), data }])
    }
}

fn written(data: Slice<'_>) -> Vec<String> {
    match data {
        Slice::F32(data) => data.iter().map(|x| number::write(f64::from(*x))).collect(),
        Slice::F64(data) => data.iter().map(|x| number::write(*x)).collect(),
        Slice::I64(data) => data.iter().map(i64::to_string).collect(),
        Slice::I32(data) => data.iter().map(i32::to_string).collect(),
        Slice::Bool(data) => data.iter().map(|x| u8::from(*x).to_string()).collect(),
        Slice::String(data) => data.to_vec(),
    }
}

/// Reads numbers from what texts begin with.
///
/// # Errors
/// A text begins with none, or one that has no room.
pub(super) fn numbers(to: DatumType, texts: &[String]) -> Result<Data, String> {
    Ok(match to {
        DatumType::F32 => Data::F32(all(texts, |text| number::float(text).map(|x| x as f32))?),
        DatumType::F64 => Data::F64(all(texts, number::float)?),
        DatumType::I64 => Data::I64(all(texts, number::int)?),
        // Too large an integer loses its upper half, as in onnxruntime.
        DatumType::I32 => Data::I32(all(texts, |text| number::int(text).map(|x| x as i32))?),
        DatumType::Bool => Data::Bool(all(texts, |text| number::unsigned(text).map(|x| x != 0))?),
        other => return Err(format!("it makes no {other:?} of strings")),
    })
}

fn all<T>(texts: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let one = |(place, text): (usize, &String)| {
        // The text is left out: it may be nobody's business but the sender's.
        read(text).ok_or_else(|| format!("the string at place {place} is not a number, or too large or small a one"))
    };
    texts.iter().enumerate().map(one).collect()
}
