//! A trained model as the core sees it: a signature, and a synchronous call on a batch of rows.

use std::{collections::BTreeMap, ops::Range};

use crate::error::Kind;

/// The element types that cross the port. Narrower integers are widened to `I64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 64-bit signed integer.
    I64,
    /// Boolean.
    Bool,
    /// UTF-8 string.
    String,
}

/// One dimension of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// One per row of the batch.
    Batch,
    /// A fixed number.
    Fixed(usize),
}

/// Names and shapes one input or output.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name in the model.
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// Its dimensions, the batch first.
    pub dims: Vec<Dim>,
    /// What its columns are called where the model knows them by keys: those of a map it takes, those of maps it gives.
    pub labels: Option<Labels>,
}

impl Port {
    /// Returns the number of elements per row.
    pub fn width(&self) -> usize {
        self.dims
            .iter()
            .map(|dim| match dim {
                Dim::Batch => 1,
                Dim::Fixed(size) => *size,
            })
            .product()
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims: Vec<String> = self
            .dims
            .iter()
            .map(|dim| match dim {
                Dim::Batch => "N".to_owned(),
                Dim::Fixed(size) => size.to_string(),
            })
            .collect();
        write!(f, "{} {:?}[{}]", self.name, self.dtype, dims.join(", "))
    }
}

/// The classes a classifier tells apart, in the order of its scores.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Names.
    Strings(Vec<String>),
}

/// Describes what a model takes and gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signature {
    /// What it takes: one matrix, or one column per feature.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// The classes, where the model names them; else 0, 1, … are assumed.
    pub labels: Option<Labels>,
    /// What the exporter wrote beside the graph. `fourstroke.features` may hold the column names of a single matrix as
    /// a JSON array, `fourstroke.baseline` a measured figure to show beside the model's.
    pub metadata: BTreeMap<String, String>,
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ports = |ports: &[Port]| ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "({}) -> ({})", ports(&self.inputs), ports(&self.outputs))
    }
}

/// Holds row-major elements of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Strings.
    String(Vec<String>),
}

impl Tensor {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        match self {
            Tensor::F32(data) => data.len(),
            Tensor::F64(data) => data.len(),
            Tensor::I64(data) => data.len(),
            Tensor::Bool(data) => data.len(),
            Tensor::String(data) => data.len(),
        }
    }

    /// Tells whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies some of its elements.
    pub fn part(&self, elements: Range<usize>) -> Tensor {
        match self {
            Tensor::F32(data) => Tensor::F32(data[elements].to_vec()),
            Tensor::F64(data) => Tensor::F64(data[elements].to_vec()),
            Tensor::I64(data) => Tensor::I64(data[elements].to_vec()),
            Tensor::Bool(data) => Tensor::Bool(data[elements].to_vec()),
            Tensor::String(data) => Tensor::String(data[elements].to_vec()),
        }
    }

    /// Returns its element type.
    pub fn dtype(&self) -> Dtype {
        match self {
            Tensor::F32(_) => Dtype::F32,
            Tensor::F64(_) => Dtype::F64,
            Tensor::I64(_) => Dtype::I64,
            Tensor::Bool(_) => Dtype::Bool,
            Tensor::String(_) => Dtype::String,
        }
    }
}

/// Holds one tensor per port, in the signature's order, all of the same number of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensors {
    /// The number of rows.
    pub rows: usize,
    /// One per port.
    pub data: Vec<Tensor>,
}

/// Describes why a model gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct ModelError {
    /// `Poison`: a row does not suit it. `Fatal`: it cannot run.
    pub kind: Kind,
    /// What happened, in words.
    pub reason: String,
}

/// Runs a batch of rows. CPU-bound and synchronous; called from many threads at once.
pub trait Model: Send + Sync {
    /// Returns what it takes and gives.
    fn signature(&self) -> &Signature;

    /// Runs the rows; the answer has as many.
    ///
    /// # Errors
    /// `Poison` when a row does not suit it (the caller then tries row by row), `Fatal` when it cannot run at all.
    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError>;
}
