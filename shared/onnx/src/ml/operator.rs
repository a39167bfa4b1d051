//! What an operator is, and how tract runs it.

use std::{fmt, sync::Arc};

use tract_onnx::{
    prelude::*,
    tract_core::{internal::*, op_out_of_plan},
    tract_hir::{
        infer::{InferenceOp, InferenceResult, Solver, TensorProxy},
        ops::expandable::{Expansion, expand},
    },
};

use super::array::{Array, Data, Slice, View};
use crate::registers;

/// One operator of a graph with its attributes read and checked, ready to run.
pub(crate) trait Operator: fmt::Debug + Send + Sync + 'static {
    /// Returns its name.
    fn name(&self) -> &'static str;

    /// Returns how many outputs it has.
    fn outputs(&self) -> usize {
        1
    }

    /// Tells whether a size of its outputs is known only when it has run, as how many words the longest text has. Its
    /// facts hold [`TOLD_BY_RUN`] for it.
    fn sizes_by_run(&self) -> bool {
        false
    }

    /// Returns what its outputs are, for inputs like these.
    ///
    /// # Errors
    /// The inputs are not what it takes, in words.
    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String>;

    /// Runs it.
    ///
    /// # Errors
    /// A row is not what it takes, in words.
    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String>;
}

/// Stands in facts for the one size of an operator's outputs that only a run tells.
pub(crate) const TOLD_BY_RUN: TDim = TDim::Val(-1);

/// The element type and shape of a tensor; a dimension may be the unknown number of rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fact {
    pub dtype: DatumType,
    pub shape: Vec<TDim>,
}

impl Fact {
    pub fn new(dtype: DatumType, shape: impl IntoIterator<Item = TDim>) -> Fact {
        // tract counts in a type of its own, which is int64 in ONNX.
        let dtype = if dtype == TDim::datum_type() { DatumType::I64 } else { dtype };
        Fact { dtype, shape: shape.into_iter().collect() }
    }

    /// Refuses strings for an operator that takes numbers.
    ///
    /// # Errors
    /// They are strings.
    pub fn numbers(&self) -> Result<(), String> {
        if self.dtype == DatumType::String {
            return Err("it takes numbers, not strings".to_owned());
        }
        Ok(())
    }

    /// Returns the number of rows: the first dimension, or 1 for a tensor of one dimension.
    pub fn rows(&self) -> TDim {
        if self.shape.len() < 2 { 1.to_dim() } else { self.shape[0].clone() }
    }

    /// Returns the number of columns, if it is known.
    pub fn columns(&self) -> Option<usize> {
        let columns = if self.shape.len() < 2 { &self.shape[..] } else { &self.shape[1..] };
        columns.iter().map(|dim| dim.to_usize().ok()).product()
    }
}

/// Hands an operator to tract's reader; the symbols are those of its model.
pub(crate) fn in_tract(operator: Arc<dyn Operator>, symbols: &SymbolScope) -> Box<dyn InferenceOp> {
    let size = operator.sizes_by_run().then(|| symbols.new_with_prefix("told_by_run"));
    expand(Node { operator, size })
}

/// Makes an operator a node for a graph that tract has read already.
pub(crate) fn typed(operator: Arc<dyn Operator>) -> Box<dyn TypedOp> {
    Box::new(Node { operator, size: None })
}

/// Returns the operator of a node, if it is one of ours.
pub(crate) fn of_node(node: &TypedNode) -> Option<Arc<dyn Operator>> {
    node.op_as::<Node>().map(|node| node.operator.clone())
}

/// An operator in a graph.
#[derive(Clone, Debug)]
struct Node {
    operator: Arc<dyn Operator>,
    /// The size that only a run tells. tract learns it from the first tensor that has it, this node's output, and works
    /// out from it what else depends on it.
    size: Option<Symbol>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        Arc::ptr_eq(&self.operator, &other.operator)
    }
}

impl Eq for Node {}

