//! The third stroke: models. Features of many records become one call; the answers become fields of the record.

mod features;
mod outputs;

use std::sync::Arc;

use vrl::value::Value;

pub(crate) use features::{Feature, Layout};
pub(crate) use outputs::Outputs;

use crate::{
    error::{Code, Error, Kind, Stage},
    expression::{Evaluator, Expression},
    pipeline::Stubs,
    ports::{Model, ModelError, Tensors},
    record::Said,
    report::{Decision, Prediction},
};
use features::Rows;

/// One entry of `infer`.
pub(crate) struct Inference {
    pub name: Arc<str>,
    /// Its place in the record.
    pub place: usize,
    pub model: Arc<dyn Model>,
    /// The digest of the model's bytes, for the log.
    pub sha256: Arc<str>,
    pub when: Option<Expression>,
    /// Shared by all predictions.
    pub features: Arc<[Feature]>,
    pub layout: Layout,
    pub outputs: Outputs,
    /// Whether its probability is scored against outcomes.
    pub scored: bool,
}

/// What a row that goes into the model came from.
struct Asked {
    decision: usize,
    computed: Vec<Value>,
}

impl Inference {
    /// Runs the model for those decisions of a chunk that it is for. Runs on a CPU thread.
    pub fn run(&self, chunk: &mut [Decision], stubs: &Stubs, evaluator: &mut Evaluator) {
        let mut rows = Rows::new(&self.features, &self.layout, chunk.len());
        let mut asked = Vec::with_capacity(chunk.len());
        for (place, decision) in chunk.iter_mut().enumerate() {
            if decision.error.is_some() || !self.wanted(decision, evaluator) {
                continue;
            }
            if let Some(output) = stubs.predict.get(&*self.name) {
                self.predict(decision, Arc::default(), Vec::new(), Said::stand_in(output.clone()));
                continue;
            }
            match rows.add(&mut decision.record, evaluator) {
                Ok(computed) => asked.push(Asked { decision: place, computed }),
                Err(error) => {
                    decision.error = Some(Error { reason: format!("`{}`: {}", self.name, error.reason), ..error })
                }
            }
        }
        if asked.is_empty() {
            return;
        }
        let inputs = rows.into_tensors();
        match self.model.infer(&inputs) {
            Ok(outputs) => self.take(chunk, asked, &outputs),
            // One row that does not suit the model must not take the others with it.
            Err(error) if error.kind == Kind::Poison && inputs.rows > 1 => {
                for (row, asked) in asked.into_iter().enumerate() {
                    match self.model.infer(&features::row(&inputs, row)) {
                        Ok(outputs) => self.take(chunk, vec![asked], &outputs),
                        Err(error) => chunk[asked.decision].error = Some(self.failed(error)),
                    }
                }
            }
            Err(error) => {
                asked.into_iter().for_each(|asked| chunk[asked.decision].error = Some(self.failed(error.clone())));
            }
        }
    }

    fn wanted(&self, decision: &mut Decision, evaluator: &mut Evaluator) -> bool {
        let Some(when) = &self.when else { return true };
        when.holds(&mut decision.record, evaluator).unwrap_or_else(|reason| {
            let reason = format!("`{}.when`: {reason}", self.name);
            decision.error = Some(Error::poison(Stage::Infer, Code::INFER_WHEN, reason));
            false
        })
    }

    fn take(&self, chunk: &mut [Decision], asked: Vec<Asked>, outputs: &Tensors) {
        for (row, asked) in asked.into_iter().enumerate() {
            let decision = &mut chunk[asked.decision];
            match self.outputs.row(outputs, row) {
                Some(output) => self.predict(decision, self.features.clone(), asked.computed, output),
                None => {
                    let reason =
                        format!("`{}` gives a number that is not finite, or a probability outside 0 to 1", self.name);
                    decision.error = Some(Error::poison(Stage::Infer, Code::OUTPUT_VALUE, reason));
                }
            }
        }
    }

    fn predict(&self, decision: &mut Decision, features: Arc<[Feature]>, computed: Vec<Value>, output: Said) {
        let output = Arc::new(output);
        decision.record.say(self.place, output.clone());
        decision.predictions.push(Prediction { name: self.name.clone(), features, computed, output });
    }

    fn failed(&self, error: ModelError) -> Error {
        let code = if error.kind == Kind::Poison { Code::MODEL_REFUSED } else { Code::MODEL_FAILED };
        Error { kind: error.kind, stage: Stage::Infer, code, reason: format!("`{}`: {}", self.name, error.reason) }
    }
}
