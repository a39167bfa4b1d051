//! Whatever the bytes say, load and infer answer or refuse; they never panic.

use std::path::{Path, PathBuf};

use fourstroke::ports::{Dtype, Model, Port, Tensor, Tensors};
use fourstroke_onnx::load;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

use crate::build::{bytes, floats, int, integers, node, perceptron, perceptron_graph, single};

/// Loads the bytes and, when they load, runs a few rows through them.
fn try_out(bytes: &[u8]) {
    let Ok(model) = load(bytes) else { return };
    for rows in [0, 1, 3] {
        let data = model.signature().inputs.iter().map(|port| ones(port, rows)).collect();
        if let Ok(answer) = model.infer(&Tensors { rows, data }) {
            for (port, tensor) in model.signature().outputs.iter().zip(&answer.data) {
                assert_eq!((port.dtype, rows * port.width()), (tensor.dtype(), tensor.len()));
            }
        }
    }
}

fn ones(port: &Port, rows: usize) -> Tensor {
    let length = rows * port.width();
    match port.dtype {
        Dtype::F32 => Tensor::F32(vec![1.0; length]),
        Dtype::F64 => Tensor::F64(vec![1.0; length]),
        Dtype::I64 => Tensor::I64(vec![1; length]),
        Dtype::Bool => Tensor::Bool(vec![true; length]),
        Dtype::String => Tensor::String(vec!["1".into(); length]),
    }
}

/// One change to a well-formed graph.
#[derive(Clone, Debug)]
enum Change {
    Operator(Index, Index),
    Input(Index, Index, Index),
    DropNode(Index),
    SwapNodes(Index, Index),
    Attribute(Index, i64),
    TensorDim(Index, Index, i64),
    TensorType(Index, i32),
    RawTensor(Index, Vec<u8>),
    OutputName(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    let size = || prop_oneof![-2_i64..9, any::<i64>()];
    prop_oneof![
        (index(), index()).prop_map(|(node, operator)| Change::Operator(node, operator)),
        (index(), index(), index()).prop_map(|(node, slot, name)| Change::Input(node, slot, name)),
        index().prop_map(Change::DropNode),
        (index(), index()).prop_map(|(one, other)| Change::SwapNodes(one, other)),
        (index(), size()).prop_map(|(node, number)| Change::Attribute(node, number)),
        (index(), index(), size()).prop_map(|(tensor, slot, size)| Change::TensorDim(tensor, slot, size)),
        (index(), -1_i32..25).prop_map(|(tensor, elem)| Change::TensorType(tensor, elem)),
        (index(), prop::collection::vec(any::<u8>(), 0..32)).prop_map(|(tensor, raw)| Change::RawTensor(tensor, raw)),
        (index(), index()).prop_map(|(output, name)| Change::OutputName(output, name)),
    ]
}

fn apply(graph: &mut GraphProto, change: &Change) {
    let mut names: Vec<String> = graph.node.iter().flat_map(|node| node.output.clone()).collect();
    names.extend(graph.initializer.iter().map(|tensor| tensor.name.clone()));
    names.push("features".into());
    if graph.node.is_empty() {
        return;
    }
    match change {
        Change::Operator(node, operator) => {
            let mut operators: Vec<String> = tract_onnx::onnx().op_register.0.into_keys().collect();
            operators.sort();
            node.get_mut(&mut graph.node).op_type = operator.get(&operators).clone();
        }
        Change::Input(node, slot, name) => {
            let inputs = &mut node.get_mut(&mut graph.node).input;
            *slot.get_mut(inputs) = name.get(&names).clone();
        }
        Change::DropNode(node) => drop(graph.node.remove(node.index(graph.node.len()))),
        Change::SwapNodes(one, other) => {
            let count = graph.node.len();
            graph.node.swap(one.index(count), other.index(count));
        }
        Change::Attribute(node, number) => {
            node.get_mut(&mut graph.node).attribute.iter_mut().for_each(|attribute| attribute.i = *number);
        }
        Change::TensorDim(tensor, slot, size) => {
            *slot.get_mut(&mut tensor.get_mut(&mut graph.initializer).dims) = *size;
        }
        Change::TensorType(tensor, elem) => tensor.get_mut(&mut graph.initializer).data_type = *elem,
        Change::RawTensor(tensor, raw) => tensor.get_mut(&mut graph.initializer).raw_data = raw.clone(),
        Change::OutputName(output, name) => output.get_mut(&mut graph.output).name = name.get(&names).clone(),
    }
}

/// The models of tests/models: trees, linear models, SVMs, text, a map.
fn exported() -> Vec<ModelProto> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let mut paths: Vec<_> = std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let model = |path: &PathBuf| Some(ModelProto::decode(&*std::fs::read(path.join("model.onnx")).ok()?).unwrap());
    paths.iter().filter_map(model).collect()
}

/// One change to an attribute of a well-formed operator: to one of its numbers, its length, its text or its name.
#[derive(Clone, Debug)]
enum Twist {
    Whole(Index, Index, i64),
    Float(Index, Index, f32),
    Cut(Index, Index),
    Copy(Index, Index),
    Text(Index, Index, String),
    Gone(Index),
    Tensor(Index, Vec<u8>),
}

