//! What a model said against what it must say.

use fourstroke::ports::Tensor;
use serde::Deserialize;
use serde_json::Value;

use crate::case::Written;

#[derive(Clone, Copy, Deserialize)]
pub struct Tolerance {
    rtol: f64,
    atol: f64,
}

impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance { rtol: 1e-3, atol: 1e-6 }
    }
}

impl Tolerance {
    fn takes(self, found: f64, wanted: f64) -> bool {
        found == wanted
            || found.is_nan() && wanted.is_nan()
            || wanted.is_finite() && (found - wanted).abs() <= self.atol + self.rtol * wanted.abs()
    }
}

/// Reads a number; those JSON has not are text.
pub fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).or_else(|| value.as_bool().map(|b| f64::from(u8::from(b))))
}

/// Compares an output, its columns put into the order of what is wanted where that has keys. In rows whose two best scores
/// are next to equal, labels may differ.
pub fn compare(
    said: &Tensor,
    wanted: &Written,
    columns: &[usize],
    ties: &[usize],
    tolerance: Tolerance,
) -> Result<(), String> {
    if said.len() != wanted.data.len() {
        return Err(format!("{} elements instead of {}: {:?}", said.len(), wanted.data.len(), wanted.shape));
    }
    let rows = wanted.shape.first().copied().unwrap_or(1).max(1);
    let width = wanted.data.len() / rows;
    for (at, value) in wanted.data.iter().enumerate() {
        let (row, column) = (at / width.max(1), at % width.max(1));
        let place = columns.get(column).map_or(at, |column| row * width + column);
        let same = match said {
            Tensor::F32(data) => number(value).is_some_and(|wanted| tolerance.takes(f64::from(data[place]), wanted)),
            Tensor::F64(data) => number(value).is_some_and(|wanted| tolerance.takes(data[place], wanted)),
            Tensor::I64(data) => value.as_i64() == Some(data[place]) || ties.contains(&row),
            Tensor::Bool(data) => number(value) == Some(f64::from(u8::from(data[place]))),
            Tensor::String(data) => value.as_str() == Some(data[place].as_str()) || ties.contains(&row),
        };
        if !same {
            let found = match said {
                Tensor::F32(data) => data[place].to_string(),
                Tensor::F64(data) => data[place].to_string(),
                Tensor::I64(data) => data[place].to_string(),
                Tensor::Bool(data) => data[place].to_string(),
                Tensor::String(data) => format!("{:?}", data[place]),
            };
            return Err(format!("row {row}, column {column}: {found} instead of {value}"));
        }
    }
    Ok(())
}
