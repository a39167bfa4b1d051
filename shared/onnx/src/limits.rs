//! How much memory a graph may ask for: a few bytes of a model can declare billions of numbers.

use tract_onnx::{
    pb::{GraphProto, NodeProto, TensorProto, tensor_proto::DataType},
    prelude::{SymbolValues, TDim, TractResult, TypedModel},
    tract_core::internal::bail,
};

use crate::{constants::constant, error::LoadError, ml::array::CELL_LIMIT};

/// Returns the most numbers that a node makes of one row.
///
/// # Errors
/// They are more than an answer may have.
pub(crate) fn widest(model: &TypedModel) -> TractResult<usize> {
    let mut widest = 1;
    for node in model.nodes() {
        for output in &node.outputs {
            let numbers = output.fact.shape.iter().map(of_one_row).try_fold(1_usize, |all, dim| all.checked_mul(dim?));
            match numbers.filter(|numbers| *numbers <= CELL_LIMIT) {
                Some(numbers) => widest = widest.max(numbers),
                None => bail!("node `{}` makes more than {CELL_LIMIT} numbers of a row", node.name),
            }
        }
    }
    Ok(widest)
}

/// Evaluates a size for one row, and the least of what only a run tells.
fn of_one_row(dim: &TDim) -> Option<usize> {
    let ones = dim.symbols().iter().fold(SymbolValues::default(), |ones, symbol| ones.with(symbol, 1));
    usize::try_from(dim.eval_to_i64(&ones).ok()?).ok()
}

/// Refuses a Range between constants that is too long, which tract makes before any size can be looked at.
pub(crate) fn check_ranges(graph: &GraphProto) -> Result<(), LoadError> {
    let known = |name: &String| constant(graph, name).and_then(number);
    for node in graph.node.iter().filter(|node| node.op_type == "Range") {
        let [Some(start), Some(end), Some(step)] = [0, 1, 2].map(|place| node.input.get(place).and_then(known)) else {
            continue;
        };
        let numbers = (end - start) / step;
        if numbers.is_nan() || numbers > CELL_LIMIT as f64 {
            let name = name(node);
            return Err(LoadError::Graph { reason: format!("node `{name}` makes more than {CELL_LIMIT} numbers") });
        }
    }
    Ok(())
}

fn name(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", |output| output) } else { &node.name }
}

fn number(tensor: &TensorProto) -> Option<f64> {
    let raw = &tensor.raw_data[..];
    match DataType::try_from(tensor.data_type).ok()? {
        DataType::Float => {
            tensor.float_data.first().copied().or_else(|| Some(f32::from_le_bytes(raw.try_into().ok()?))).map(f64::from)
        }
        DataType::Double => {
            tensor.double_data.first().copied().or_else(|| Some(f64::from_le_bytes(raw.try_into().ok()?)))
        }
        DataType::Int32 => {
            tensor.int32_data.first().copied().or_else(|| Some(i32::from_le_bytes(raw.try_into().ok()?))).map(f64::from)
        }
        DataType::Int64 => {
            let whole = tensor.int64_data.first().copied().or_else(|| Some(i64::from_le_bytes(raw.try_into().ok()?)));
            whole.map(|whole| whole as f64)
        }
        _ => None,
    }
}
