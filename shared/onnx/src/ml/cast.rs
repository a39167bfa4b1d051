//! `Cast` from and to strings, which tract does not have; every other cast is tract's.

mod number;

use std::sync::Arc;

use tract_onnx::{
    model::ParsingContext,
    pb::NodeProto,
    prelude::*,
    tract_core::{internal::*, ops::cast::cast},
    tract_hir::{
        infer::{InferenceOp, InferenceResult, Solver, TensorProxy},
        ops::expandable::{Expansion, expand},
    },
};

use super::{
    array::{Array, Data, Slice, View},
    operator::{Fact, Operator, typed},
};

/// A cast, of what only the graph around it tells.
#[derive(Clone, Debug)]
struct Cast {
    to: DatumType,
}

/// Reads a node for tract. <https://onnx.ai/onnx/operators/onnx__Cast.html>
pub(super) fn read(_: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    Ok((expand(Cast { to: node.get_attr("to")? }), Vec::new()))
}

impl Cast {
    fn is_text(&self, from: DatumType) -> bool {
        from == DatumType::String || self.to == DatumType::String
    }

    /// Returns what comes out. Sizes, which tract counts in a type of its own, stay in it where int64 is wanted; other numbers
    /// would lose their upper half on the way there.
    fn gives(&self, from: DatumType) -> DatumType {
        if self.to == DatumType::I64 && from == TDim::datum_type() { from } else { self.to }
    }
}

impl Expansion for Cast {
    fn name(&self) -> StaticName {
        "Cast".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        solver.equals(&outputs[0].rank, &inputs[0].rank)?;
        solver.equals(&outputs[0].shape, &inputs[0].shape)?;
        solver.given(&inputs[0].datum_type, move |solver, from| solver.equals(&outputs[0].datum_type, self.gives(from)))
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let from = model.outlet_fact(inputs[0])?.datum_type;
        if self.is_text(from) {
            return model.wire_node(prefix, typed(Arc::new(CastString { to: self.to })), inputs);
        }
        model.wire_node(prefix, cast(self.gives(from)), inputs)
    }
}

/// Numbers are written and read as onnxruntime does it, where the standard says less or something else. Floats of both
/// widths are written with 8 digits at most, NaN and infinities as `NaN`, `INF` and `-INF`, booleans as `1` and `0`.
/// What is read as a number may have more text behind it, and an integer ends at the first point: `12.7` is 12.
#[derive(Debug)]
struct CastString {
    to: DatumType,
}

impl Operator for CastString {
    fn name(&self) -> &'static str {
        "Cast"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        match (input.dtype, self.to) {
            (
                DatumType::String,
                DatumType::F32 | DatumType::F64 | DatumType::I64 | DatumType::I32 | DatumType::Bool | DatumType::String,
            )
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
