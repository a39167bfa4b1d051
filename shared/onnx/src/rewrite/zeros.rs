//! `ConstantOfShape` without a value gives 32-bit zeros, which tract takes for 64-bit ones: the value is written out.

use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, attribute_proto::AttributeType, tensor_proto::DataType};

/// Gives every such node the value it has by default.
pub(super) fn write_out(graph: &mut GraphProto) {
    for node in &mut graph.node {
        let inside =
            node.attribute.iter_mut().flat_map(|attribute| attribute.g.iter_mut().chain(&mut attribute.graphs));
        inside.for_each(write_out);
        if node.op_type != "ConstantOfShape" || !node.attribute.is_empty() {
            continue;
        }
        let zero = TensorProto {
            dims: vec![1],
            data_type: DataType::Float as i32,
            float_data: vec![0.0],
            ..TensorProto::default()
        };
        node.attribute.push(AttributeProto {
            name: "value".to_owned(),
            r#type: AttributeType::Tensor as i32,
            t: Some(zero),
            ..AttributeProto::default()
        });
    }
}
