//! Inputs that are maps: `DictVectorizer` and `CastMap` make rows of them. Here the row is the input, and its columns have
//! the keys of the vocabulary.

use fourstroke::ports::Labels;
use prost::Message;
use tract_onnx::pb::{
    GraphProto, NodeProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

use super::Taken;
use crate::{
    error::LoadError,
    ml::{ML, attributes::Attributes},
};

/// The most columns a sparse map may ask for.
const MAX_COLUMNS: usize = 1 << 20;

/// Makes the maps among a graph's inputs tensors.
pub(super) fn inputs_to_tensors(graph: &mut GraphProto, bytes: &[u8], taken: &mut Taken) -> Result<(), LoadError> {
    let is_map = |info: &ValueInfoProto| info.r#type.as_ref().is_none_or(|declared| declared.value.is_none());
    let names: Vec<String> = graph.input.iter().filter(|info| is_map(info)).map(|info| info.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let types = MapTypes::decode(bytes).map_err(|error| LoadError::Malformed { reason: error.to_string() })?;
    for name in names {
        let refuse = |reason: &str| LoadError::Input { input: name.clone(), reason: reason.to_owned() };
        let value = types.value_type(&name).ok_or_else(|| refuse("is neither a tensor nor a map"))?;
        let mut readers = graph.node.iter_mut().filter(|node| node.input.contains(&name));
        let (Some(node), None) = (readers.next(), readers.next()) else {
            return Err(refuse("is a map that not just one operator reads"));
        };
        let labels = match (&*node.domain, &*node.op_type) {
            (ML, "DictVectorizer") => vocabulary(node).map(Some),
            (ML, "CastMap") => cast_map(node),
            _ => Err("only DictVectorizer and CastMap read a map".to_owned()),
        };
        let labels = labels.map_err(|reason| refuse(&format!("is a map: {reason}")))?;
        let shape = match &labels {
            None => [Some(1), None],
            Some(Labels::Integers(labels)) => [None, Some(labels.len())],
            Some(Labels::Strings(labels)) => [None, Some(labels.len())],
        };
        graph.input.iter_mut().filter(|info| info.name == name).for_each(|info| declare(info, value, shape));
        match labels {
            Some(labels) => drop(taken.labels.insert(name, labels)),
            None => drop(taken.dense.insert(name)),
        }
    }
    Ok(())
}

/// Declares a value as a matrix; a dimension that is not known is that of the rows.
pub(super) fn declare(info: &mut ValueInfoProto, element: i32, shape: [Option<usize>; 2]) {
    let dim = |size: Option<usize>| {
        let rows = || dimension::Value::DimParam("N".to_owned());
        let value = size.map_or_else(rows, |size| dimension::Value::DimValue(size as i64));
        Dimension { denotation: String::new(), value: Some(value) }
    };
    let shape = TensorShapeProto { dim: shape.map(dim).into() };
    let tensor = type_proto::Tensor { elem_type: element, shape: Some(shape) };
    info.r#type = Some(TypeProto { denotation: String::new(), value: Some(type_proto::Value::TensorType(tensor)) });
}

/// <https://onnx.ai/onnx/operators/onnx_aionnxml_DictVectorizer.html>
fn vocabulary(node: &mut NodeProto) -> Result<Labels, String> {
    let attributes = Attributes { node, version: 1 };
    let (integers, strings) = (attributes.ints("int64_vocabulary")?, attributes.strings("string_vocabulary")?);
    let labels = match (integers.is_empty(), strings.is_empty()) {
        (false, true) => Labels::Integers(integers.to_vec()),
        (true, false) => Labels::Strings(strings),
        _ => return Err("it needs one vocabulary".to_owned()),
    };
    (node.op_type, node.domain) = ("Identity".to_owned(), String::new());
    node.attribute.clear();
    Ok(labels)
}

/// A sparse map has a column for each key from 0 on. Of a dense one nobody knows the keys: it has as many columns as there are
/// keys at a run. <https://onnx.ai/onnx/operators/onnx_aionnxml_CastMap.html>
fn cast_map(node: &NodeProto) -> Result<Option<Labels>, String> {
    let attributes = Attributes { node, version: 1 };
    match attributes.string("map_form")?.as_deref() {
        None | Some("DENSE") => return Ok(None),
        Some("SPARSE") => {}
        Some(other) => return Err(format!("`map_form` is {other}")),
    }
    let columns = attributes.int("max_map")?.unwrap_or(1);
    let columns = usize::try_from(columns).ok().filter(|columns| (1..=MAX_COLUMNS).contains(columns));
    let columns = columns.ok_or("`max_map` is out of bounds")?;
    Ok(Some(Labels::Integers((0..columns as i64).collect())))
}

/// The part of a model that tract's types leave out: which inputs are maps, and of what.
#[derive(Clone, PartialEq, Message)]
struct MapTypes {
    #[prost(message, optional, tag = "7")]
    graph: Option<MapGraph>,
}

#[derive(Clone, PartialEq, Message)]
struct MapGraph {
    #[prost(message, repeated, tag = "11")]
    input: Vec<MapInput>,
}

#[derive(Clone, PartialEq, Message)]
struct MapInput {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    declared: Option<AnyType>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyType {
    #[prost(message, optional, tag = "1")]
    tensor: Option<TensorType>,
    #[prost(message, optional, boxed, tag = "5")]
    map: Option<Box<MapType>>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    element: i32,
}

#[derive(Clone, PartialEq, Message)]
struct MapType {
    #[prost(message, optional, boxed, tag = "2")]
    value: Option<Box<AnyType>>,
}

impl MapTypes {
    /// Returns the element type of the values of a map, as ONNX numbers it.
    fn value_type(&self, name: &str) -> Option<i32> {
        let input = self.graph.as_ref()?.input.iter().find(|input| input.name == name)?;
        Some(input.declared.as_ref()?.map.as_ref()?.value.as_ref()?.tensor.as_ref()?.element)
    }
}
