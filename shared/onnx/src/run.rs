//! A batch of rows through a warm model.

use std::fmt;
use std::sync::Arc;

use fourstroke::error::Kind;
use fourstroke::ports::{Dim, Dtype, Model, ModelError, Port, Signature, Tensor, Tensors};
use tract_onnx::prelude::tract_ndarray::ArrayD;
use tract_onnx::prelude::{Datum, DatumType, TValue, TypedRunnableModel};

use tract_onnx::tract_core::internal::format_err;

use crate::{
    direct::Direct,
    guard::guarded,
    ml::array::{Array, Data},
    pieces, registers,
};

/// Holds a loaded model, optimised once, shared by all threads.
pub struct OnnxModel {
    signature: Signature,
    /// Whether NaN comes to what it comes to in onnxruntime.
    minds_nan: bool,
    /// How many rows may be taken at once.
    most_rows: usize,
    way: Way,
}

/// How rows are run.
enum Way {
    Direct(Direct),
    Tract {
        /// The type tract wants for each input, before it was widened for the port.
        datums: Vec<DatumType>,
        plan: Arc<TypedRunnableModel>,
    },
}

impl OnnxModel {
    pub(crate) fn new(
        signature: Signature,
        datums: Vec<DatumType>,
        minds_nan: bool,
        most_rows: usize,
        plan: Arc<TypedRunnableModel>,
    ) -> OnnxModel {
        let as_given = signature.inputs.iter().zip(&datums).all(|(port, datum)| datum_of(port.dtype) == *datum);
        let way = match Direct::of(plan.model()).filter(|_| as_given) {
            Some(direct) => Way::Direct(direct),
            None => Way::Tract { datums, plan },
        };
        // Rows that do not come first cannot be put together again piece by piece.
        let rows_first = |port: &Port| {
            port.dims.iter().take_while(|dim| **dim != Dim::Batch).all(|dim| *dim == Dim::Fixed(1))
                || !port.dims.contains(&Dim::Batch)
        };
        let in_pieces = signature.inputs.iter().chain(&signature.outputs).all(rows_first);
        let most_rows = if in_pieces { most_rows } else { usize::MAX };
        OnnxModel { signature, minds_nan, most_rows, way }
    }
}

impl fmt::Debug for OnnxModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxModel").field("signature", &self.signature).finish_non_exhaustive()
    }
}

impl Model for OnnxModel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs the rows: tensor *i* has `rows × width` elements of input *i*'s type, and the answer the same for outputs.
    /// No rows give empty tensors.
    ///
    /// # Errors
    /// `Poison` when tensors, types or lengths are not those of the signature, when a whole number does not fit the
    /// narrower type the model wants, when there is NaN that the graph would make a number of, or when a node ends with an error.
    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        self.check(inputs)?;
        let rows = inputs.rows;
        if rows == 0 {
            return Ok(Tensors { rows, data: self.signature.outputs.iter().map(|port| empty(port.dtype)).collect() });
        }
        let most = self.most_rows;
        if rows <= most {
            return self.run(inputs);
        }
        let piece =
            |start: usize| self.run(&pieces::cut(&self.signature.inputs, inputs, start..rows.min(start + most)));
        let mut answer = piece(0)?;
        for start in (most..rows).step_by(most) {
            pieces::append(&self.signature.outputs, &mut answer, piece(start)?);
        }
        Ok(answer)
    }
}

impl OnnxModel {
    fn run(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        let rows = inputs.rows;
        let failed = |reason: String| poison(format!("the model failed: {reason}"));
        let outputs = self.signature.outputs.iter();
        let data = match &self.way {
            Way::Direct(direct) => {
                let run = || direct.run(&self.signature.inputs, inputs).map_err(|reason| format_err!(reason));
                let answer = guarded(run).map_err(failed)?;
                outputs.zip(answer).map(|(port, array)| handed_over(port, array, rows)).collect::<Result<_, _>>()?
            }
            Way::Tract { datums, plan } => {
                let values = self.signature.inputs.iter().zip(datums).zip(&inputs.data);
                let values = values.map(|((port, datum), tensor)| value(port, *datum, tensor, rows));
                let values = values.collect::<Result<_, _>>()?;
                let answer = guarded(|| plan.run(values));
                registers::clear();
                let answer = answer.map_err(failed)?;
                outputs.zip(&answer).map(|(port, value)| tensor(port, value, rows)).collect::<Result<_, _>>()?
            }
        };
        Ok(Tensors { rows, data })
    }

    fn check(&self, inputs: &Tensors) -> Result<(), ModelError> {
        let ports = &self.signature.inputs;
        if inputs.data.len() != ports.len() {
            let (expected, found) = (ports.len(), inputs.data.len());
            return Err(poison(format!("the model takes {expected} inputs, found {found}")));
        }
        for (port, tensor) in ports.iter().zip(&inputs.data) {
            if tensor.dtype() != port.dtype {
                let (name, expected, found) = (&port.name, port.dtype, tensor.dtype());
                return Err(poison(format!("input `{name}` takes {expected:?}, found {found:?}")));
            }
            // What picks columns is the same for all rows.
            let rows = if port.dims.contains(&Dim::Batch) { inputs.rows } else { 1 };
            let (width, found) = (port.width(), tensor.len());
            if rows.checked_mul(width) != Some(found) {
                let name = &port.name;
                return Err(poison(format!("input `{name}` takes {rows} rows of {width}, found {found} elements")));
            }
            // tract's Relu, Sigmoid and others would turn it into a number that looks like an answer.
            if !self.minds_nan && has_nan(tensor) {
                let name = &port.name;
                return Err(poison(format!("input `{name}` holds NaN, and the model has no IsNaN to replace it")));
            }
        }
        Ok(())
    }
}

