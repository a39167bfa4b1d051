//! `SVMRegressor`.

use std::sync::Arc;

use tract_onnx::{prelude::DatumType, tract_core::internal::ToDim};

use super::{
    super::{
        array::{Array, Data, View},
        attributes::Attributes,
        dot::dot,
        operator::{Fact, Operator},
        post_transform::PostTransform,
    },
    kernel::{Vectors, check},
};

/// As in onnxruntime, `post_transform` is read but does nothing, and without support vectors the kernel is linear,
/// whatever `kernel_type` says. onnxruntime knows 32-bit floats only; here all numbers of the specification work.
#[derive(Debug)]
struct SvmRegressor {
    /// None for a linear machine.
    vectors: Option<Vectors>,
    /// One for each vector; those of a linear machine, one for each column.
    coefficients: Vec<f32>,
    rho: f32,
    /// Whether the output is only 1 or -1, for what is like the data it was trained with and what is not.
    one_class: bool,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html>
pub(in super::super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    PostTransform::read(attributes.string("post_transform")?.as_deref())?;
    let mut coefficients = attributes.floats("coefficients")?.to_vec();
    let count = usize::try_from(attributes.int("n_supports")?.unwrap_or(0)).unwrap_or(0);
    let vectors = if count > 0 { Some(Vectors::read(attributes, count)?) } else { None };
    if coefficients.is_empty() || coefficients.len() < count {
        return Err(format!("it has {} coefficients for {count} vectors", coefficients.len()));
    }
    if vectors.is_some() {
        coefficients.truncate(count);
    }
    let rho = attributes.floats("rho")?.first().copied().unwrap_or(0.0);
    let one_class = attributes.int("one_class")?.unwrap_or(0) != 0;
    Ok(Arc::new(SvmRegressor { vectors, coefficients, rho, one_class }))
}

impl SvmRegressor {
    fn columns(&self) -> usize {
        self.vectors.as_ref().map_or(self.coefficients.len(), Vectors::columns)
    }

    fn score(&self, row: &[f32]) -> f32 {
        let sum = match &self.vectors {
            Some(vectors) => vectors.kernels(row).zip(&self.coefficients).fold(0.0, |sum, (a, b)| sum + a * b),
            None => dot(row, &self.coefficients),
        };
        let score = sum + self.rho;
        match self.one_class {
            true if score > 0.0 => 1.0,
            true => -1.0,
            false => score,
        }
    }
}

impl Operator for SvmRegressor {
    fn name(&self) -> &'static str {
        "SVMRegressor"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.numbers()?;
        input.columns().map_or(Ok(()), |columns| check(self.columns(), columns))?;
        Ok(vec![Fact::new(DatumType::F32, [input.rows(), 1.to_dim()])])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (rows, columns) = input.matrix();
        check(self.columns(), columns)?;
        let scores = input.f32s()?.chunks_exact(columns).map(|row| self.score(row)).collect();
        Ok(vec![Array { shape: vec![rows, 1], data: Data::F32(scores) }])
    }
}
