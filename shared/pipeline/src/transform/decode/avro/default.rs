//! The default of a field of our schema, which stands in where a writer's schema has no such field.

use apache_avro::schema::{NamesRef, Schema};
use vrl::value::{ObjectMap, Value};

use super::{
    read::{moment, worded},
    wire::{meaning, text},
};

const MAX_DEPTH: usize = 32;

/// Reads a default as JSON has it.
///
/// # Errors
/// That it is not of its type.
pub(super) fn default(
    json: &serde_json::Value,
    schema: &Schema,
    names: &NamesRef<'_>,
    depth: usize,
) -> Result<Value, String> {
    use serde_json::Value as Json;
    let unfit = || format!("its default {json} is not of its type");
    if depth == MAX_DEPTH {
        return Err(format!("its default is nested deeper than {MAX_DEPTH} levels"));
    }
    let inner = |json: &Json, schema: &Schema| default(json, schema, names, depth + 1);
    match (schema, json) {
        (Schema::Ref { name }, _) => inner(json, names.get(name).copied().ok_or_else(unfit)?),
        (Schema::Union(union), _) => {
            union.variants().iter().find_map(|branch| inner(json, branch).ok()).ok_or_else(unfit)
        }
        (Schema::Null, Json::Null) => Ok(Value::Null),
        (Schema::Boolean, Json::Bool(value)) => Ok(Value::Boolean(*value)),
        (Schema::Float | Schema::Double, Json::Number(number)) => {
            number.as_f64().map(Value::from_f64_or_zero).ok_or_else(unfit)
        }
        (Schema::Enum(_), Json::String(symbol)) => Ok(Value::from(symbol.as_str())),
        (Schema::Array(array), Json::Array(items)) => {
            items.iter().map(|item| inner(item, &array.items)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        (Schema::Map(map), Json::Object(entries)) => {
            let entries = entries.iter().map(|(name, json)| Ok((name.as_str().into(), inner(json, &map.types)?)));
            entries.collect::<Result<ObjectMap, String>>().map(Value::Object)
        }
        (Schema::Record(record), Json::Object(entries)) => {
            let fields = record.fields.iter().map(|field| {
                let json = entries.get(&field.name).or(field.default.as_ref()).ok_or_else(unfit)?;
                Ok((field.name.as_str().into(), inner(json, &field.schema)?))
            });
            fields.collect::<Result<ObjectMap, String>>().map(Value::Object)
        }
        (_, Json::Number(number)) => {
            let number = number.as_i64().zip(meaning(schema)).ok_or_else(unfit)?;
            moment(number.0, number.1, depth > 0).ok_or_else(unfit)
        }
        (Schema::String, Json::String(value)) => Ok(Value::from(value.as_str())),
        // Bytes stand in JSON as the characters of their numbers.
        (_, Json::String(value)) => {
            let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            let (bytes, text) = bytes.zip(text(schema)).ok_or_else(unfit)?;
            worded(&bytes, text).ok_or_else(unfit)
        }
        _ => Err(unfit()),
    }
}
