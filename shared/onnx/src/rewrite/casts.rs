//! Casts from and to strings: tract does neither.

use std::collections::BTreeSet;

use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto, tensor_proto::DataType, type_proto::Value};

use crate::ml::attributes::Attributes;

/// The domain and name of our operator.
const CAST: (&str, &str) = ("fourstroke", "CastString");

/// What passes its first input on, element for element.
const PASSING: &[&str] = &[
    "ArrayFeatureExtractor",
    "Concat",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Slice",
    "Squeeze",
    "StringNormalizer",
    "Tokenizer",
    "Transpose",
    "Unsqueeze",
];

/// Gives casts that strings go into or come out of the name of our operator.
pub(super) fn name_string_casts(graph: &mut GraphProto) {
    let declared = graph.input.iter().chain(&graph.value_info).filter(|info| is_strings(info));
    let mut strings: BTreeSet<String> = declared.map(|info| info.name.clone()).collect();
    let constants = graph.initializer.iter().filter(|tensor| tensor.data_type == DataType::String as i32);
    strings.extend(constants.map(|tensor| tensor.name.clone()));
    // Nodes stand behind those whose outputs they take.
    for node in &mut graph.node {
        let from = node.input.first().is_some_and(|name| strings.contains(name));
        let to_strings = gives_strings(node, from);
        if node.op_type == "Cast" && (from || to_strings) {
            (node.domain, node.op_type) = (CAST.0.to_owned(), CAST.1.to_owned());
        }
        if to_strings || from && PASSING.contains(&&*node.op_type) {
            strings.extend(node.output.iter().take(1).cloned());
        }
    }
}

fn is_strings(info: &ValueInfoProto) -> bool {
    let value = info.r#type.as_ref().and_then(|declared| declared.value.as_ref());
    matches!(value, Some(Value::TensorType(tensor)) if tensor.elem_type == DataType::String as i32)
}

/// Tells whether a node's first output is strings by what its attributes say.
fn gives_strings(node: &NodeProto, from: bool) -> bool {
    let attributes = Attributes { node, version: 1 };
    let has = |name: &str| node.attribute.iter().any(|attribute| attribute.name == name);
    match &*node.op_type {
        "Cast" => attributes.int("to") == Ok(Some(i64::from(DataType::String as i32))),
        "LabelEncoder" => {
            let tensor = attributes.tensor("values_tensor").ok().flatten();
            has("values_strings")
                || tensor.is_some_and(|tensor| tensor.data_type == DataType::String as i32)
                || has("classes_strings") && !from
        }
        "CategoryMapper" => !from,
        "TreeEnsembleClassifier" | "LinearClassifier" | "SVMClassifier" => {
            has("classlabels_strings") || has("classes_strings")
        }
        _ => false,
    }
}