impl Node {
    fn facts_of(&self, inputs: &[Fact]) -> TractResult<Vec<Fact>> {
        let mut facts =
            self.operator.facts(inputs).map_err(|reason| format_err!("{}: {reason}", self.operator.name()))?;
        if let Some(size) = &self.size {
            let dims = facts.iter_mut().flat_map(|fact| &mut fact.shape);
            dims.filter(|dim| **dim == TOLD_BY_RUN).for_each(|dim| *dim = size.to_dim());
        }
        Ok(facts)
    }
}

impl Expansion for Node {
    fn name(&self) -> StaticName {
        self.operator.name().into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.operator.outputs())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        solver.given_all(inputs.iter().map(|input| &input.datum_type), move |solver, dtypes| {
            solver.given_all(inputs.iter().map(|input| &input.shape), move |solver, shapes| {
                let inputs: Vec<Fact> =
                    dtypes.iter().zip(shapes).map(|(dtype, shape)| Fact::new(*dtype, shape)).collect();
                for (output, fact) in outputs.iter().zip(self.facts_of(&inputs)?) {
                    solver.equals(&output.datum_type, fact.dtype)?;
                    solver.equals(&output.shape, TVec::from_iter(fact.shape))?;
                }
                Ok(())
            })
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for Node {
    fn name(&self) -> StaticName {
        self.operator.name().into()
    }

    fn mints_runtime_symbols(&self) -> bool {
        self.size.is_some()
    }

    op_as_typed_op!();
}

impl EvalOp for Node {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let whole = |input: TValue| match input.datum_type() {
            dtype if dtype == TDim::datum_type() => Ok(input.cast_to::<i64>()?.into_owned().into_tvalue()),
            _ => TractResult::Ok(input),
        };
        let inputs = inputs.into_iter().map(whole).collect::<TractResult<TVec<_>>>()?;
        let views = inputs.iter().map(|input| view(input)).collect::<TractResult<Vec<_>>>()?;
        registers::clear();
        let outputs = self.operator.run(&views).map_err(|reason| format_err!("{}: {reason}", self.operator.name()))?;
        outputs.into_iter().map(|output| tensor(output).map(IntoTValue::into_tvalue)).collect()
    }
}

impl TypedOp for Node {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let inputs: Vec<Fact> =
            inputs.iter().map(|fact| Fact::new(fact.datum_type, fact.shape.iter().cloned())).collect();
        Ok(self.facts_of(&inputs)?.into_iter().map(|fact| fact.dtype.fact(&*fact.shape)).collect())
    }

    as_op!();
}

/// Borrows a tensor of tract's.
fn view(tensor: &Tensor) -> TractResult<View<'_>> {
    let plain = tensor.try_as_plain_ram()?;
    let data = match tensor.datum_type() {
        DatumType::F32 => Slice::F32(plain.as_slice()?),
        DatumType::F64 => Slice::F64(plain.as_slice()?),
        DatumType::I64 => Slice::I64(plain.as_slice()?),
        DatumType::I32 => Slice::I32(plain.as_slice()?),
        DatumType::Bool => Slice::Bool(plain.as_slice()?),
        DatumType::String => Slice::String(plain.as_slice()?),
        other => bail!("it takes no tensor of {other:?}"),
    };
    Ok(View { shape: tensor.shape(), data })
}

/// Hands a tensor over to tract.
fn tensor(array: Array) -> TractResult<Tensor> {
    fn shaped<T: Datum>(shape: &[usize], data: Vec<T>) -> TractResult<Tensor> {
        Ok(Tensor::from(tract_ndarray::ArrayD::from_shape_vec(shape, data)?))
    }
    let shape = &array.shape;
    match array.data {
        Data::F32(data) => shaped(shape, data),
        Data::F64(data) => shaped(shape, data),
        Data::I64(data) => shaped(shape, data),
        Data::I32(data) => shaped(shape, data),
        Data::Bool(data) => shaped(shape, data),
        Data::String(data) => shaped(shape, data),
    }
}
