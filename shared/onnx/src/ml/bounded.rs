//! tract's operators, refused by the size of what they would make of constants before tract makes it: a hundred bytes of a
//! model can ask for gigabytes.

use std::{collections::HashMap, sync::LazyLock};

use tract_onnx::{
    model::{Onnx, ParsingContext},
    pb::NodeProto,
    prelude::*,
    tract_core::{internal::*, ops::konst::Const},
    tract_hir::infer::{Factoid, InferenceFact, InferenceModel, InferenceModelPatch, InferenceNode, InferenceOp},
};

use super::array::CELL_LIMIT;

/// What has graphs inside, or is a constant, which tract looks at itself.
const LEFT_ALONE: [&str; 4] = ["Constant", "If", "Loop", "Scan"];
/// Allocates what an attribute says when it is read; it never was part of the standard.
const REFUSED: &str = "ConstantLike";
/// What takes sizes as numbers: tract works out its shape by their lower halves.
const SIZED: [&str; 8] = ["ConstantOfShape", "Expand", "OneHot", "Pad", "Range", "Resize", "Tile", "Upsample"];
/// The most numbers that are made only to see what becomes of constants.
const WORTH_MAKING: usize = 1 << 22;

type OpBuilder = fn(&ParsingContext<'_>, &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)>;
type Facts = TVec<InferenceFact>;

/// What reads tract's operators, by name.
static READ: LazyLock<HashMap<String, OpBuilder>> = LazyLock::new(|| {
    let all = tract_onnx::onnx().op_register.0.into_iter();
    all.filter(|(name, _)| !LEFT_ALONE.contains(&name.as_str()) && name != REFUSED).collect()
});

/// Puts bounded ones in the place of all that are there.
pub(super) fn register(onnx: &mut Onnx) {
    onnx.op_register.0.remove(REFUSED);
    for (name, builder) in &mut onnx.op_register.0 {
        if READ.contains_key(name) {
            *builder = read;
        }
    }
}

fn read(context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let read = READ.get(&node.op_type).ok_or_else(|| format_err!("{} is not bounded", node.op_type))?;
    let (operator, inputs) = read(context, node)?;
    if operator.as_op().downcast_ref::<Const>().is_some() {
        return Ok((operator, inputs));
    }
    let sized = SIZED.contains(&node.op_type.as_str());
    Ok((Box::new(Bounded { operator, sized }), inputs))
}

#[derive(Clone, Debug)]
struct Bounded {
    operator: Box<dyn InferenceOp>,
    /// Some of its inputs are sizes.
    sized: bool,
}

impl PartialEq for Bounded {
    fn eq(&self, _: &Bounded) -> bool {
        false
    }
}

impl Eq for Bounded {}

impl Bounded {
    /// Returns how many numbers all outputs have, as far as that is known.
    fn numbers(outputs: &Facts) -> usize {
        let volume = |fact: &InferenceFact| {
            let shape = fact.shape.concretize()?;
            let sizes = shape.iter().map(|dim| dim.to_usize().unwrap_or(1));
            Some(sizes.fold(1_usize, usize::saturating_mul))
        };
        outputs.iter().filter_map(volume).fold(0, usize::saturating_add)
    }

    /// Tells whether a whole number goes in that has no lower half alone.
    fn takes_too_large(inputs: &Facts) -> bool {
        let beyond = |number: &i64| i32::try_from(*number).is_err();
        inputs.iter().filter_map(|fact| fact.value.concretize()).any(|tensor| {
            let plain = (tensor.datum_type() == i64::datum_type()).then(|| tensor.as_plain_ram()).flatten();
            plain
                .and_then(|plain| plain.as_slice::<i64>().ok().map(|numbers| numbers.iter().any(beyond)))
                .unwrap_or(false)
        })
    }
}

impl Op for Bounded {
    fn name(&self) -> StaticName {
        self.operator.name()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        self.operator.info()
    }

    fn validation(&self) -> Validation {
        self.operator.validation()
    }

    fn mints_runtime_symbols(&self) -> bool {
        self.operator.mints_runtime_symbols()
    }

    not_a_typed_op!();
}

impl EvalOp for Bounded {
    fn eval(&self, context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.operator.eval(context, inputs)
    }

    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.operator.eval_out_of_plan(inputs)
    }
}

impl InferenceOp for Bounded {
    fn infer(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(Facts, Facts, Facts)> {
        let facts = self.operator.infer_facts(inputs.clone(), outputs.clone(), observed.clone())?;
        let numbers = Bounded::numbers(&facts.1);
        if self.sized && Bounded::takes_too_large(&facts.0) {
            bail!("it takes a size beyond 32 bits");
        }
        if numbers > CELL_LIMIT {
            bail!("it makes more than {CELL_LIMIT} numbers");
        }
        let all_known = facts.0.iter().all(|fact| fact.value.concretize().is_some());
        if !all_known || numbers > WORTH_MAKING {
            return Ok(facts);
        }
        self.operator.infer(inputs, outputs, observed)
    }

    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(Facts, Facts, Facts)> {
        self.operator.infer_facts(inputs, outputs, observed)
    }

    fn observe_outlets(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Vec<OutletId>> {
        self.operator.observe_outlets(model, node)
    }

    fn incorporate(&self, model: &InferenceModel, node: &InferenceNode) -> TractResult<Option<InferenceModelPatch>> {
        self.operator.incorporate(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.operator.nboutputs()
    }

    fn as_op(&self) -> &dyn Op {
        self
    }

    fn as_op_mut(&mut self) -> &mut dyn Op {
        self
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        self.operator.to_typed(source, node, target, mapping)
    }
}
