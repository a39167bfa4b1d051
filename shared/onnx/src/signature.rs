//! What a model takes, as its file declares it, and gives, as tract works it out.

use std::collections::BTreeSet;

use fourstroke::ports::{Dim, Dtype, Port};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{GraphProto, ValueInfoProto};
use tract_onnx::prelude::{DatumType, TypedFact};

use crate::{
    error::LoadError,
    ml::{ML, qualified},
};

/// The most elements one row of a port may have. A model declares them in a few bytes, and the caller makes room.
const ROW_LIMIT: usize = 1 << 24;

/// An input as the core sees it, and the type tract wants.
pub(crate) struct Input {
    pub(crate) port: Port,
    pub(crate) datum: DatumType,
}

/// Reads the graph's inputs; an initializer of the same name is a default nobody here replaces.
pub(crate) fn inputs(graph: &GraphProto, dense: &BTreeSet<String>) -> Result<Vec<Input>, LoadError> {
    let initializers: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut seen = BTreeSet::new();
    graph
        .input
        .iter()
        .filter(|info| !initializers.contains(info.name.as_str()))
        .map(|info| {
            let refuse = |reason| LoadError::Input { input: info.name.clone(), reason };
            if !seen.insert(&info.name) {
                return Err(refuse("is declared twice".into()));
            }
            let rows = match dense.contains(&info.name) {
                true => 1,
                false if is_columns(graph, &info.name) => NONE,
                false => 0,
            };
            input(info, rows).map_err(refuse)
        })
        .collect()
}

/// Tells whether an input is the numbers of columns to be picked, which are the same for all rows.
fn is_columns(graph: &GraphProto, name: &str) -> bool {
    let picks = qualified(ML, "ArrayFeatureExtractor");
    let readers = || graph.node.iter().filter(|node| node.input.iter().any(|input| input == name));
    readers().count() > 0
        && readers().all(|node| node.op_type == picks && node.input.iter().position(|input| input == name) == Some(1))
}

fn input(info: &ValueInfoProto, rows: usize) -> Result<Input, String> {
    if info.name.is_empty() {
        return Err("has no name".into());
    }
    let tensor = tensor_type(info)?;
    let (dtype, datum) = element_type(tensor)?;
    let shape = tensor.shape.as_ref().ok_or("has no declared shape")?;
    let sizes = shape.dim.iter().map(|dim| match dim.value {
        Some(DimValue::DimValue(size)) => Some(size),
        Some(DimValue::DimParam(_)) | None => None,
    });
    let port = Port { name: info.name.clone(), dtype, dims: dims(sizes, rows)?, labels: None };
    Ok(Input { port, datum })
}

/// Describes the graph's outputs. tract's shapes count, because exporters often leave them open; its types must be the
/// declared ones, or one of the two is wrong.
pub(crate) fn outputs(graph: &GraphProto, facts: &[TypedFact]) -> Result<Vec<Port>, LoadError> {
    let mut seen = BTreeSet::new();
    graph
        .output
        .iter()
        .zip(facts)
        .map(|(info, fact)| {
            let refuse = |reason| LoadError::Output { output: info.name.clone(), reason };
            if !seen.insert(&info.name) {
                return Err(refuse("is declared twice".into()));
            }
            output(info, fact).map_err(refuse)
        })
        .collect()
}

fn output(info: &ValueInfoProto, fact: &TypedFact) -> Result<Port, String> {
    if info.name.is_empty() {
        return Err("has no name".into());
    }
    let (declared, _) = element_type(tensor_type(info)?)?;
    let dtype = widened(fact.datum_type).ok_or_else(|| format!("is computed as {:?}", fact.datum_type))?;
    if dtype != declared {
        return Err(format!("is declared as {declared:?} and computed as {dtype:?}"));
    }
    let sizes: Vec<Option<i64>> = fact.shape.iter().map(|dim| dim.to_i64().ok()).collect();
    // The rows may stand further back.
    let rows = sizes.iter().position(Option::is_none);
    let rows = rows.ok_or_else(|| "has as many rows however many the input has".to_owned())?;
    Ok(Port { name: info.name.clone(), dtype, dims: dims(sizes.into_iter(), rows)?, labels: None })
}

fn tensor_type(info: &ValueInfoProto) -> Result<&Tensor, String> {
    match info.r#type.as_ref().and_then(|declared| declared.value.as_ref()) {
        Some(Value::TensorType(tensor)) => Ok(tensor),
        None => Err("is not a tensor".into()),
    }
}

fn element_type(tensor: &Tensor) -> Result<(Dtype, DatumType), String> {
    let declared = DataType::try_from(tensor.elem_type).unwrap_or_default();
    let datum = DatumType::try_from(declared).ok();
    datum
        .and_then(|datum| Some((widened(datum)?, datum)))
        .ok_or_else(|| format!("has element type {}, which is not supported", declared.as_str_name()))
}

/// Returns the type that crosses the port for one of tract's.
fn widened(datum: DatumType) -> Option<Dtype> {
    match datum {
        DatumType::F32 => Some(Dtype::F32),
        DatumType::F64 => Some(Dtype::F64),
        DatumType::Bool => Some(Dtype::Bool),
        DatumType::String => Some(Dtype::String),
        DatumType::I8 | DatumType::I16 | DatumType::I32 | DatumType::I64 => Some(Dtype::I64),
        DatumType::U8 | DatumType::U16 | DatumType::U32 | DatumType::U64 => Some(Dtype::I64),
        _ => None,
    }
}

/// No dimension is that of the rows.
const NONE: usize = usize::MAX;

/// Takes one dimension, whatever is written there, for the rows; all others must be known.
fn dims(sizes: impl Iterator<Item = Option<i64>>, rows: usize) -> Result<Vec<Dim>, String> {
    let mut dims = Vec::new();
    let mut width = 1_usize;
    for (place, size) in sizes.enumerate() {
        if place == rows {
            dims.push(Dim::Batch);
            continue;
        }
        let size = size.ok_or_else(|| match rows {
            NONE => format!("has an unknown dimension {place}, and picks columns"),
            rows => format!("has an unknown dimension {place}; only that of the rows, {rows}, may vary"),
        })?;
        let size = usize::try_from(size).ok().filter(|size| *size > 0);
        let size = size.ok_or_else(|| format!("has no elements in dimension {place}"))?;
        width = width.saturating_mul(size);
        dims.push(Dim::Fixed(size));
    }
    if dims.is_empty() {
        return Err("is a scalar; its first dimension must be the rows".into());
    }
    if width > ROW_LIMIT {
        return Err(format!("has {width} elements per row, more than the {ROW_LIMIT} allowed"));
    }
    Ok(dims)
}
