//! Axes that are a constant input become the attribute they once were, for operators of ours that work out shapes by them.

use std::collections::HashMap;

use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, attribute_proto::AttributeType, tensor_proto::DataType};

/// Has `ReduceLogSumExp` know its axes when it is read.
pub(super) fn to_attributes(graph: &mut GraphProto) {
    let constants = constants(graph);
    for node in graph.node.iter_mut().filter(|node| node.op_type == "ReduceLogSumExp") {
        let Some(name) = node.input.get(1) else { continue };
        let axes = if name.is_empty() { Some(&Vec::new()) } else { constants.get(name) };
        let Some(axes) = axes.cloned() else { continue };
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

/// Returns what the graph has of whole numbers: initializers, and what Constant nodes give.
fn constants(graph: &GraphProto) -> HashMap<String, Vec<i64>> {
    let initializers = graph.initializer.iter().filter_map(|tensor| Some((tensor.name.clone(), integers(tensor)?)));
    let nodes = graph.node.iter().filter(|node| node.op_type == "Constant").filter_map(|node| {
        let value = node.attribute.first()?;
        let integers = match value.name.as_str() {
            "value" => integers(value.t.as_ref()?)?,
            "value_ints" => value.ints.clone(),
            "value_int" => vec![value.i],
            _ => return None,
        };
        Some((node.output.first()?.clone(), integers))
    });
    initializers.chain(nodes).collect()
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
