//! Right models give right answers; wrong rows are refused.

use fourstroke::error::Kind;
use fourstroke::ports::{Dim, Dtype, Model, Port, Tensor, Tensors};
use fourstroke::testkit::model::suite;
use fourstroke_onnx::{OnnxModel, load};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto};

use crate::build::{D, bytes, floats, int, model, node, perceptron, single, value};

fn loaded() -> OnnxModel {
    load(&perceptron().encode_to_vec()).unwrap()
}

fn one(rows: usize, tensor: Tensor) -> Tensors {
    Tensors { rows, data: vec![tensor] }
}

fn refusal(model: &OnnxModel, inputs: &Tensors) -> String {
    let error = model.infer(inputs).unwrap_err();
    assert_eq!(error.kind, Kind::Poison);
    error.reason
}

/// A run of features, and the perceptron worked out by hand in double precision.
fn rows(count: usize) -> (Vec<f32>, Vec<f64>) {
    let x: Vec<f32> = (0..count * 3).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
    let by_hand = |row: &[f32]| {
        let [a, b, c] = [0, 1, 2].map(|i| f64::from(row[i]));
        let h = [(a + 0.5 * b).max(0.0), (-a + 2.0 * b + c + 0.5).max(0.0)];
        1.0 / (1.0 + (-(h[0] - h[1] + 0.25)).exp())
    };
    let p = x.chunks(3).map(by_hand).collect();
    (x, p)
}

