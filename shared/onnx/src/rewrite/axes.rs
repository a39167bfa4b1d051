//! Axes that are a constant input become the attribute they once were, for operators of ours that work out shapes by them.

use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, attribute_proto::AttributeType, tensor_proto::DataType};

use crate::constants::constant;

/// Has `ReduceLogSumExp` know its axes when it is read.
pub(super) fn to_attributes(graph: &mut GraphProto) {
    for place in 0..graph.node.len() {
        let node = &graph.node[place];
        let Some(name) = node.input.get(1).filter(|_| node.op_type == "ReduceLogSumExp") else { continue };
        let axes = if name.is_empty() { Some(Vec::new()) } else { constant(graph, name).and_then(integers) };
        let Some(axes) = axes else { continue };
        let node = &mut graph.node[place];
        node.input.truncate(1);
        node.attribute.retain(|attribute| attribute.name != "axes");
        node.attribute.push(AttributeProto {
            name: "axes".to_owned(),
            r#type: AttributeType::Ints as i32,
            ints: axes,
            ..AttributeProto::default()
        });
    }
}

fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    if tensor.data_type != DataType::Int64 as i32 {
        return None;
    }
    if tensor.raw_data.is_empty() {
        return Some(tensor.int64_data.clone());
    }
    Some(tensor.raw_data.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
}
