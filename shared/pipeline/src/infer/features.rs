//! Features to tensors: expressions, category tables, stand-ins for null, and the types the model takes.

use std::{fmt, sync::Arc};

use hashbrown::HashMap;
use vrl::value::Value;

use crate::{
    error::{Code, Error, Stage},
    expression::{Evaluator, Expression},
    ports::{Dtype, Tensor, Tensors},
    record::Record,
    types::describe,
};

/// One column of a model.
pub(crate) struct Feature {
    pub name: Arc<str>,
    /// The name as JSON, with the colon behind it.
    pub json: String,
    pub expression: Expression,
    /// Stands in for null; NaN where the model knows what to do with it.
    pub missing: Option<f64>,
    /// String to number; unknown is -1.
    pub categories: Option<HashMap<String, i64>>,
}

/// What goes into one cell.
enum Cell {
    Number(f64),
    Integer(i64),
    Text(String),
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Feature {
    fn cell(&self, value: &Value) -> Result<Cell, Error> {
        let refuse = |code, reason: String| Err(Error::poison(Stage::Infer, code, reason));
        let name = &self.name;
        match (value, &self.categories) {
            (Value::Null, _) => match self.missing {
                Some(number) => Ok(Cell::Number(number)),
                None => refuse(
                    Code::FEATURE_MISSING,
                    format!("the feature `{name}` is null, and `missing` does not name it"),
                ),
            },
            (value, Some(categories)) => {
                let text = match value {
                    Value::Integer(number) => number.to_string().into(),
                    value => value.to_str_lossy().unwrap_or_default(),
                };
                Ok(Cell::Integer(categories.get(text.as_ref()).copied().unwrap_or(-1)))
            }
            (Value::Integer(number), None) => Ok(Cell::Integer(*number)),
            (Value::Boolean(value), None) => Ok(Cell::Integer(i64::from(*value))),
            (Value::Float(number), None) if number.is_finite() => Ok(Cell::Number(number.into_inner())),
            (Value::Float(_), None) => refuse(Code::FEATURE_VALUE, format!("the feature `{name}` is infinite")),
            (value, None) => match value.to_str() {
                Some(text) => Ok(Cell::Text(text.to_owned())),
                None => refuse(
                    Code::FEATURE_VALUE,
                    format!("the feature `{name}` is {}, which no model takes", describe(value)),
                ),
            },
        }
    }
}

/// How features become tensors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layout {
    /// One matrix of this type, a column per feature.
    Matrix(Dtype),
    /// One tensor per feature; for each of the model's inputs, the feature's place and type.
    Columns(Vec<(usize, Dtype)>),
}

/// Rows of features being collected for one call of a model.
pub(crate) struct Rows<'a> {
    features: &'a [Feature],
    layout: &'a Layout,
    tensors: Tensors,
    cells: Vec<Cell>,
}

impl<'a> Rows<'a> {
    pub fn new(features: &'a [Feature], layout: &'a Layout, most: usize) -> Rows<'a> {
        let data = match layout {
            Layout::Matrix(dtype) => vec![empty(*dtype, most * features.len())],
            Layout::Columns(columns) => columns.iter().map(|(_, dtype)| empty(*dtype, most)).collect(),
        };
        Rows { features, layout, tensors: Tensors { rows: 0, data }, cells: Vec::with_capacity(features.len()) }
    }

    /// Adds a record's row; gives those values that are not simply read from the record, as they were before category
    /// tables.
    pub fn add(&mut self, record: &mut Record, evaluator: &mut Evaluator) -> Result<Vec<Value>, Error> {
        let mut computed = Vec::new();
        self.cells.clear();
        for feature in self.features {
            let value = feature.expression.eval(record, evaluator).map_err(|reason| {
                let reason = format!("the feature `{}`: {reason}", feature.name);
                Error::poison(Stage::Infer, Code::FEATURE_VALUE, reason)
            })?;
            self.cells.push(feature.cell(&value)?);
            if !feature.expression.is_path() {
                computed.push(value.into_owned());
            }
        }
        // Check the whole row before any of it is pushed: half a row would shift all that follow.
        for place in 0..self.cells.len() {
            if let (Dtype::F32, Cell::Number(number)) = (self.dtype(place), &self.cells[place])
                && number.is_finite()
                && !(*number as f32).is_finite()
            {
                let reason =
                    format!("the feature `{}` is {number}, too large for the model", self.features[place].name);
                return Err(Error::poison(Stage::Infer, Code::FEATURE_VALUE, reason));
            }
            if let (dtype @ (Dtype::I64 | Dtype::Bool), Cell::Number(number)) = (self.dtype(place), &self.cells[place])
                && number.fract() != 0.0
            {
                let reason =
                    format!("the feature `{}` is {number}, the model takes {dtype:?}", self.features[place].name);
                return Err(Error::poison(Stage::Infer, Code::FEATURE_VALUE, reason));
            }
        }
        match self.layout {
            Layout::Matrix(_) => self.cells.iter().for_each(|cell| push(&mut self.tensors.data[0], cell)),
            Layout::Columns(columns) => {
                for (tensor, (place, _)) in self.tensors.data.iter_mut().zip(columns) {
                    push(tensor, &self.cells[*place]);
                }
            }
        }
        self.tensors.rows += 1;
        Ok(computed)
    }

    fn dtype(&self, feature: usize) -> Dtype {
        match self.layout {
            Layout::Matrix(dtype) => *dtype,
            Layout::Columns(columns) => {
                columns.iter().find(|(place, _)| *place == feature).map_or(Dtype::F32, |(_, dtype)| *dtype)
            }
        }
    }

    pub fn into_tensors(self) -> Tensors {
        self.tensors
    }
}

fn empty(dtype: Dtype, most: usize) -> Tensor {
    match dtype {
        Dtype::F32 => Tensor::F32(Vec::with_capacity(most)),
        Dtype::F64 => Tensor::F64(Vec::with_capacity(most)),
        Dtype::I64 => Tensor::I64(Vec::with_capacity(most)),
        Dtype::Bool => Tensor::Bool(Vec::with_capacity(most)),
        Dtype::String => Tensor::String(Vec::with_capacity(most)),
    }
}

/// Pushes a cell as the tensor's type. The types were checked against the expressions when the pipeline was built.
fn push(tensor: &mut Tensor, cell: &Cell) {
    let number = match cell {
        Cell::Number(number) => *number,
        Cell::Integer(number) => *number as f64,
        Cell::Text(_) => f64::NAN,
    };
    match tensor {
        Tensor::F32(data) => data.push(number as f32),
        Tensor::F64(data) => data.push(number),
        Tensor::I64(data) => data.push(if let Cell::Integer(exact) = cell { *exact } else { number as i64 }),
        Tensor::Bool(data) => data.push(number != 0.0),
        Tensor::String(data) => data.push(match cell {
            Cell::Text(text) => text.clone(),
            Cell::Integer(number) => number.to_string(),
            Cell::Number(number) => number.to_string(),
        }),
    }
}

/// Takes one row out of a batch, for a model that refused the batch.
pub(crate) fn row(tensors: &Tensors, row: usize) -> Tensors {
    let of_row = |tensor: &Tensor| {
        let width = tensor.len() / tensors.rows.max(1);
        tensor.part(row * width..(row + 1) * width)
    };
    Tensors { rows: 1, data: tensors.data.iter().map(of_row).collect() }
}
