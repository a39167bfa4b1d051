//! Operators of the standard domain on a matrix, all rows at once: Softmax and ArgMax over its columns. tract's take the
//! rows one by one, which is most of what a small classifier costs.

use std::sync::Arc;

use tract_onnx::{
    prelude::{DatumType, ToDim, TractResult, TypedModel, TypedModelPatch, TypedNode, tvec},
    tract_core::{
        internal::DimLike,
        ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind},
    },
};

use super::{
    array::{Array, Data, View},
    operator::{Fact, Operator, typed},
    softmax,
};

/// Puts these operators in the place of tract's, where they are on a matrix of 32-bit floats.
pub(crate) fn replace(model: &mut TypedModel) -> TractResult<()> {
    for place in 0..model.nodes().len() {
        let node = &model.nodes()[place];
        let Some(operator) = in_place_of(model, node)? else { continue };
        let patch = TypedModelPatch::replace_single_op(model, node, &node.inputs, typed(operator))?;
        patch.apply(model)?;
    }
    Ok(())
}

fn in_place_of(model: &TypedModel, node: &TypedNode) -> TractResult<Option<Arc<dyn Operator>>> {
    let (softmax, reduce) = (node.op_as::<Softmax>(), node.op_as::<Reduce>());
    let columns = tvec![1];
    let operator: Arc<dyn Operator> = match (softmax, reduce) {
        (Some(of), _) if of.axes == columns && of.kind == SoftmaxKind::Softmax => Arc::new(OfRows::Softmax),
        (_, Some(of)) if of.axes == columns && of.reducer == Reducer::ArgMax(false) => Arc::new(OfRows::ArgMax),
        _ => return Ok(None),
    };
    let fact = model.outlet_fact(node.inputs[0])?;
    let is_matrix =
        fact.datum_type == DatumType::F32 && fact.rank() == 2 && fact.shape[1].to_usize().is_ok_and(|width| width > 0);
    Ok(is_matrix.then_some(operator))
}

#[derive(Debug)]
enum OfRows {
    Softmax,
    ArgMax,
}

impl Operator for OfRows {
    fn name(&self) -> &'static str {
        match self {
            OfRows::Softmax => "Softmax",
            OfRows::ArgMax => "ArgMax",
        }
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        Ok(vec![match self {
            OfRows::Softmax => input.clone(),
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
            OfRows::ArgMax => {
                let best = |row: &[f32]| {
                    let higher = |best: (usize, f32), next: (usize, f32)| if next.1 > best.1 { next } else { best };
                    row.iter().copied().enumerate().fold((0, f32::MIN), higher).0 as i64
                };
                Array { shape: vec![rows, 1], data: Data::I64(numbers.chunks_exact(columns).map(best).collect()) }
            }
        }])
    }
}