fn poison(reason: String) -> ModelError {
    ModelError { kind: Kind::Poison, reason }
}

pub(crate) fn shape(port: &Port, rows: usize) -> Vec<usize> {
    port.dims
        .iter()
        .map(|dim| match dim {
            Dim::Batch => rows,
            Dim::Fixed(size) => *size,
        })
        .collect()
}

fn empty(dtype: Dtype) -> Tensor {
    match dtype {
        Dtype::F32 => Tensor::F32(Vec::new()),
        Dtype::F64 => Tensor::F64(Vec::new()),
        Dtype::I64 => Tensor::I64(Vec::new()),
        Dtype::Bool => Tensor::Bool(Vec::new()),
        Dtype::String => Tensor::String(Vec::new()),
    }
}

/// Copies an input over to tract.
fn value(port: &Port, datum: DatumType, tensor: &Tensor, rows: usize) -> Result<TValue, ModelError> {
    match tensor {
        Tensor::F32(data) => shaped(port, rows, data.clone()),
        Tensor::F64(data) => shaped(port, rows, data.clone()),
        Tensor::Bool(data) => shaped(port, rows, data.clone()),
        Tensor::String(data) => shaped(port, rows, data.clone()),
        Tensor::I64(data) => match datum {
            DatumType::I8 => narrowed::<i8>(port, rows, data),
            DatumType::I16 => narrowed::<i16>(port, rows, data),
            DatumType::I32 => narrowed::<i32>(port, rows, data),
            DatumType::U8 => narrowed::<u8>(port, rows, data),
            DatumType::U16 => narrowed::<u16>(port, rows, data),
            DatumType::U32 => narrowed::<u32>(port, rows, data),
            DatumType::U64 => narrowed::<u64>(port, rows, data),
            _ => shaped(port, rows, data.clone()),
        },
    }
}

fn narrowed<T: Datum + TryFrom<i64>>(port: &Port, rows: usize, data: &[i64]) -> Result<TValue, ModelError> {
    let narrow = |number: &i64| {
        T::try_from(*number).map_err(|_| {
            let (name, wanted) = (&port.name, T::datum_type());
            poison(format!("input `{name}` takes {wanted:?} inside the model, found {number}"))
        })
    };
    shaped(port, rows, data.iter().map(narrow).collect::<Result<Vec<T>, _>>()?)
}

fn shaped<T: Datum>(port: &Port, rows: usize, data: Vec<T>) -> Result<TValue, ModelError> {
    let array = ArrayD::from_shape_vec(shape(port, rows), data)
        .map_err(|error| poison(format!("input `{}`: {error}", port.name)))?;
    Ok(tract_onnx::prelude::Tensor::from(array).into())
}

/// Makes an array an answer, when it has the shape and type the signature promises.
fn handed_over(port: &Port, array: Array, rows: usize) -> Result<Tensor, ModelError> {
    let (name, expected) = (&port.name, shape(port, rows));
    if array.shape != expected {
        return Err(poison(format!("output `{name}` came as {:?} instead of {expected:?}", array.shape)));
    }
    let tensor = match array.data {
        Data::F32(data) => Tensor::F32(data),
        Data::F64(data) => Tensor::F64(data),
        Data::I64(data) => Tensor::I64(data),
        Data::I32(data) => Tensor::I64(data.into_iter().map(i64::from).collect()),
        Data::Bool(data) => Tensor::Bool(data),
        Data::String(data) => Tensor::String(data),
    };
    if tensor.dtype() != port.dtype {
        let (found, dtype) = (tensor.dtype(), port.dtype);
        return Err(poison(format!("output `{name}` has {found:?} elements that do not fit {dtype:?}")));
    }
    Ok(tensor)
}

fn datum_of(dtype: Dtype) -> DatumType {
    match dtype {
        Dtype::F32 => DatumType::F32,
        Dtype::F64 => DatumType::F64,
        Dtype::I64 => DatumType::I64,
        Dtype::Bool => DatumType::Bool,
        Dtype::String => DatumType::String,
    }
}

/// Copies an output back, when it has the shape the signature promises.
fn tensor(port: &Port, value: &TValue, rows: usize) -> Result<Tensor, ModelError> {
    let name = &port.name;
    let expected = shape(port, rows);
    if value.shape() != expected {
        return Err(poison(format!("output `{name}` came as {:?} instead of {expected:?}", value.shape())));
    }
    let tensor = match port.dtype {
        Dtype::F32 => elements(value).map(Tensor::F32),
        Dtype::F64 => elements(value).map(Tensor::F64),
        Dtype::Bool => elements(value).map(Tensor::Bool),
        Dtype::String => elements(value).map(Tensor::String),
        Dtype::I64 => integers(value).map(Tensor::I64),
    };
    tensor.ok_or_else(|| {
        let (found, dtype) = (value.datum_type(), port.dtype);
        poison(format!("output `{name}` has {found:?} elements that do not fit {dtype:?}"))
    })
}

fn elements<T: Datum>(value: &TValue) -> Option<Vec<T>> {
    value.as_plain_ram()?.as_slice::<T>().ok().map(<[T]>::to_vec)
}

/// Widens an output's integers; none when one is beyond int64.
fn integers(value: &TValue) -> Option<Vec<i64>> {
    match value.datum_type() {
        DatumType::U64 => elements::<u64>(value)?.into_iter().map(|number| number.try_into().ok()).collect(),
        datum if datum.is_integer() => elements(&value.cast_to::<i64>().ok()?.into_owned().into()),
        _ => None,
    }
}

fn has_nan(tensor: &Tensor) -> bool {
    match tensor {
        Tensor::F32(data) => data.iter().any(|number| number.is_nan()),
        Tensor::F64(data) => data.iter().any(|number| number.is_nan()),
        _ => false,
    }
}
