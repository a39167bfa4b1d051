//! What a graph says by itself, without any row.

use tract_onnx::pb::{GraphProto, TensorProto};

/// Returns the tensor of that name, if it is an initializer or what a Constant node gives.
pub(crate) fn constant<'a>(graph: &'a GraphProto, name: &str) -> Option<&'a TensorProto> {
    let given = graph.initializer.iter().find(|tensor| tensor.name == name);
    given.or_else(|| {
        let is_it = |output: &String| output == name;
        let node =
            graph.node.iter().find(|node| node.op_type == "Constant" && node.output.first().is_some_and(is_it))?;
        node.attribute.iter().find(|attribute| attribute.name == "value")?.t.as_ref()
    })
}
