//! The tree operators: `TreeEnsembleClassifier`, `TreeEnsembleRegressor` and, since version 5, `TreeEnsemble` for both. They
//! read attributes and finish scores; the kernel walks.

mod classifier;
mod ensemble;
mod forest;
mod nodes;
mod regressor;

pub(super) use classifier::read as read_classifier;
pub(super) use ensemble::read as read_ensemble;
pub(super) use regressor::read as read_regressor;

use tract_onnx::pb::{TensorProto, tensor_proto::DataType};

use super::attributes::Attributes;

/// Returns the numbers of a list of floats, or of the tensor of doubles that may stand for it; with the latter `true`.
fn numbers(attributes: Attributes<'_>, name: &str) -> Result<(Vec<f64>, bool), String> {
    match attributes.tensor(&format!("{name}_as_tensor"))? {
        Some(tensor) => Ok((tensor_numbers(tensor)?, tensor.data_type == DataType::Double as i32)),
        None => Ok((attributes.floats(name)?.iter().map(|x| f64::from(*x)).collect(), false)),
    }
}

/// Returns a tensor's numbers, whatever numbers they are.
fn tensor_numbers(tensor: &TensorProto) -> Result<Vec<f64>, String> {
    let raw = &tensor.raw_data;
    let kind = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    Ok(match kind {
        DataType::Double if raw.is_empty() => tensor.double_data.clone(),
        DataType::Double => raw.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        DataType::Float if raw.is_empty() => tensor.float_data.iter().map(|x| f64::from(*x)).collect(),
        DataType::Float => raw.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect(),
        DataType::Uint8 if raw.is_empty() => tensor.int32_data.iter().map(|x| f64::from(*x)).collect(),
        DataType::Uint8 => raw.iter().map(|byte| f64::from(*byte)).collect(),
        other => return Err(format!("a tensor of {} stands for numbers", other.as_str_name())),
    })
}
