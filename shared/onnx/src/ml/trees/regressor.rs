//! `TreeEnsembleRegressor`.

use std::sync::Arc;

use tract_onnx::prelude::DatumType;
use tract_onnx::prelude::ToDim;

use super::{
    forest::{Forest, Score, Scores},
    nodes, numbers,
};
use crate::{
    ml::{
        array::{Array, Data, View},
        attributes::Attributes,
        operator::{Fact, Operator},
        post_transform::PostTransform,
    },
    trees::Aggregate,
};

/// The most targets a model may have.
pub(super) const MAX_TARGETS: usize = 1 << 20;

/// Scores become 32-bit floats. As in onnxruntime, those of whole numbers are added up as whole numbers, a regressor of one target
/// knows no transform but `PROBIT`, and base values count only where there is one for each target.
#[derive(Debug)]
struct Regressor {
    forest: Forest,
    base: Vec<f64>,
    transform: PostTransform,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html>
pub(in crate::ml) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let targets = attributes.int("n_targets")?.unwrap_or(1);
    let targets = usize::try_from(targets).ok().filter(|targets| (1..=MAX_TARGETS).contains(targets));
    let targets = targets.ok_or("`n_targets` is out of bounds")?;
    let aggregate = match attributes.string("aggregate_function")?.as_deref() {
        None | Some("SUM") => Aggregate::Sum,
        Some("AVERAGE") => Aggregate::Average,
        Some("MIN") => Aggregate::Min,
        Some("MAX") => Aggregate::Max,
        Some(other) => return Err(format!("there is no aggregate_function `{other}`")),
    };
    let growth = nodes::read(attributes, "target", targets)?;
    let (base, _) = numbers(attributes, "base_values")?;
    let transform = PostTransform::read(attributes.string("post_transform")?.as_deref())?;
    Ok(Arc::new(Regressor { forest: Forest::new(growth, aggregate).whole(), base, transform }))
}

impl Operator for Regressor {
    fn name(&self) -> &'static str {
        "TreeEnsembleRegressor"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        self.forest.check(input.dtype, input.columns())?;
        Ok(vec![Fact::new(DatumType::F32, [input.rows(), self.forest.targets().to_dim()])])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let targets = self.forest.targets();
        let scores = match self.forest.score(*input)? {
            Scores::Single(scores) => finished(scores, targets, &self.base, self.transform),
            Scores::Double(scores) => finished(scores, targets, &self.base, self.transform),
        };
        Ok(vec![Array { shape: vec![input.matrix().0, targets], data: Data::F32(scores) }])
    }
}

/// Adds base values to what trees said, and transforms each row.
pub(super) fn finished<T: Score>(scores: Vec<T>, targets: usize, base: &[f64], transform: PostTransform) -> Vec<f32> {
    let base: Vec<T> = if base.len() == targets { base.iter().map(|base| T::of(*base)).collect() } else { Vec::new() };
    let mut finished: Vec<f32> = match base.as_slice() {
        [] => scores.into_iter().map(Score::rounded).collect(),
        base => scores.into_iter().zip(base.iter().cycle()).map(|(score, base)| score.add(*base).rounded()).collect(),
    };
    if transform != PostTransform::None {
        transform.apply(&mut finished, targets);
    }
    finished
}