fn twist() -> impl Strategy<Value = Twist> {
    let index = any::<Index>;
    let whole = prop_oneof![-2_i64..20, any::<i64>(), Just(1 << 31), Just(1 << 40)];
    prop_oneof![
        4 => (index(), index(), whole).prop_map(|(attribute, at, to)| Twist::Whole(attribute, at, to)),
        2 => (index(), index(), any::<f32>()).prop_map(|(attribute, at, to)| Twist::Float(attribute, at, to)),
        2 => (index(), index()).prop_map(|(attribute, at)| Twist::Cut(attribute, at)),
        1 => (index(), index()).prop_map(|(attribute, other)| Twist::Copy(attribute, other)),
        2 => (index(), index(), "[A-Z_]{0,8}|BRANCH_EQ|LEAF|.{0,3}")
            .prop_map(|(attribute, at, to)| Twist::Text(attribute, at, to)),
        1 => index().prop_map(Twist::Gone),
        1 => (index(), prop::collection::vec(any::<u8>(), 0..24)).prop_map(|(attribute, raw)| Twist::Tensor(attribute, raw)),
    ]
}

fn put<T>(at: &Index, list: &mut [T], value: T) {
    if !list.is_empty() {
        *at.get_mut(list) = value;
    }
}

fn apply_twist(graph: &mut GraphProto, twist: &Twist) {
    let mut attributes: Vec<&mut AttributeProto> = graph.node.iter_mut().flat_map(|node| &mut node.attribute).collect();
    if attributes.is_empty() {
        return;
    }
    match twist {
        Twist::Whole(of, at, to) => {
            let attribute = of.get_mut(&mut attributes);
            attribute.i = *to;
            put(at, &mut attribute.ints, *to);
        }
        Twist::Float(of, at, to) => {
            let attribute = of.get_mut(&mut attributes);
            attribute.f = *to;
            put(at, &mut attribute.floats, *to);
        }
        Twist::Cut(of, at) => {
            let attribute = of.get_mut(&mut attributes);
            let length = |of: usize| if of == 0 { 0 } else { at.index(of) };
            attribute.ints.truncate(length(attribute.ints.len()));
            attribute.floats.truncate(length(attribute.floats.len()));
            attribute.strings.truncate(length(attribute.strings.len()));
        }
        Twist::Copy(of, other) => {
            let other = (**other.get(&attributes)).clone();
            let attribute = of.get_mut(&mut attributes);
            let name = std::mem::take(&mut attribute.name);
            **attribute = AttributeProto { name, ..other };
        }
        Twist::Text(of, at, to) => {
            let attribute = of.get_mut(&mut attributes);
            attribute.s = to.clone().into_bytes();
            put(at, &mut attribute.strings, to.clone().into_bytes());
        }
        Twist::Gone(of) => of.get_mut(&mut attributes).name.push('x'),
        Twist::Tensor(of, raw) => {
            if let Some(tensor) = &mut of.get_mut(&mut attributes).t {
                tensor.raw_data = raw.clone();
            }
        }
    }
}

proptest! {
    #[test]
    fn noise(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        try_out(&bytes);
    }

    #[test]
    fn changed_bytes(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        cut in any::<Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = perceptron().encode_to_vec();
        for (place, byte) in &changes {
            *place.get_mut(&mut bytes) = *byte;
        }
        let end = if whole { bytes.len() } else { cut.index(bytes.len()) };
        try_out(&bytes[..end]);
    }

    #[test]
    fn changed_attributes(model in any::<Index>(), twists in prop::collection::vec(twist(), 1..4)) {
        let mut model = model.get(&exported()).clone();
        let graph = model.graph.as_mut().unwrap();
        twists.iter().for_each(|twist| apply_twist(graph, twist));
        try_out(&model.encode_to_vec());
    }

    #[test]
    fn changed_graphs(changes in prop::collection::vec(change(), 1..4)) {
        let mut graph = perceptron_graph();
        changes.iter().for_each(|change| apply(&mut graph, change));
        try_out(&bytes(graph));
    }
}

/// Loads a graph that makes something large of constants and adds its highest exponential to its rows; runs it if it loads.
fn large(made: NodeProto, more: Vec<NodeProto>, constants: Vec<TensorProto>) -> Result<Tensors, String> {
    let mut graph = single(node("add", "Add", &["x", "highest"], &["y"]), DataType::Float, DataType::Float);
    let exp = node("exp", "Exp", &["large"], &["exponentials"]);
    let highest = int(node("highest", "ReduceMax", &["exponentials"], &["highest"]), "keepdims", 0);
    graph.node = more.into_iter().chain([made, exp, highest, graph.node.remove(0)]).collect();
    graph.initializer = constants;
    let model = load(&bytes(graph)).map_err(|error| error.to_string())?;
    model.infer(&Tensors { rows: 2, data: vec![Tensor::F32(vec![1.0; 4])] }).map_err(|error| error.reason)
}

