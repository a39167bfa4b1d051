//! Tensors as operators see them: inputs borrowed, outputs owned, row-major, of the types ai.onnx.ml knows.

use std::borrow::Cow;

use tract_onnx::prelude::DatumType;

/// A borrowed tensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub shape: &'a [usize],
    pub data: Slice<'a>,
}

/// The elements of a borrowed tensor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I64(&'a [i64]),
    I32(&'a [i32]),
    Bool(&'a [bool]),
    String(&'a [String]),
}

/// A tensor an operator makes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub shape: Vec<usize>,
    pub data: Data,
}

/// The elements of an [`Array`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    I32(Vec<i32>),
    Bool(Vec<bool>),
    String(Vec<String>),
}

/// The most numbers of an answer: a model asks for them in a few bytes.
pub(crate) const CELL_LIMIT: usize = 1 << 28;

/// Returns how many numbers so many rows have.
///
/// # Errors
/// They are too many for one answer; fewer rows at a time may not be.
pub(crate) fn cells(rows: usize, columns: usize) -> Result<usize, String> {
    let cells = rows.checked_mul(columns).filter(|cells| *cells <= CELL_LIMIT);
    cells.ok_or_else(|| format!("{rows} rows of {columns} columns are too many"))
}

impl<'a> View<'a> {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        match self.data {
            Slice::F32(data) => data.len(),
            Slice::F64(data) => data.len(),
            Slice::I64(data) => data.len(),
            Slice::I32(data) => data.len(),
            Slice::Bool(data) => data.len(),
            Slice::String(data) => data.len(),
        }
    }

    /// Returns rows and columns: the first dimension and the product of the others. What has only one dimension is one row,
    /// as ai.onnx.ml says of `[C]`.
    pub fn matrix(&self) -> (usize, usize) {
        match self.shape {
            [] => (1, 1),
            [columns] => (1, *columns),
            [rows, rest @ ..] => (*rows, rest.iter().product()),
        }
    }

    /// Returns numbers as 32-bit floats, whatever numbers they are.
    ///
    /// # Errors
    /// They are strings.
    pub fn f32s(&self) -> Result<Cow<'a, [f32]>, String> {
        Ok(match self.data {
            Slice::F32(data) => Cow::Borrowed(data),
            Slice::F64(data) => data.iter().map(|x| *x as f32).collect(),
            Slice::I64(data) => data.iter().map(|x| *x as f32).collect(),
            Slice::I32(data) => data.iter().map(|x| *x as f32).collect(),
            Slice::Bool(data) => data.iter().map(|x| f32::from(u8::from(*x))).collect(),
            Slice::String(_) => return Err("it takes numbers, not strings".to_owned()),
        })
    }

    /// Returns numbers as 64-bit floats, whatever numbers they are.
    ///
    /// # Errors
    /// They are strings.
    pub fn f64s(&self) -> Result<Cow<'a, [f64]>, String> {
        Ok(match self.data {
            Slice::F32(data) => data.iter().map(|x| f64::from(*x)).collect(),
            Slice::F64(data) => Cow::Borrowed(data),
            Slice::I64(data) => data.iter().map(|x| *x as f64).collect(),
            Slice::I32(data) => data.iter().map(|x| f64::from(*x)).collect(),
            Slice::Bool(data) => data.iter().map(|x| f64::from(u8::from(*x))).collect(),
            Slice::String(_) => return Err("it takes numbers, not strings".to_owned()),
        })
    }

    /// Returns whole numbers.
    ///
    /// # Errors
    /// They are something else.
    pub fn i64s(&self) -> Result<Cow<'a, [i64]>, String> {
        Ok(match self.data {
            Slice::I64(data) => Cow::Borrowed(data),
            Slice::I32(data) => data.iter().map(|x| i64::from(*x)).collect(),
            Slice::Bool(data) => data.iter().map(|x| i64::from(*x)).collect(),
            _ => return Err(format!("it takes whole numbers, not {:?}", self.dtype())),
        })
    }

    /// Returns strings.
    ///
    /// # Errors
    /// They are something else.
    pub fn strings(&self) -> Result<&'a [String], String> {
        match self.data {
            Slice::String(data) => Ok(data),
            _ => Err(format!("it takes strings, not {:?}", self.dtype())),
        }
    }

    /// Returns the element type.
    pub fn dtype(&self) -> DatumType {
        match self.data {
            Slice::F32(_) => DatumType::F32,
            Slice::F64(_) => DatumType::F64,
            Slice::I64(_) => DatumType::I64,
            Slice::I32(_) => DatumType::I32,
            Slice::Bool(_) => DatumType::Bool,
            Slice::String(_) => DatumType::String,
        }
    }
}

impl Array {
    /// Borrows it.
    pub fn view(&self) -> View<'_> {
        let data = match &self.data {
            Data::F32(data) => Slice::F32(data),
            Data::F64(data) => Slice::F64(data),
            Data::I64(data) => Slice::I64(data),
            Data::I32(data) => Slice::I32(data),
            Data::Bool(data) => Slice::Bool(data),
            Data::String(data) => Slice::String(data),
        };
        View { shape: &self.shape, data }
    }
}

impl Data {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        match self {
            Data::F32(data) => data.len(),
            Data::F64(data) => data.len(),
            Data::I64(data) => data.len(),
            Data::I32(data) => data.len(),
            Data::Bool(data) => data.len(),
            Data::String(data) => data.len(),
        }
    }
}
