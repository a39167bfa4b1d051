//! Operators without a model around them, for tests.

use std::sync::Arc;

use tract_onnx::pb::{AttributeProto, NodeProto, attribute_proto::AttributeType};

use super::{
    Read,
    array::{Array, Slice, View},
    attributes::Attributes,
    operator::Operator,
};

/// An attribute's value.
pub(super) enum Value<'a> {
    Int(i64),
    Float(f32),
    Text(&'a str),
    Ints(&'a [i64]),
    Floats(&'a [f32]),
    Texts(&'a [&'a str]),
}

/// Reads an operator with these attributes.
pub(super) fn read(read: Read, attributes: &[(&str, Value<'_>)]) -> Result<Arc<dyn Operator>, String> {
    let attribute = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    read(Attributes { node: &NodeProto { attribute, ..NodeProto::default() }, version: 1 })
}

fn attribute(name: &str, value: &Value<'_>) -> AttributeProto {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let mut attribute = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    let kind = match value {
        Value::Int(value) => {
            attribute.i = *value;
            AttributeType::Int
        }
        Value::Float(value) => {
            attribute.f = *value;
            AttributeType::Float
        }
        Value::Text(text) => {
            attribute.s = bytes(text);
            AttributeType::String
        }
        Value::Ints(values) => {
            attribute.ints = values.to_vec();
            AttributeType::Ints
        }
        Value::Floats(values) => {
            attribute.floats = values.to_vec();
            AttributeType::Floats
        }
        Value::Texts(texts) => {
            attribute.strings = texts.iter().map(|text| bytes(text)).collect();
            AttributeType::Strings
        }
    };
    attribute.r#type = kind.into();
    attribute
}

/// Runs an operator on tensors.
pub(super) fn run(operator: &Arc<dyn Operator>, inputs: &[(&[usize], Slice<'_>)]) -> Result<Vec<Array>, String> {
    let inputs: Vec<View<'_>> = inputs.iter().map(|(shape, data)| View { shape, data: *data }).collect();
    operator.run(&inputs)
}
