//! Graphs of our operators alone, run without tract: rows are borrowed and answers handed over, where tract wants copies, and
//! a call of one row does not wait for its bookkeeping. Most trees, linear models and scalers are such graphs.

use std::{collections::HashMap, sync::Arc};

use fourstroke::ports::{Port, Tensor, Tensors};
use tract_onnx::{
    prelude::{OutletId, TypedModel},
    tract_core::ops::source::TypedSource,
};

use crate::ml::{
    array::{Array, Data, Slice, View},
    operator::{Operator, of_node},
};

/// The operators of a graph in an order they can be run in.
#[derive(Debug)]
pub(crate) struct Direct {
    steps: Vec<Step>,
    /// Step and output of each.
    outputs: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Step {
    operator: Arc<dyn Operator>,
    inputs: Vec<Origin>,
}

/// Where a tensor comes from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Input(usize),
    Step(usize, usize),
}

impl Direct {
    /// Takes a graph apart; none if some of it is tract's.
    pub fn of(model: &TypedModel) -> Option<Direct> {
        let mut known: HashMap<OutletId, Origin> = HashMap::new();
        for (place, outlet) in model.inputs.iter().enumerate() {
            known.insert(*outlet, Origin::Input(place));
        }
        let mut steps = Vec::new();
        for place in model.eval_order().ok()? {
            let node = model.node(place);
            if node.op_is::<TypedSource>() {
                continue;
            }
            let operator = of_node(node)?;
            let inputs = node.inputs.iter().map(|input| known.get(input).copied()).collect::<Option<_>>()?;
            for output in 0..node.outputs.len() {
                known.insert(OutletId::new(place, output), Origin::Step(steps.len(), output));
            }
            steps.push(Step { operator, inputs });
        }
        let mut outputs = Vec::new();
        for output in &model.outputs {
            // What is an input at once, or another output, would have to be copied.
            match known.remove(output)? {
                Origin::Step(step, output) => outputs.push((step, output)),
                Origin::Input(_) => return None,
            }
        }
        Some(Direct { steps, outputs })
    }

    /// Runs rows whose types and lengths have been checked.
    ///
    /// # Errors
    /// The operator and what it says.
    pub fn run(&self, inputs: &[Port], rows: &Tensors) -> Result<Vec<Array>, String> {
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|port| crate::run::shape(port, rows.rows)).collect();
        let mut made: Vec<Vec<Array>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let views: Vec<View<'_>> = step
                .inputs
                .iter()
                .map(|from| match from {
                    Origin::Input(place) => View { shape: &shapes[*place], data: slice(&rows.data[*place]) },
                    Origin::Step(step, output) => made[*step][*output].view(),
                })
                .collect();
            let outputs = step.operator.run(&views).map_err(|reason| format!("{}: {reason}", step.operator.name()))?;
            made.push(outputs);
        }
        let take = |(step, output): &(usize, usize)| {
            let nothing = Array { shape: Vec::new(), data: Data::F32(Vec::new()) };
            std::mem::replace(&mut made[*step][*output], nothing)
        };
        Ok(self.outputs.iter().map(take).collect())
    }
}

fn slice(tensor: &Tensor) -> Slice<'_> {
    match tensor {
        Tensor::F32(data) => Slice::F32(data),
        Tensor::F64(data) => Slice::F64(data),
        Tensor::I64(data) => Slice::I64(data),
        Tensor::Bool(data) => Slice::Bool(data),
        Tensor::String(data) => Slice::String(data),
    }
}
