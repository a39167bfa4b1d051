//! A user's attribute as a value.

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use fourstroke::{
    Value,
    types::{Base, FieldType},
};
use vrl::value::{KeyString, ObjectMap};

use super::number::number;

/// Makes an attribute a value of the declared type; where there is none, null.
///
/// # Errors
/// What was found, when it is not of this type. Null is no misfit: whoever looks it up decides what stands in.
pub(super) fn declared(attribute: Option<&AttributeValue>, declared: FieldType) -> Result<Value, String> {
    match attribute {
        None | Some(AttributeValue::Null(_)) => Ok(Value::Null),
        // To the last of 38 digits.
        Some(AttributeValue::N(digits)) if declared.base == Base::String => Ok(Value::from(digits.as_str())),
        Some(attribute) => declared.fit(value(attribute)?),
    }
}

/// Makes an attribute a value. Sets are arrays.
///
/// # Errors
/// The attribute is of a type that nobody knows yet, or a number that is none.
pub(super) fn value(attribute: &AttributeValue) -> Result<Value, String> {
    let digits = |digits: &String| number(digits).ok_or_else(|| format!("a number that cannot be read: {digits:?}"));
    let bytes = |blob: &[u8]| Value::Bytes(Bytes::copy_from_slice(blob));
    Ok(match attribute {
        AttributeValue::S(text) => Value::from(text.as_str()),
        AttributeValue::N(text) => digits(text)?,
        AttributeValue::Bool(truth) => Value::Boolean(*truth),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::B(blob) => bytes(blob.as_ref()),
        AttributeValue::L(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        AttributeValue::M(members) => {
            let member = |(name, member): (&String, _)| Ok((KeyString::from(name.as_str()), value(member)?));
            Value::Object(members.iter().map(member).collect::<Result<ObjectMap, String>>()?)
        }
        AttributeValue::Ss(texts) => Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect()),
        AttributeValue::Ns(numbers) => Value::Array(numbers.iter().map(digits).collect::<Result<_, _>>()?),
        AttributeValue::Bs(blobs) => Value::Array(blobs.iter().map(|blob| bytes(blob.as_ref())).collect()),
        _ => return Err("an attribute of a type that is not known here".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    fn n(digits: &str) -> AttributeValue {
        AttributeValue::N(digits.to_owned())
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn object(json: serde_json::Value) -> Value {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn every_type_has_its_value() {
        let blob = || Blob::new([0xff_u8, 0]);
        let bytes = || Value::Bytes(Bytes::from_static(&[0xff, 0]));
        let map = HashMap::from([("a".to_owned(), AttributeValue::L(vec![n("1.5"), AttributeValue::Null(true)]))]);
        for (attribute, wanted) in [
            (s("é"), "é".into()),
            (s(""), "".into()),
            (n("-7"), (-7).into()),
            (AttributeValue::Bool(true), true.into()),
            (AttributeValue::Null(true), Value::Null),
            (AttributeValue::B(blob()), bytes()),
            (AttributeValue::M(map), object(serde_json::json!({ "a": [1.5, null] }))),
            (AttributeValue::Ss(vec!["a".into(), "b".into()]), object(serde_json::json!(["a", "b"]))),
            (AttributeValue::Ns(vec!["1".into(), "2.5".into()]), object(serde_json::json!([1, 2.5]))),
            (AttributeValue::Bs(vec![blob()]), Value::Array(vec![bytes()])),
        ] {
            assert_eq!(value(&attribute), Ok(wanted), "{attribute:?}");
        }
    }

    #[test]
    fn declared_types_are_kept() {
        let field = |text: &str| FieldType::parse(text).unwrap();
        let long = "12345678901234567890.123456789012345678";
        let at: Value = fourstroke::types::timestamp(&"2013-10-01T00:00:00Z".into()).unwrap().into();
        for (attribute, name, wanted) in [
            (Some(n("3")), "float", Some(Value::from_f64_or_zero(3.0))),
            (Some(n("3E0")), "integer", Some(3.into())),
            (Some(n("0.1")), "float?", Some(Value::from_f64_or_zero(0.1))),
            (Some(n(long)), "string", Some(long.into())),
            (Some(n("1380585600")), "timestamp", Some(at.clone())),
            (Some(s("2013-10-01T00:00:00Z")), "timestamp", Some(at)),
            (Some(AttributeValue::Ss(vec!["a".into()])), "array", Some(Value::Array(vec!["a".into()]))),
            (Some(s("x")), "any", Some("x".into())),
            (None, "integer", Some(Value::Null)),
            (Some(AttributeValue::Null(true)), "string", Some(Value::Null)),
            (Some(n("3.5")), "integer", None),
            (Some(n("9007199254740993")), "float", None),
            (Some(s("3")), "integer", None),
            (Some(AttributeValue::Bool(true)), "string", None),
        ] {
            let made = declared(attribute.as_ref(), field(name));
            assert_eq!(made.as_ref().ok(), wanted.as_ref(), "{attribute:?} as {name}: {made:?}");
        }
        assert_eq!(declared(Some(&n("3.5")), field("integer")).unwrap_err(), "3.5, where integer is declared");
    }
}
