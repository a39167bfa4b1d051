//! `Flatten`, of what has two sizes that only a run tells: rows, and the tokens of the longest text. tract's own
//! refuses that. Apart from it, this is the same.

use tract_onnx::{
    model::ParsingContext,
    pb::NodeProto,
    prelude::*,
    tract_core::{internal::*, ops::change_axes::to_axis_ops_with_tf_rules},
    tract_hir::{
        infer::{InferenceOp, InferenceResult, ShapeFactoid, Solver, TensorProxy},
        ops::expandable::{Expansion, expand},
    },
};

use super::attributes::Attributes;

#[derive(Clone, Debug)]
struct Flatten {
    axis: i64,
}

/// Reads a node for tract. <https://onnx.ai/onnx/operators/onnx__Flatten.html>
pub(super) fn read(_: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let axis = Attributes { node, version: 1 }.int("axis").map_err(|reason| format_err!("Flatten: {reason}"))?;
    Ok((expand(Flatten { axis: axis.unwrap_or(1) }), Vec::new()))
}

impl Flatten {
    fn flat(&self, shape: &[TDim]) -> TractResult<[TDim; 2]> {
        let from_end = if self.axis < 0 { shape.len() as i64 } else { 0 };
        let axis = usize::try_from(self.axis.saturating_add(from_end)).ok();
        let (rows, columns) = axis
            .and_then(|axis| shape.split_at_checked(axis))
            .ok_or_else(|| format_err!("Flatten: {} dimensions have no axis {}", shape.len(), self.axis))?;
        Ok([rows, columns].map(|dims| dims.iter().product()))
    }
}

impl Expansion for Flatten {
    fn name(&self) -> StaticName {
        "Flatten".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        solver.equals(&outputs[0].datum_type, &inputs[0].datum_type)?;
        solver.given(&inputs[0].shape, move |solver, shape| {
            let flat = self.flat(&shape)?;
            solver.equals(&outputs[0].shape, ShapeFactoid::from(flat.to_vec()))
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let shape = model.outlet_fact(inputs[0])?.shape.to_tvec();
        let mut wire = tvec!(inputs[0]);
        for (place, op) in to_axis_ops_with_tf_rules(&shape, &self.flat(&shape)?)?.into_iter().enumerate() {
            wire = model.wire_node(format!("{prefix}.{place}"), op, &wire)?;
        }
        Ok(wire)
    }
}
