//! What cannot run is refused at load, by name.

use fourstroke_onnx::{LoadError, SIZE_LIMIT, load};
use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto};

use crate::build::{D, bytes, floats, graph_attribute, int, model, node, perceptron, perceptron_graph, single, value};

fn message(graph: GraphProto) -> String {
    load(&bytes(graph)).unwrap_err().to_string()
}

fn identity() -> GraphProto {
    single(node("same", "Identity", &["x"], &["y"]), DataType::Float, DataType::Float)
}

#[test]
fn more_bytes_than_the_limit() {
    let error = load(&vec![0; SIZE_LIMIT + 1]).unwrap_err();
    assert_eq!(error, LoadError::TooLarge { bytes: SIZE_LIMIT + 1, limit: SIZE_LIMIT });
}

#[test]
fn bytes_that_are_not_a_model() {
    let whole = perceptron().encode_to_vec();
    for end in 0..whole.len() {
        // A cut between two fields may leave a smaller model; it must not panic, and mostly it is refused.
        let _ = load(&whole[..end]);
    }
    let error = load(&whole[..whole.len() / 2]).unwrap_err();
    assert!(matches!(error, LoadError::Malformed { .. }), "{error}");
    assert_eq!(load(b"").unwrap_err().to_string(), "this is not an ONNX model: it holds no graph");
    assert!(matches!(load(b"\x89PNG\r\n\x1a\n").unwrap_err(), LoadError::Malformed { .. }));
}

