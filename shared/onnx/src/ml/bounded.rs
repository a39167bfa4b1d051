//! Operators of tract's that make something large of a few numbers: refused by the size of what they would make, before
//! tract makes it to see what becomes of constants.

use std::{collections::HashMap, sync::LazyLock};

use tract_onnx::{
    model::{Onnx, ParsingContext},
    pb::NodeProto,
    prelude::*,
    tract_core::internal::*,
    tract_hir::{
        infer::{InferenceModel, InferenceNode, InferenceOp, InferenceResult, Solver, TensorProxy},
        ops::expandable::{Expansion, expand},
    },
};

use super::array::CELL_LIMIT;

/// What makes its output's numbers one by one.
const LARGE: [&str; 9] =
    ["ConstantOfShape", "Expand", "EyeLike", "OneHot", "Pad", "Range", "Resize", "Tile", "Upsample"];

type OpBuilder = fn(&ParsingContext<'_>, &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// What reads them, by name.
static READ: LazyLock<HashMap<&str, OpBuilder>> = LazyLock::new(|| {
    let onnx = tract_onnx::onnx();
    LARGE.into_iter().filter_map(|name| Some((name, *onnx.op_register.0.get(name)?))).collect()
});

/// Puts bounded ones in their place.
pub(super) fn register(onnx: &mut Onnx) {
    for name in READ.keys() {
        onnx.op_register.0.insert((*name).to_owned(), read);
    }
}

fn read(context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let read = READ.get(&*node.op_type).ok_or_else(|| format_err!("{} is not bounded", node.op_type))?;
    let (operator, inputs) = read(context, node)?;
    Ok(match operator.as_op().downcast_ref::<Box<dyn Expansion>>() {
        Some(expansion) => (expand(Bounded(expansion.clone())), inputs),
        None => (operator, inputs),
    })
}

#[derive(Clone, Debug)]
struct Bounded(Box<dyn Expansion>);

impl Expansion for Bounded {
    fn name(&self) -> StaticName {
        self.0.name()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.0.nboutputs()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        self.0.rules(solver, inputs, outputs)?;
        solver.given(&outputs[0].shape, |_, shape| {
            let numbers = shape.iter().map(|dim| dim.to_usize().unwrap_or(1)).try_fold(1_usize, usize::checked_mul);
            if numbers.is_none_or(|numbers| numbers > CELL_LIMIT) {
                bail!("it makes more than {CELL_LIMIT} numbers");
            }
            Ok(())
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        self.0.wire(prefix, model, inputs)
    }

    fn wire_with_inference_model_and_node(
        &self,
        prefix: &str,
        model: &InferenceModel,
        node: &InferenceNode,
        typed: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        self.0.wire_with_inference_model_and_node(prefix, model, node, typed, inputs)
    }
}
