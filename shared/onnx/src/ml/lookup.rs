//! Tables of keys and what stands for them, and the operators that look elements up in one.

use std::{collections::HashMap, hash::Hash};

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, Slice, View},
    operator::{Fact, Operator},
};

/// What stands for keys of one type.
#[derive(Debug)]
pub(super) struct Table {
    keys: Keys,
    /// What keys refer to; the last one is for elements that are no key.
    values: Data,
}

/// Keys, each with a place among the values. Floats are kept as bits, so that they can be hashed.
#[derive(Debug)]
enum Keys {
    I64(HashMap<i64, usize>),
    F32(HashMap<u32, usize>),
    F64(HashMap<u64, usize>),
    String(HashMap<String, usize>),
}

impl Table {
    /// Makes a table; the first of equal keys counts. NaN is a key only where `nan` says so, and then equal to all NaN.
    ///
    /// # Errors
    /// There are not as many values as keys, the default is of another type than they, or such keys cannot be looked up.
    pub(super) fn new(keys: Data, mut values: Data, default: Data, nan: bool) -> Result<Table, String> {
        if keys.len() != values.len() {
            return Err(format!("it has {} keys and {} values", keys.len(), values.len()));
        }
        match (&mut values, default) {
            (Data::I64(values), Data::I64(default)) => values.extend(default),
            (Data::I32(values), Data::I32(default)) => values.extend(default),
            (Data::F32(values), Data::F32(default)) => values.extend(default),
            (Data::F64(values), Data::F64(default)) => values.extend(default),
            (Data::String(values), Data::String(default)) => values.extend(default),
            _ => return Err("its default is of another type than its values".to_owned()),
        }
        if values.len() != keys.len() + 1 {
            return Err("it must have one default".to_owned());
        }
        let keys = match keys {
            Data::I64(keys) => Keys::I64(places(keys.into_iter().map(Some))),
            Data::I32(keys) => Keys::I64(places(keys.into_iter().map(i64::from).map(Some))),
            Data::F32(keys) => Keys::F32(places(keys.into_iter().map(|x| (nan || !x.is_nan()).then_some(bits32(x))))),
            Data::F64(keys) => Keys::F64(places(keys.into_iter().map(|x| (nan || !x.is_nan()).then_some(bits64(x))))),
            Data::String(keys) => Keys::String(places(keys.into_iter().map(Some))),
            Data::Bool(_) => return Err("booleans are no keys".to_owned()),
        };
        Ok(Table { keys, values })
    }

    fn takes(&self, dtype: DatumType) -> bool {
        match self.keys {
            Keys::I64(_) => matches!(dtype, DatumType::I64 | DatumType::I32),
            Keys::F32(_) => dtype == DatumType::F32,
            Keys::F64(_) => dtype == DatumType::F64,
            Keys::String(_) => dtype == DatumType::String,
        }
    }

    fn gives(&self) -> DatumType {
        match self.values {
            Data::F32(_) => DatumType::F32,
            Data::F64(_) => DatumType::F64,
            Data::I64(_) => DatumType::I64,
            Data::I32(_) => DatumType::I32,
            Data::Bool(_) => DatumType::Bool,
            Data::String(_) => DatumType::String,
        }
    }

    /// Looks elements up; none if they are of another type than the keys.
    fn look_up(&self, input: View<'_>) -> Option<Data> {
        let none = self.values.len() - 1;
        let or_none = |found: Option<&usize>| found.copied().unwrap_or(none);
        let places: Vec<usize> = match (&self.keys, input.data) {
            (Keys::I64(keys), Slice::I64(data)) => data.iter().map(|key| or_none(keys.get(key))).collect(),
            (Keys::I64(keys), Slice::I32(data)) => data.iter().map(|key| or_none(keys.get(&i64::from(*key)))).collect(),
            (Keys::F32(keys), Slice::F32(data)) => data.iter().map(|key| or_none(keys.get(&bits32(*key)))).collect(),
            (Keys::F64(keys), Slice::F64(data)) => data.iter().map(|key| or_none(keys.get(&bits64(*key)))).collect(),
            (Keys::String(keys), Slice::String(data)) => data.iter().map(|key| or_none(keys.get(key))).collect(),
            _ => return None,
        };
        Some(match &self.values {
            Data::F32(values) => Data::F32(places.iter().map(|place| values[*place]).collect()),
            Data::F64(values) => Data::F64(places.iter().map(|place| values[*place]).collect()),
            Data::I64(values) => Data::I64(places.iter().map(|place| values[*place]).collect()),
            Data::I32(values) => Data::I32(places.iter().map(|place| values[*place]).collect()),
            Data::Bool(values) => Data::Bool(places.iter().map(|place| values[*place]).collect()),
            Data::String(values) => Data::String(places.iter().map(|place| values[*place].clone()).collect()),
        })
    }
}

/// Numbers keys; what is none keeps its number.
fn places<K: Eq + Hash>(keys: impl Iterator<Item = Option<K>>) -> HashMap<K, usize> {
    let mut places = HashMap::new();
    for (place, key) in keys.enumerate().filter_map(|(place, key)| Some((place, key?))) {
        places.entry(key).or_insert(place);
    }
    places
}

/// Returns a float's bits, the same for all NaN and for both zeros.
fn bits32(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

/// Returns a float's bits, the same for all NaN and for both zeros.
fn bits64(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

/// An operator that looks each element of its input up, in the first table for that type.
#[derive(Debug)]
pub(super) struct Lookup {
    pub name: &'static str,
    pub tables: Vec<Table>,
}

impl Operator for Lookup {
    fn name(&self) -> &'static str {
        self.name
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let table = self.tables.iter().find(|table| table.takes(input.dtype));
        let table = table.ok_or_else(|| format!("it has no keys for {:?}", input.dtype))?;
        Ok(vec![Fact::new(table.gives(), input.shape.iter().cloned())])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let data = self.tables.iter().find_map(|table| table.look_up(*input));
        let data = data.ok_or_else(|| format!("it has no keys for {:?}", input.dtype()))?;
        Ok(vec![Array { shape: input.shape.to_vec(), data }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_up(table: Table, data: Slice<'_>) -> Data {
        let lookup = Lookup { name: "test", tables: vec![table] };
        let shape = [data_len(data)];
        lookup.run(&[View { shape: &shape, data }]).unwrap().remove(0).data
    }

    fn data_len(data: Slice<'_>) -> usize {
        View { shape: &[], data }.len()
    }

    #[test]
    fn the_first_of_equal_keys_counts_and_nan_where_it_is_asked_for() {
        let table = |nan| {
            let keys = Data::F32(vec![1.0, 0.0, f32::NAN, 1.0]);
            Table::new(keys, Data::I64(vec![1, 2, 3, 4]), Data::I64(vec![-1]), nan).unwrap()
        };
        let input = [1.0, -0.0, -f32::NAN, 5.0];
        assert_eq!(looked_up(table(true), Slice::F32(&input)), Data::I64(vec![1, 2, 3, -1]));
        assert_eq!(looked_up(table(false), Slice::F32(&input)), Data::I64(vec![1, 2, -1, -1]));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let keys = || Data::String(vec!["a".to_owned()]);
        assert!(Table::new(keys(), Data::I64(vec![1, 2]), Data::I64(vec![0]), true).is_err());
        assert!(Table::new(keys(), Data::I64(vec![1]), Data::F32(vec![0.0]), true).is_err());
        assert!(Table::new(keys(), Data::I64(vec![1]), Data::I64(vec![]), true).is_err());
    }
}
