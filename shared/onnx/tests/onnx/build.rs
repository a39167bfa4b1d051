//! Builds small models as an exporter would write them.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as DimValue};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

/// One written dimension: `N(n)` a number, `S(name)` a symbol, `U` nothing.
#[derive(Clone, Copy)]
pub enum D {
    N(i64),
    S(&'static str),
    U,
}

pub fn value(name: &str, elem: DataType, dims: &[D]) -> ValueInfoProto {
    let dim = |dim: &D| Dimension {
        value: match dim {
            D::N(size) => Some(DimValue::DimValue(*size)),
            D::S(symbol) => Some(DimValue::DimParam((*symbol).into())),
            D::U => None,
        },
        ..Dimension::default()
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: elem as i32, shape: Some(shape) };
    let declared = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.into(), r#type: Some(declared), ..ValueInfoProto::default() }
}

pub fn node(name: &str, operator: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        name: name.into(),
        op_type: operator.into(),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: outputs.iter().map(ToString::to_string).collect(),
        ..NodeProto::default()
    }
}

pub fn int(mut node: NodeProto, name: &str, i: i64) -> NodeProto {
    let r#type = AttributeType::Int as i32;
    node.attribute.push(AttributeProto { name: name.into(), r#type, i, ..AttributeProto::default() });
    node
}

pub fn graph_attribute(mut node: NodeProto, name: &str, graph: GraphProto) -> NodeProto {
    let r#type = AttributeType::Graph as i32;
    node.attribute.push(AttributeProto { name: name.into(), r#type, g: Some(graph), ..AttributeProto::default() });
    node
}

pub fn floats(name: &str, dims: &[i64], data: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: data.to_vec(),
        ..TensorProto::default()
    }
}

pub fn integers(name: &str, dims: &[i64], data: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Int64 as i32,
        int64_data: data.to_vec(),
        ..TensorProto::default()
    }
}

pub fn model(graph: GraphProto) -> ModelProto {
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        producer_name: "test".into(),
        graph: Some(graph),
        ..ModelProto::default()
    }
}

pub fn bytes(graph: GraphProto) -> Vec<u8> {
    model(graph).encode_to_vec()
}

/// One node with one input `x` and one output `y`, of the given types and `[N, 2]` each.
pub fn single(node: NodeProto, from: DataType, to: DataType) -> GraphProto {
    GraphProto {
        name: "single".into(),
        node: vec![node],
        input: vec![value("x", from, &[D::S("N"), D::N(2)])],
        output: vec![value("y", to, &[D::S("N"), D::N(2)])],
        ..GraphProto::default()
    }
}

/// A perceptron with three features and two hidden units, as scikit-learn exports one with standard operators:
/// `h = relu(x W1 + b1)`, `p = sigmoid(h W2 + b2)`, label by ArgMax over `[1 - p, p]`.
pub fn perceptron() -> ModelProto {
    let nodes = vec![
        node("hidden", "MatMul", &["features", "w1"], &["h0"]),
        node("hidden_bias", "Add", &["h0", "b1"], &["h1"]),
        node("relu", "Relu", &["h1"], &["h2"]),
        node("out", "MatMul", &["h2", "w2"], &["z0"]),
        node("out_bias", "Add", &["z0", "b2"], &["z1"]),
        node("sigmoid", "Sigmoid", &["z1"], &["p"]),
        node("complement", "Sub", &["one", "p"], &["q"]),
        int(node("both", "Concat", &["q", "p"], &["probabilities"]), "axis", 1),
        int(int(node("best", "ArgMax", &["probabilities"], &["place"]), "axis", 1), "keepdims", 0),
        int(node("class", "Gather", &["classes", "place"], &["class0"]), "axis", 0),
        int(node("as_int", "Cast", &["class0"], &["class1"]), "to", DataType::Int64 as i64),
        node("flat", "Reshape", &["class1", "minus_one"], &["label"]),
    ];
    let graph = GraphProto {
        name: "perceptron".into(),
        node: nodes,
        initializer: vec![
            floats("w1", &[3, 2], &[1.0, -1.0, 0.5, 2.0, 0.0, 1.0]),
            floats("b1", &[2], &[0.0, 0.5]),
            floats("w2", &[2, 1], &[1.0, -1.0]),
            floats("b2", &[1], &[0.25]),
            floats("one", &[1], &[1.0]),
            integers("classes", &[2], &[0, 1]),
            integers("minus_one", &[1], &[-1]),
        ],
        // Older exporters list initializers among the inputs too.
        input: vec![
            value("features", DataType::Float, &[D::S("batch"), D::N(3)]),
            value("w1", DataType::Float, &[D::N(3), D::N(2)]),
        ],
        output: vec![
            value("label", DataType::Int64, &[D::S("batch")]),
            value("probabilities", DataType::Float, &[D::U, D::N(2)]),
        ],
        // A symbol of the exporter's own for the same rows.
        value_info: vec![value("h1", DataType::Float, &[D::S("rows_inside"), D::N(2)])],
        ..GraphProto::default()
    };
    let metadata = StringStringEntryProto { key: "fourstroke.features".into(), value: r#"["a","b","c"]"#.into() };
    ModelProto { metadata_props: vec![metadata], ..model(graph) }
}

pub fn perceptron_graph() -> GraphProto {
    perceptron().graph.unwrap()
}