#[test]
fn operators_of_other_domains() {
    let domains = [("ai.onnx.ml", "Frobnicate", 3), ("com.example", "Scaler", 1)];
    for (domain, operator, version) in domains {
        let foreign = NodeProto { domain: domain.into(), ..node("trees", operator, &["x"], &["y"]) };
        let mut proto = model(single(foreign, DataType::Float, DataType::Float));
        proto.opset_import.push(OperatorSetIdProto { domain: domain.into(), version });
        let expected =
            format!("operator {operator} of node `trees` is not supported (domain {domain}, version {version})");
        assert_eq!(load(&proto.encode_to_vec()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn an_operator_tract_does_not_have() {
    // tract knows a Normalizer, of another domain.
    for operator in ["Frobnicate", "Normalizer"] {
        let graph = single(node("odd", operator, &["x"], &["y"]), DataType::Float, DataType::Float);
        let expected = format!("operator {operator} of node `odd` is not supported (domain ai.onnx, version 17)");
        assert_eq!(message(graph), expected);
    }
    let inner = GraphProto { node: vec![node("", "Frobnicate", &[], &["deep"])], ..GraphProto::default() };
    let choice = graph_attribute(node("choice", "If", &["x"], &["y"]), "then_branch", inner);
    let graph = single(choice, DataType::Bool, DataType::Float);
    assert_eq!(message(graph), "operator Frobnicate of node `deep` is not supported (domain ai.onnx, version 17)");
}

#[test]
fn a_domain_without_a_version() {
    let foreign = NodeProto { domain: "ai.onnx.ml".into(), ..node("same", "Scaler", &["x"], &["y"]) };
    let expected = "operator Scaler of node `same` is of domain ai.onnx.ml, which the model does not import";
    assert_eq!(message(single(foreign, DataType::Float, DataType::Float)), expected);
    // Some exporters leave the standard one out.
    let proto = ModelProto { opset_import: vec![], ..model(identity()) };
    assert!(load(&proto.encode_to_vec()).is_ok());
}

#[test]
fn inputs_that_cannot_be_fed() {
    let cases = [
        (
            value("x", DataType::Float, &[D::S("N"), D::U]),
            "input `x` has an unknown dimension 1; only that of the rows, 0, may vary",
        ),
        (
            value("x", DataType::Float, &[D::S("N"), D::N(2), D::S("time")]),
            "input `x` has an unknown dimension 2; only that of the rows, 0, may vary",
        ),
        (value("x", DataType::Float, &[D::U, D::N(0)]), "input `x` has no elements in dimension 1"),
        (value("x", DataType::Float, &[D::U, D::N(-3)]), "input `x` has no elements in dimension 1"),
        (value("x", DataType::Float, &[]), "input `x` is a scalar; its first dimension must be the rows"),
        (
            value("x", DataType::Float, &[D::U, D::N(1 << 40)]),
            "input `x` has 1099511627776 elements per row, more than the 16777216 allowed",
        ),
        (value("x", DataType::Float16, &[D::U, D::N(2)]), "input `x` has element type FLOAT16, which is not supported"),
    ];
    for (input, expected) in cases {
        assert_eq!(message(GraphProto { input: vec![input], ..identity() }), expected);
    }
    let twice = vec![identity().input[0].clone(), identity().input[0].clone()];
    assert_eq!(message(GraphProto { input: twice, ..identity() }), "input `x` is declared twice");
    let mut graph = identity();
    graph.input[0].name.clear();
    assert_eq!(message(graph), "input `` has no name");
    let mut graph = identity();
    graph.input[0].r#type = None;
    assert_eq!(message(graph), "input `x` is neither a tensor nor a map");
}

#[test]
fn outputs_that_cannot_be_read() {
    let graph = single(node("same", "Identity", &["x"], &["y"]), DataType::Float, DataType::Int64);
    assert_eq!(message(graph), "output `y` is declared as I64 and computed as F32");

    let graph = single(node("half", "Identity", &["x"], &["y"]), DataType::Float, DataType::Bfloat16);
    assert_eq!(message(graph), "output `y` has element type BFLOAT16, which is not supported");

    let mut graph = GraphProto { initializer: vec![floats("w", &[3, 2], &[0.0; 6])], ..identity() };
    graph.node = vec![node("same", "Identity", &["w"], &["y"])];
    assert_eq!(message(graph), "output `y` has as many rows however many the input has");
}

#[test]
fn graphs_that_do_not_fit_together() {
    let mut nowhere = identity();
    nowhere.output[0].name = "z".into();
    let mut unfed = identity();
    unfed.node[0].input = vec!["z".into()];
    let mut circle = identity();
    circle.node = vec![node("one", "Add", &["x", "b"], &["a"]), node("two", "Add", &["a", "x"], &["b"])];
    circle.node.push(node("end", "Identity", &["b"], &["y"]));
    let mut short = perceptron_graph();
    short.initializer[0].float_data.pop();
    let without_inputs = GraphProto { input: vec![], ..identity() };
    let without_outputs = GraphProto { output: vec![], ..identity() };
    let mut mismatched = perceptron_graph();
    mismatched.initializer[0].dims = vec![2, 3];
    for graph in [nowhere, unfed, circle, short, mismatched, without_inputs, without_outputs] {
        let error = load(&bytes(graph)).unwrap_err();
        assert!(matches!(error, LoadError::Graph { .. }), "{error}");
        assert!(!error.to_string().contains('\n') && error.to_string().len() < 700, "{error}");
    }
}

#[test]
fn strings_where_numbers_are_wanted() {
    let one = |name: &str, value: f32| AttributeProto {
        name: name.into(),
        r#type: AttributeType::Floats as i32,
        floats: vec![value; 2],
        ..AttributeProto::default()
    };
    for (operator, attributes) in [
        ("Binarizer", vec![]),
        ("Normalizer", vec![]),
        ("FeatureVectorizer", vec![]),
        ("Scaler", vec![one("offset", 0.0), one("scale", 1.0)]),
        ("LinearRegressor", vec![one("coefficients", 1.0)]),
    ] {
        let node = NodeProto {
            domain: "ai.onnx.ml".into(),
            attribute: attributes,
            ..node("numbers", operator, &["x"], &["y"])
        };
        let mut proto = model(single(node, DataType::String, DataType::Float));
        proto.opset_import.push(OperatorSetIdProto { domain: "ai.onnx.ml".into(), version: 1 });
        let message = load(&proto.encode_to_vec()).unwrap_err().to_string();
        assert!(message.contains(operator) && message.contains("it takes numbers, not strings"), "{message}");
    }
}

#[test]
fn casts_of_strings_to_what_they_cannot_be() {
    for to in [DataType::Uint8, DataType::Int16, DataType::Uint64, DataType::Float16] {
        let cast = int(node("cast", "Cast", &["x"], &["y"]), "to", to as i64);
        let error = message(single(cast, DataType::String, to));
        assert!(error.contains("of String here"), "{error}");
    }
}
