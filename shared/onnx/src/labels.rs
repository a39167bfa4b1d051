//! The labels of a classifier's classes, found where its exporter left them: in a ZipMap, in the classifier itself, or in a list
//! that the place of the highest score picks from.

use std::collections::HashMap;

use fourstroke::ports::Labels;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto, tensor_proto::DataType};

use crate::{
    ml::{ML, attributes::Attributes, qualified},
    rewrite::Taken,
};

/// What passes its first input on.
const PASSING: [&str; 5] = ["Cast", "Flatten", "Identity", "Reshape", "Squeeze"];

/// Returns the labels of a rewritten graph, in the order of its scores; none where they are not to be found, or where there
/// are several lists.
pub(crate) fn of(graph: &GraphProto, taken: &Taken) -> Option<Labels> {
    let zipped = graph.output.iter().find_map(|output| taken.labels.get(&output.name));
    let makers = graph.node.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node)));
    let makers = makers.collect();
    let traced = || graph.output.iter().filter_map(|output| trace(graph, &makers, &output.name));
    match zipped {
        Some(labels) => Some(labels.clone()),
        None => {
            let mut found = traced();
            let first = found.next()?;
            found.all(|other| other == first).then_some(first)
        }
    }
}

/// Goes back from an output to what its labels come from; `makers` has the node of each value.
fn trace(graph: &GraphProto, makers: &HashMap<&str, &NodeProto>, output: &str) -> Option<Labels> {
    let mut name = output;
    // No way back is longer than there are nodes.
    for _ in 0..=graph.node.len() {
        let node = makers.get(name)?;
        let operator = node.op_type.strip_prefix(&qualified(ML, "")).unwrap_or(&node.op_type);
        match operator {
            "TreeEnsembleClassifier" => return attributes(node, "classlabels_int64s"),
            "LinearClassifier" | "SVMClassifier" => return attributes(node, "classlabels_ints"),
            "LabelEncoder" => return encoded(node),
            "ArrayFeatureExtractor" => {
                let list = graph.initializer.iter().find(|tensor| Some(&tensor.name) == node.input.first())?;
                return tensor(list);
            }
            operator if PASSING.contains(&operator) => name = node.input.first()?,
            _ => return None,
        }
    }
    None
}

fn attributes(node: &NodeProto, integers: &str) -> Option<Labels> {
    let attributes = Attributes { node, version: 1 };
    list(attributes.ints(integers).ok()?.to_vec(), attributes.strings("classlabels_strings").ok()?)
}

fn list(integers: Vec<i64>, strings: Vec<String>) -> Option<Labels> {
    match (integers.is_empty(), strings.is_empty()) {
        (false, true) => Some(Labels::Integers(integers)),
        (true, false) => Some(Labels::Strings(strings)),
        _ => None,
    }
}

/// A label encoder behind a classifier whose classes are 0, 1, …
fn encoded(node: &NodeProto) -> Option<Labels> {
    let attributes = Attributes { node, version: 2 };
    let keys = attributes.ints("keys_int64s").ok()?;
    let counted = keys.iter().enumerate().all(|(place, key)| *key == place as i64);
    let labels = list(attributes.ints("values_int64s").ok()?.to_vec(), attributes.strings("values_strings").ok()?);
    labels.filter(|_| counted && !keys.is_empty())
}

fn tensor(tensor: &TensorProto) -> Option<Labels> {
    let raw = &tensor.raw_data;
    match DataType::try_from(tensor.data_type).ok()? {
        DataType::String => {
            let texts = tensor.string_data.iter().map(|bytes| String::from_utf8(bytes.clone()).ok());
            Some(Labels::Strings(texts.collect::<Option<_>>()?))
        }
        DataType::Int64 if raw.is_empty() => Some(Labels::Integers(tensor.int64_data.clone())),
        DataType::Int64 => {
            Some(Labels::Integers(raw.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()))
        }
        DataType::Int32 if raw.is_empty() => {
            Some(Labels::Integers(tensor.int32_data.iter().map(|x| i64::from(*x)).collect()))
        }
        DataType::Int32 => {
            let numbers = raw.as_chunks::<4>().0.iter().map(|bytes| i64::from(i32::from_le_bytes(*bytes)));
            Some(Labels::Integers(numbers.collect()))
        }
        _ => None,
    }
}

/// Returns how many labels there are.
pub(crate) fn count(labels: &Labels) -> usize {
    match labels {
        Labels::Integers(labels) => labels.len(),
        Labels::Strings(labels) => labels.len(),
    }
}