#[test]
fn billions_that_a_few_bytes_ask_for() {
    let billions = || integers("billions", &[1], &[1 << 30]);
    let one = || floats("one", &[1], &[1.0]);
    let refused = "makes more than 268435456 numbers";
    for (operator, inputs) in
        [("ConstantOfShape", &["billions"][..]), ("Expand", &["one", "billions"]), ("Tile", &["one", "billions"])]
    {
        let answer = large(node("large", operator, inputs, &["large"]), vec![], vec![one(), billions()]);
        assert!(answer.as_ref().is_err_and(|error| error.contains(refused)), "{operator}: {answer:?}");
    }
    let scalar = |name, value| floats(name, &[], &[value]);
    let range = || node("large", "Range", &["zero", "end", "step"], &["large"]);
    let steps = || vec![scalar("zero", 0.0), scalar("step", 1.0)];
    let known = large(range(), vec![], [steps(), vec![scalar("end", 8e9)]].concat());
    assert!(known.as_ref().is_err_and(|error| error.contains(refused)), "{known:?}");
    let computed = vec![node("twice", "Add", &["half", "half"], &["end"])];
    let computed = large(range(), computed, [steps(), vec![scalar("half", 4e9)]].concat());
    assert!(computed.as_ref().is_err_and(|error| error.contains(refused)), "{computed:?}");
    // Beyond 2^32 the lower half is nothing.
    for (many, refused) in [(1 << 30, refused), (1 << 32, "beyond 32 bits"), (1 << 35, "beyond 32 bits")] {
        let padded = node("large", "Pad", &["one", "pads"], &["large"]);
        let padded = large(padded, vec![], vec![one(), integers("pads", &[2], &[0, many])]);
        assert!(padded.as_ref().is_err_and(|error| error.contains(refused)), "{padded:?}");
        let whole = |name, value| integers(name, &[], &[value]);
        let counted = node("counted", "Range", &["zero", "end", "step"], &["count"]);
        let cast = int(node("large", "Cast", &["count"], &["large"]), "to", DataType::Float as i64);
        let counted = large(cast, vec![counted], vec![whole("zero", 0), whole("end", many), whole("step", 1)]);
        assert!(counted.as_ref().is_err_and(|error| error.contains(refused)), "{counted:?}");
    }
    // A column and a row of zeros, added up to a matrix.
    let zeros = |name: &str, shape: &str| node(name, "ConstantOfShape", &[shape], &[name]);
    let shapes = vec![integers("tall", &[2], &[100_000, 1]), integers("wide", &[2], &[1, 100_000])];
    let matrix = node("large", "Add", &["column", "row"], &["large"]);
    let matrix = large(matrix, vec![zeros("column", "tall"), zeros("row", "wide")], shapes);
    assert!(matrix.as_ref().is_err_and(|error| error.contains(refused)), "{matrix:?}");
    let hot = node("large", "OneHot", &["first", "billions", "values"], &["large"]);
    let hot = large(hot, vec![], vec![integers("first", &[1], &[0]), billions(), floats("values", &[2], &[0.0, 1.0])]);
    assert!(hot.is_err(), "{hot:?}");
    let doubled = |place: usize| {
        let from = if place == 0 { "one".to_owned() } else { format!("twice{place}") };
        int(node("double", "Concat", &[&from, &from], &[&format!("twice{}", place + 1)]), "axis", 0)
    };
    let last = int(node("large", "Concat", &["twice32", "twice32"], &["large"]), "axis", 0);
    let doubled = large(last, (0..32).map(doubled).collect(), vec![one()]);
    assert!(doubled.as_ref().is_err_and(|error| error.contains(refused)), "{doubled:?}");
}

#[test]
fn more_rows_than_there_is_room_for_are_taken_in_pieces() {
    // A million numbers of each row; and a weight, which is none of a row's.
    let mut graph = single(node("add", "Add", &["x", "highest"], &["y"]), DataType::Float, DataType::Float);
    let wide = node("wide", "Tile", &["x", "times"], &["large"]);
    let highest = int(node("highest", "ReduceMax", &["large"], &["highest"]), "keepdims", 1);
    let columns = AttributeProto {
        name: "axes".into(),
        r#type: AttributeType::Ints as i32,
        ints: vec![1],
        ..AttributeProto::default()
    };
    let highest = NodeProto { attribute: [highest.attribute, vec![columns]].concat(), ..highest };
    graph.node = vec![wide, highest, graph.node.remove(0)];
    graph.initializer = vec![integers("times", &[2], &[1, 1 << 19])];
    let model = load(&bytes(graph)).unwrap();
    let x: Vec<f32> = (0..600).map(|place| place as f32).collect();
    let expected = x.chunks_exact(2).flat_map(|row| [row[0] + row[1], row[1] + row[1]]).collect();
    let answer = model.infer(&Tensors { rows: 300, data: vec![Tensor::F32(x)] }).unwrap();
    assert_eq!((answer.rows, &answer.data[..]), (300, &[Tensor::F32(expected)][..]));
}
