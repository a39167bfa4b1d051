//! Weights in other files: taken from those that are given, refused by the tensor's name where they are not.

use bytes::Bytes;
use fourstroke::ports::{Model, Tensor, Tensors};
use fourstroke_onnx::{LoadError, SIZE_LIMIT, load, load_with};
use prost::Message;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{GraphProto, ModelProto, StringStringEntryProto, TensorProto};

use crate::build::{bytes, floats, graph_attribute, node, perceptron, single};

/// Lies at these bytes of a file.
fn outside(tensor: &TensorProto, place: &[(&str, &str)]) -> TensorProto {
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto { key: (*key).into(), value: (*value).into() };
    TensorProto {
        float_data: Vec::new(),
        data_location: Some(DataLocation::External as i32),
        external_data: place.iter().map(entry).collect(),
        ..tensor.clone()
    }
}

/// The perceptron with its first two tensors at a place of `w.bin`, and that file.
fn split(places: [&[(&str, &str)]; 2]) -> (ModelProto, Vec<(String, Bytes)>) {
    let mut proto = perceptron();
    let tensors = &mut proto.graph.as_mut().unwrap().initializer;
    let raw = |tensor: &TensorProto| tensor.float_data.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let file = [raw(&tensors[0]), vec![0xff; 8], raw(&tensors[1])].concat();
    for (tensor, place) in tensors.iter_mut().zip(places) {
        *tensor = outside(tensor, place);
    }
    (proto, vec![("w.bin".to_owned(), file.into())])
}

const PLACES: [&[(&str, &str)]; 2] =
    [&[("location", "w.bin"), ("offset", "0"), ("length", "24")], &[("location", "./w.bin"), ("offset", "32")]];

#[test]
fn weights_in_another_file_are_those_inside() {
    let (proto, files) = split(PLACES);
    let rows = Tensors { rows: 2, data: vec![Tensor::F32(vec![0.5, -1.0, 2.0, 3.0, 0.0, -0.25])] };
    let whole = load(&perceptron().encode_to_vec()).unwrap();
    let both = load_with(&proto.encode_to_vec(), &files).unwrap();
    assert_eq!(both.signature(), whole.signature());
    assert_eq!(both.infer(&rows).unwrap(), whole.infer(&rows).unwrap());
}

#[test]
fn a_file_that_is_not_given_is_not_looked_for() {
    let (proto, _) = split(PLACES);
    let expected =
        "tensor `w1` lies in another file, `w.bin`; list it as `external_data`, or save the model with its data inside";
    assert_eq!(load(&proto.encode_to_vec()).unwrap_err().to_string(), expected);
    let other = [("v.bin".to_owned(), Bytes::new())];
    assert_eq!(load_with(&proto.encode_to_vec(), &other).unwrap_err().to_string(), expected);

    let inner = GraphProto { initializer: vec![outside(&floats("w1", &[1], &[]), PLACES[0])], ..GraphProto::default() };
    let choice = graph_attribute(node("choice", "If", &["x"], &["y"]), "then_branch", inner);
    let message = load(&bytes(single(choice, DataType::Bool, DataType::Float))).unwrap_err().to_string();
    assert_eq!(message, expected);
}

#[test]
fn places_that_are_none() {
    let refused = |place: &[(&str, &str)]| {
        let (proto, files) = split([PLACES[0], place]);
        load_with(&proto.encode_to_vec(), &files).unwrap_err().to_string()
    };
    for (offset, length) in [("41", "0"), ("0", "41"), ("18446744073709551615", "1")] {
        let message = refused(&[("location", "w.bin"), ("offset", offset), ("length", length)]);
        assert_eq!(message, "tensor `b1` lies beyond the end of `w.bin`, which has 40 bytes");
    }
    assert_eq!(refused(&[("location", "w.bin"), ("offset", "-1")]), "tensor `b1` has offset `-1`, which is no number");
    assert!(refused(&[]).contains("lies in another file, ``"));
    // As many bytes as there are, but not as many as the tensor's dimensions say.
    assert!(refused(&[("location", "w.bin"), ("offset", "36")]).starts_with("the model's graph cannot run: "));
}

#[test]
fn one_file_in_many_tensors_does_not_fill_the_memory() {
    const SIZE: usize = 64 << 20;
    let mut proto = perceptron();
    let tensor = outside(&floats("big", &[(SIZE / 4) as i64], &[]), &[("location", "w.bin")]);
    proto.graph.as_mut().unwrap().initializer.extend(vec![tensor; SIZE_LIMIT / SIZE + 1]);
    let files = [("w.bin".to_owned(), Bytes::from(vec![0; SIZE]))];
    let error = load_with(&proto.encode_to_vec(), &files).unwrap_err();
    assert_eq!(error, LoadError::TooLarge { bytes: SIZE_LIMIT + SIZE, limit: SIZE_LIMIT });
}
