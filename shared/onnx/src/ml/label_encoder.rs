//! `LabelEncoder`: elements become what stands for them in a list.

use std::sync::Arc;

use tract_onnx::pb::{TensorProto, tensor_proto::DataType};

use super::{
    array::Data,
    attributes::Attributes,
    lookup::{Lookup, Table},
    operator::Operator,
};

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html>
///
/// Of equal keys the first counts, in the first version the last. NaN is a key from version 4 on. Doubles have no
/// default but that of `default_tensor`, or else -0. All that is what onnxruntime does. Unlike there, keys and values
/// may be of any two types. 16-bit integers come out as 64-bit ones.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let tables = if attributes.version < 2 { first_version(attributes)? } else { vec![table(attributes)?] };
    Ok(Arc::new(Lookup { name: "LabelEncoder", tables }))
}

/// The first version looks up in both directions: a class stands for its place, the place for the class.
fn first_version(attributes: Attributes<'_>) -> Result<Vec<Table>, String> {
    let classes = attributes.strings("classes_strings")?;
    let places: Vec<i64> = (0..).take(classes.len()).collect();
    both_ways(attributes, classes, places)
}

/// Makes tables from strings to integers and back; of equal keys the last one counts.
pub(super) fn both_ways(
    attributes: Attributes<'_>,
    mut strings: Vec<String>,
    mut ints: Vec<i64>,
) -> Result<Vec<Table>, String> {
    strings.reverse();
    ints.reverse();
    let (string, int) = (default_string(attributes)?, default_int(attributes)?);
    Ok(vec![
        Table::new(Data::String(strings.clone()), Data::I64(ints.clone()), int, false)?,
        Table::new(Data::I64(ints), Data::String(strings), string, false)?,
    ])
}

fn default_string(attributes: Attributes<'_>) -> Result<Data, String> {
    Ok(Data::String(vec![attributes.string("default_string")?.unwrap_or_else(|| "_Unused".to_owned())]))
}

fn default_int(attributes: Attributes<'_>) -> Result<Data, String> {
    Ok(Data::I64(vec![attributes.int("default_int64")?.unwrap_or(-1)]))
}

fn table(attributes: Attributes<'_>) -> Result<Table, String> {
    let with_tensors = attributes.version >= 4;
    let keys = list(attributes, "keys", with_tensors)?;
    let values = list(attributes, "values", with_tensors)?;
    let given = if with_tensors { attributes.tensor("default_tensor")? } else { None };
    let default = match given.filter(|tensor| tensor.data_type != DataType::Undefined as i32) {
        Some(given) => tensor(given)?,
        None => match values {
            Data::String(_) => default_string(attributes)?,
            Data::F32(_) => Data::F32(vec![attributes.float("default_float")?.unwrap_or(-0.0)]),
            Data::F64(_) => Data::F64(vec![-0.0]),
            Data::I32(_) => {
                let default = attributes.int("default_int64")?.unwrap_or(-1);
                Data::I32(vec![i32::try_from(default).map_err(|_| "`default_int64` does not fit its values")?])
            }
            Data::I64(_) | Data::Bool(_) => default_int(attributes)?,
        },
    };
    Table::new(keys, values, default, with_tensors)
}

/// Reads the one list of keys or values there is.
fn list(attributes: Attributes<'_>, what: &str, with_tensors: bool) -> Result<Data, String> {
    let ints = attributes.ints(&format!("{what}_int64s"))?;
    let floats = attributes.floats(&format!("{what}_floats"))?;
    let strings = attributes.strings(&format!("{what}_strings"))?;
    let given = if with_tensors { attributes.tensor(&format!("{what}_tensor"))? } else { None };
    let lists = [Data::I64(ints.to_vec()), Data::F32(floats.to_vec()), Data::String(strings)];
    let mut lists: Vec<Data> = lists.into_iter().filter(|list| list.len() > 0).collect();
    lists.extend(given.map(tensor).transpose()?);
    match lists.pop() {
        Some(list) if lists.is_empty() => Ok(list),
        Some(_) => Err(format!("it has more than one list of {what}")),
        None => Err(format!("it has no list of {what}")),
    }
}

