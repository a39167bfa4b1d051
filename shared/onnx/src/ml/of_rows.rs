//! Operators of the standard domain on a matrix, all rows at once: Softmax, LogSoftmax and ArgMax over its columns. tract's take
//! the rows one by one, which is most of what a small classifier costs, and its LogSoftmax is the logarithm of what may be zero.

use std::sync::Arc;

use tract_onnx::{
    prelude::{DatumType, OutletId, ToDim, TractResult, TypedModel, TypedModelPatch, TypedNode, tvec},
    tract_core::{
        internal::DimLike,
        ops::{
            element_wise::ElementWiseOp,
            math::Ln,
            nn::{Reduce, Reducer, Softmax, SoftmaxKind},
        },
    },
};

use super::{
    array::{Array, Data, View},
    labels::highest,
    operator::{Fact, Operator, typed},
    softmax,
};

/// Columns up to which all rows at once are faster.
const NARROW: usize = 64;

/// Puts these operators in the place of tract's, where they are on a matrix of 32-bit floats.
pub(crate) fn replace(model: &mut TypedModel) -> TractResult<()> {
    // From behind: the logarithm of a softmax is looked at before the softmax is another operator.
    for place in (0..model.nodes().len()).rev() {
        let node = &model.nodes()[place];
        let Some((operator, input)) = in_place_of(model, node)? else { continue };
        let patch = TypedModelPatch::replace_single_op(model, node, &[input], typed(Arc::new(operator)))?;
        patch.apply(model)?;
    }
    Ok(())
}

/// Returns what can stand in a node's place, and what it takes.
fn in_place_of(model: &TypedModel, node: &TypedNode) -> TractResult<Option<(OfRows, OutletId)>> {
    let columns = tvec![1];
    let is_softmax = |node: &TypedNode| {
        node.op_as::<Softmax>().is_some_and(|of| of.axes == columns && of.kind == SoftmaxKind::Softmax)
    };
    // A logarithm the model itself takes of a softmax is infinite where the softmax is zero.
    let is_logarithm =
        node.name.ends_with(".logsoftmax") && node.op_as::<ElementWiseOp>().is_some_and(|of| of.0.is::<Ln>());
    let is_highest = |of: &Reduce| of.axes == columns && of.reducer == Reducer::ArgMax(false);
    let found = if is_softmax(node) {
        (OfRows::Softmax, node.inputs[0])
    } else if is_logarithm && is_softmax(model.node(node.inputs[0].node)) {
        (OfRows::LogSoftmax, model.node(node.inputs[0].node).inputs[0])
    } else if node.op_as::<Reduce>().is_some_and(is_highest) {
        (OfRows::ArgMax, node.inputs[0])
    } else {
        return Ok(None);
    };
    let fact = model.outlet_fact(found.1)?;
    let width = fact.shape.get(1).and_then(|width| width.to_usize().ok());
    // What tract does within a row is as fast for many columns.
    let most = if matches!(found.0, OfRows::Softmax) { NARROW } else { usize::MAX };
    let fits = width.is_some_and(|width| (1..=most).contains(&width));
    Ok((fact.datum_type == DatumType::F32 && fact.rank() == 2 && fits).then_some(found))
}

#[derive(Debug)]
enum OfRows {
    Softmax,
    LogSoftmax,
    ArgMax,
}

impl Operator for OfRows {
    fn name(&self) -> &'static str {
        match self {
            OfRows::Softmax => "Softmax",
            OfRows::LogSoftmax => "LogSoftmax",
            OfRows::ArgMax => "ArgMax",
        }
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        Ok(vec![match self {
            OfRows::Softmax | OfRows::LogSoftmax => input.clone(),
            OfRows::ArgMax => Fact::new(DatumType::I64, [input.rows(), 1.to_dim()]),
        }])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (rows, columns) = input.matrix();
        let numbers = input.f32s()?;
        Ok(vec![match self {
            OfRows::Softmax => {
                let mut scores = numbers.into_owned();
                softmax::of_rows(&mut scores, columns);
                Array { shape: input.shape.to_vec(), data: Data::F32(scores) }
            }
            OfRows::LogSoftmax => {
                let mut scores = numbers.into_owned();
                softmax::logarithms(&mut scores, columns);
                Array { shape: input.shape.to_vec(), data: Data::F32(scores) }
            }
            OfRows::ArgMax => {
                let best = numbers.chunks_exact(columns).map(|row| highest(row) as i64);
                Array { shape: vec![rows, 1], data: Data::I64(best.collect()) }
            }
        }])
    }
}