#[test]
fn the_signature_is_the_file_s() {
    let model = loaded();
    let signature = model.signature();
    let port = |name: &str, dtype, dims: &[Dim]| Port { name: name.into(), dtype, dims: dims.to_vec(), labels: None };
    assert_eq!(signature.inputs, [port("features", Dtype::F32, &[Dim::Batch, Dim::Fixed(3)])]);
    let outputs =
        [port("label", Dtype::I64, &[Dim::Batch]), port("probabilities", Dtype::F32, &[Dim::Batch, Dim::Fixed(2)])];
    assert_eq!(signature.outputs, outputs);
    assert_eq!(signature.labels, None);
    assert_eq!(signature.metadata["fourstroke.features"], r#"["a","b","c"]"#);
}

#[test]
fn two_rows_worked_out_on_paper() {
    let answer = loaded().infer(&one(2, Tensor::F32(vec![1.0, 2.0, -1.0, 2.0, 0.0, -1.0]))).unwrap();
    assert_eq!(answer.rows, 2);
    assert_eq!(answer.data[0], Tensor::I64(vec![0, 1]));
    let Tensor::F32(p) = &answer.data[1] else { panic!("{answer:?}") };
    // h = (2, 2.5), z = -0.25; h = (2, 0), z = 2.25
    for (found, expected) in p.iter().zip([0.562_176_5, 0.437_823_5, 0.095_349_5, 0.904_650_5]) {
        assert!((found - expected).abs() < 1e-6, "{p:?}");
    }
}

#[test]
fn any_number_of_rows_gives_the_same_answers() {
    let model = loaded();
    for count in [1, 3, 100] {
        let (x, expected) = rows(count);
        let answer = model.infer(&one(count, Tensor::F32(x))).unwrap();
        let (Tensor::I64(labels), Tensor::F32(p)) = (&answer.data[0], &answer.data[1]) else { panic!("{answer:?}") };
        assert_eq!((labels.len(), p.len()), (count, count * 2));
        for (row, expected) in expected.iter().enumerate() {
            assert!((f64::from(p[row * 2 + 1]) - expected).abs() < 1e-5, "row {row} of {count}");
            assert!((f64::from(p[row * 2]) - (1.0 - expected)).abs() < 1e-5, "row {row} of {count}");
            assert_eq!(labels[row], i64::from(*expected > 0.5), "row {row} of {count}");
        }
    }
}

#[test]
fn a_loaded_model_is_a_model() {
    let (x, _) = rows(10);
    suite(&loaded(), &one(10, Tensor::F32(x)), 1e-6);
}

#[test]
fn no_rows_give_empty_tensors() {
    let answer = loaded().infer(&one(0, Tensor::F32(vec![]))).unwrap();
    assert_eq!(answer, Tensors { rows: 0, data: vec![Tensor::I64(vec![]), Tensor::F32(vec![])] });
}

#[test]
fn a_wrong_shape_names_input_expected_and_found() {
    let model = loaded();
    let reason = refusal(&model, &one(2, Tensor::F32(vec![0.0; 8])));
    assert_eq!(reason, "input `features` takes 2 rows of 3, found 8 elements");
    let reason = refusal(&model, &one(2, Tensor::F64(vec![0.0; 6])));
    assert_eq!(reason, "input `features` takes F32, found F64");
    assert_eq!(refusal(&model, &Tensors { rows: 2, data: vec![] }), "the model takes 1 inputs, found 0");
    let reason = refusal(&model, &one(usize::MAX, Tensor::F32(vec![0.0; 3])));
    assert!(reason.contains("found 3 elements"), "{reason}");
}

#[test]
fn a_missing_value_may_be_handled_inside_the_model() {
    let nodes = vec![node("gap", "IsNaN", &["x"], &["gaps"]), node("fill", "Where", &["gaps", "zero", "x"], &["y"])];
    let graph = GraphProto {
        node: nodes,
        initializer: vec![floats("zero", &[1], &[-1.0])],
        ..single(NodeProto::default(), DataType::Float, DataType::Float)
    };
    let answer = load(&bytes(graph)).unwrap().infer(&one(1, Tensor::F32(vec![f32::NAN, 4.0]))).unwrap();
    assert_eq!(answer.data, [Tensor::F32(vec![-1.0, 4.0])]);
}

#[test]
fn a_missing_value_no_one_replaces_is_refused() {
    let (mut data, _) = rows(3);
    data[1] = f32::NAN;
    let reason = refusal(&loaded(), &one(3, Tensor::F32(data)));
    assert!(reason.contains("holds NaN"), "{reason}");
}

#[test]
fn narrower_integers_are_widened_and_checked() {
    let types = [
        (DataType::Int8, i64::from(i8::MAX)),
        (DataType::Int16, i64::from(i16::MAX)),
        (DataType::Int32, i64::from(i32::MAX)),
        (DataType::Uint8, i64::from(u8::MAX)),
        (DataType::Uint16, i64::from(u16::MAX)),
        (DataType::Uint32, i64::from(u32::MAX)),
    ];
    for (elem, max) in types {
        let model = load(&bytes(single(node("same", "Identity", &["x"], &["y"]), elem, elem))).unwrap();
        assert_eq!(model.signature().to_string(), "(x I64[N, 2]) -> (y I64[N, 2])");
        let inputs = one(1, Tensor::I64(vec![1, max]));
        assert_eq!(model.infer(&inputs).unwrap().data, inputs.data);
        let reason = refusal(&model, &one(1, Tensor::I64(vec![1, max + 1])));
        assert!(reason.starts_with("input `x` takes ") && reason.ends_with(&format!("found {}", max + 1)), "{reason}");
    }
}

#[test]
fn every_type_of_the_port_crosses() {
    let types = [
        (DataType::Float, Tensor::F32(vec![1.5, -0.0])),
        (DataType::Double, Tensor::F64(vec![1.5, f64::INFINITY])),
        (DataType::Int64, Tensor::I64(vec![i64::MIN, i64::MAX])),
        (DataType::Uint64, Tensor::I64(vec![0, i64::MAX])),
        (DataType::Bool, Tensor::Bool(vec![true, false])),
        (DataType::String, Tensor::String(vec!["a".into(), "é".into()])),
    ];
    for (elem, tensor) in types {
        let model = load(&bytes(single(node("same", "Identity", &["x"], &["y"]), elem, elem))).unwrap();
        assert_eq!(model.infer(&one(1, tensor.clone())).unwrap().data, [tensor]);
    }
}

#[test]
fn one_column_per_input_may_be_wanted() {
    let column = |name: &str| value(name, DataType::Float, &[D::U, D::N(1)]);
    let graph = GraphProto {
        node: vec![int(node("all", "Concat", &["a", "b"], &["y"]), "axis", 1)],
        input: vec![column("a"), column("b")],
        output: vec![value("y", DataType::Float, &[D::U, D::U])],
        ..GraphProto::default()
    };
    let model = load(&bytes(graph)).unwrap();
    assert_eq!(model.signature().to_string(), "(a F32[N, 1], b F32[N, 1]) -> (y F32[N, 2])");
    let columns = vec![Tensor::F32(vec![1.0, 2.0]), Tensor::F32(vec![3.0, 4.0])];
    let answer = model.infer(&Tensors { rows: 2, data: columns }).unwrap();
    assert_eq!(answer.data, [Tensor::F32(vec![1.0, 3.0, 2.0, 4.0])]);
}

#[test]
fn a_first_dimension_of_one_is_the_batch() {
    let mut graph = single(node("same", "Relu", &["x"], &["y"]), DataType::Float, DataType::Float);
    graph.input = vec![value("x", DataType::Float, &[D::N(1), D::N(2)])];
    graph.output = vec![value("y", DataType::Float, &[D::N(1), D::N(2)])];
    let answer = load(&bytes(graph)).unwrap().infer(&one(2, Tensor::F32(vec![1.0, -2.0, -3.0, 4.0]))).unwrap();
    assert_eq!(answer.data, [Tensor::F32(vec![1.0, 0.0, 0.0, 4.0])]);
}

#[test]
fn a_length_computed_from_a_shape_is_an_integer() {
    // Shape gives tract's own type for lengths.
    let nodes = vec![node("shape", "Shape", &["x"], &["s"]), node("same", "Expand", &["s", "s"], &["y"])];
    let graph = GraphProto { node: nodes, ..single(NodeProto::default(), DataType::Float, DataType::Int64) };
    let model = load(&model(graph).encode_to_vec()).unwrap();
    let answer = model.infer(&one(3, Tensor::F32(vec![0.0; 6]))).unwrap();
    assert_eq!(answer.data, [Tensor::I64(vec![3, 2, 3, 2, 3, 2])]);
}

#[test]
fn an_index_out_of_range_is_the_row_s_fault() {
    let graph = GraphProto {
        initializer: vec![floats("table", &[3], &[1.0, 2.0, 3.0])],
        ..single(node("pick", "Gather", &["table", "x"], &["y"]), DataType::Int64, DataType::Float)
    };
    let model = load(&bytes(graph)).unwrap();
    assert_eq!(model.infer(&one(1, Tensor::I64(vec![2, 0]))).unwrap().data, [Tensor::F32(vec![3.0, 1.0])]);
    let reason = refusal(&model, &one(1, Tensor::I64(vec![0, 7])));
    assert!(reason.starts_with("the model failed: "), "{reason}");
    assert_eq!(model.infer(&one(1, Tensor::I64(vec![1, 1]))).unwrap().data, [Tensor::F32(vec![2.0, 2.0])]);
}

#[test]
fn the_softmax_of_a_row_is_its_own_and_the_first_of_equals_is_the_highest() {
    let graph = GraphProto {
        name: "scores".into(),
        node: vec![
            int(node("softmax", "Softmax", &["x"], &["p"]), "axis", -1),
            int(int(node("argmax", "ArgMax", &["x"], &["best"]), "axis", 1), "keepdims", 0),
        ],
        input: vec![value("x", DataType::Float, &[D::S("N"), D::N(3)])],
        output: vec![value("p", DataType::Float, &[D::S("N"), D::N(3)]), value("best", DataType::Int64, &[D::S("N")])],
        ..GraphProto::default()
    };
    let model = load(&bytes(graph)).unwrap();
    let known = [
        ([0.0, 0.0, 0.0], [1.0 / 3.0; 3], 0),
        ([1.0, 2.0, 2.0], [0.155_362_4, 0.422_318_8, 0.422_318_8], 1),
        ([-1e30, 1e30, 0.0], [0.0, 1.0, 0.0], 1),
        ([-88.0, -89.0, f32::NEG_INFINITY], [0.731_058_6, 0.268_941_4, 0.0], 0),
        ([300.0, 301.0, 302.0], [0.090_030_6, 0.244_728_5, 0.665_240_9], 2),
    ];
    let answer = |rows: &[[f32; 3]]| {
        let mut answer = model.infer(&one(rows.len(), Tensor::F32(rows.concat()))).unwrap().data.into_iter();
        let (Some(Tensor::F32(p)), Some(Tensor::I64(best))) = (answer.next(), answer.next()) else { panic!("types") };
        (p, best)
    };
    let all: Vec<[f32; 3]> = known.iter().map(|(x, ..)| *x).cycle().take(1_000).collect();
    let (together, bests) = answer(&all);
    for (place, (x, p, best)) in known.iter().enumerate() {
        let (alone, of_row) = answer(&[*x]);
        assert_eq!((&alone[..], of_row[0]), (&together[place * 3..][..3], *best), "{x:?}");
        assert_eq!(bests[place + 995], *best);
        alone.iter().zip(p).for_each(|(found, expected)| assert!((found - expected).abs() < 1e-6, "{x:?}: {alone:?}"));
    }
}

#[test]
fn logarithms_of_probabilities_that_are_none_any_more() {
    let softmax = int(node("log", "LogSoftmax", &["x"], &["y"]), "axis", 1);
    let model = load(&bytes(single(softmax, DataType::Float, DataType::Float))).unwrap();
    let rows = [[0.0, -90.0], [300.0, 300.0], [-1e4, 1e4], [f32::NAN, 1.0], [f32::INFINITY, 1.0]].concat();
    let answer = model.infer(&one(5, Tensor::F32(rows))).unwrap();
    let Tensor::F32(found) = &answer.data[0] else { panic!("{answer:?}") };
    let half = 0.5_f32.ln();
    for (found, expected) in found.iter().zip([0.0, -90.0, half, half, -2e4, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{answer:?}");
    }
    assert!(found[6..].iter().all(|x| x.is_nan()), "{answer:?}");
}

#[test]
fn what_is_nan_is_not_the_highest_and_nothing_is_above_it() {
    let best = int(int(node("best", "ArgMax", &["x"], &["y"]), "axis", 1), "keepdims", 1);
    let mut graph = single(best, DataType::Float, DataType::Int64);
    graph.output = vec![value("y", DataType::Int64, &[D::S("N"), D::N(1)])];
    let model = load(&bytes(graph)).unwrap();
    let rows = [[f32::NAN, 5.0], [5.0, f32::NAN], [1.0, 2.0], [f32::NEG_INFINITY, f32::MIN]].concat();
    // As onnxruntime has it.
    assert_eq!(model.infer(&one(4, Tensor::F32(rows))).unwrap().data, [Tensor::I64(vec![0, 0, 1, 1])]);
}

#[test]
fn casts_to_int64_keep_large_numbers() {
    let cast = || int(node("cast", "Cast", &["x"], &["y"]), "to", DataType::Int64 as i64);
    let large = [3_000_000_000.0, -1_700_000_000_000.0];
    let model = load(&bytes(single(cast(), DataType::Double, DataType::Int64))).unwrap();
    let answer = model.infer(&one(1, Tensor::F64(large.to_vec()))).unwrap();
    assert_eq!(answer.data, [Tensor::I64(vec![3_000_000_000, -1_700_000_000_000])]);
    let model = load(&bytes(single(cast(), DataType::Uint32, DataType::Int64))).unwrap();
    let answer = model.infer(&one(1, Tensor::I64(vec![4_000_000_000, 7]))).unwrap();
    assert_eq!(answer.data, [Tensor::I64(vec![4_000_000_000, 7])]);
}