/// Reads a tensor's elements.
fn tensor(tensor: &TensorProto) -> Result<Data, String> {
    let raw = &tensor.raw_data;
    Ok(match DataType::try_from(tensor.data_type).unwrap_or_default() {
        DataType::Float => Data::F32(numbers(&tensor.float_data, raw, f32::from_le_bytes)?),
        DataType::Double => Data::F64(numbers(&tensor.double_data, raw, f64::from_le_bytes)?),
        DataType::Int64 => Data::I64(numbers(&tensor.int64_data, raw, i64::from_le_bytes)?),
        DataType::Int32 => Data::I32(numbers(&tensor.int32_data, raw, i32::from_le_bytes)?),
        DataType::Int16 => {
            let numbers = numbers(&tensor.int32_data, raw, |bytes| i16::from_le_bytes(bytes).into())?;
            Data::I64(numbers.into_iter().map(i64::from).collect())
        }
        DataType::String => {
            let texts = tensor.string_data.iter().map(|bytes| String::from_utf8(bytes.to_vec()));
            Data::String(texts.collect::<Result<_, _>>().map_err(|_| "a string of a tensor is not UTF-8")?)
        }
        other => return Err(format!("it takes no tensors of {}", other.as_str_name())),
    })
}

/// Returns a tensor's numbers: those of its list, or else its bytes.
fn numbers<T: Clone, const N: usize>(list: &[T], raw: &[u8], number: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
    if raw.is_empty() {
        return Ok(list.to_vec());
    }
    let (numbers, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        return Err("a tensor ends within a number".to_owned());
    }
    Ok(numbers.iter().map(|bytes| number(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{AttributeProto, NodeProto};

    use super::{
        super::array::{Slice, View},
        *,
    };

    fn attribute(name: &str) -> AttributeProto {
        AttributeProto { name: name.to_owned(), ..AttributeProto::default() }
    }

    fn strings(name: &str, texts: &[&str]) -> AttributeProto {
        AttributeProto { strings: texts.iter().map(|text| text.as_bytes().to_vec()).collect(), ..attribute(name) }
    }

    fn ints(name: &str, ints: &[i64]) -> AttributeProto {
        AttributeProto { ints: ints.to_vec(), ..attribute(name) }
    }

    fn doubles(name: &str, doubles: &[f64]) -> AttributeProto {
        let raw_data = doubles.iter().flat_map(|x| x.to_le_bytes()).collect();
        let tensor = TensorProto { data_type: DataType::Double as i32, raw_data, ..TensorProto::default() };
        AttributeProto { t: Some(tensor), ..attribute(name) }
    }

    fn encoder(version: i64, attribute: Vec<AttributeProto>) -> Result<Arc<dyn Operator>, String> {
        read(Attributes { node: &NodeProto { attribute, ..NodeProto::default() }, version })
    }

    fn run(encoder: &dyn Operator, data: Slice<'_>) -> Data {
        encoder.run(&[View { shape: &[3], data }]).unwrap().remove(0).data
    }

    #[test]
    fn the_first_version_goes_both_ways() {
        let encoder = encoder(1, vec![strings("classes_strings", &["a", "b", "a"])]).unwrap();
        let texts = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(run(&*encoder, Slice::String(&texts)), Data::I64(vec![2, 1, -1]));
        let found = Data::String(["a", "a", "_Unused"].map(str::to_owned).to_vec());
        assert_eq!(run(&*encoder, Slice::I64(&[0, 2, 3])), found);
    }

    #[test]
    fn tensors_are_for_doubles() {
        let attributes = vec![doubles("keys_tensor", &[0.5, f64::NAN]), ints("values_int64s", &[7, 8])];
        let encoder = encoder(4, attributes).unwrap();
        assert_eq!(run(&*encoder, Slice::F64(&[f64::NAN, 0.25, 0.5])), Data::I64(vec![8, -1, 7]));
    }

    #[test]
    fn other_than_one_list_of_each_is_refused() {
        let keys = || ints("keys_int64s", &[1]);
        for others in [vec![], vec![ints("values_int64s", &[1]), strings("values_strings", &["a"])]] {
            assert!(encoder(2, [vec![keys()], others].concat()).is_err());
        }
        assert!(encoder(2, vec![keys(), doubles("values_tensor", &[1.0])]).is_err(), "tensors came with version 4");
    }
}
