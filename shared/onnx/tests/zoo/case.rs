//! A case: a model, sets of inputs, and what it must say.

use std::{collections::BTreeMap, path::Path};

use fourstroke::ports::{Dim, Labels, Model, Port, Tensor, Tensors};
use serde::Deserialize;
use serde_json::Value;

use crate::compare::{Tolerance, compare};

#[derive(Deserialize)]
struct Sets {
    sets: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    id: String,
    tensors: Vec<Written>,
}

/// A tensor, a map or a list of maps.
#[derive(Deserialize)]
pub struct Written {
    pub name: String,
    pub kind: String,
    pub dtype: String,
    pub shape: Vec<usize>,
    pub data: Vec<Value>,
    #[serde(default)]
    pub keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Meta {
    tolerance: Option<Tolerance>,
    special_policy: Option<String>,
    #[serde(default)]
    tie_rows: BTreeMap<String, Vec<usize>>,
}

pub struct Case {
    model: Vec<u8>,
    meta: Meta,
    inputs: Vec<Set>,
    outputs: Vec<Set>,
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}

impl Case {
    pub fn read(folder: &Path) -> Result<Case, String> {
        Ok(Case {
            model: std::fs::read(folder.join("model.onnx")).map_err(|error| error.to_string())?,
            meta: json(&folder.join("meta.json"))?,
            inputs: json::<Sets>(&folder.join("inputs.json"))?.sets,
            outputs: json::<Sets>(&folder.join("outputs.json"))?.sets,
        })
    }

    pub fn run(&self) -> Result<(), String> {
        let model = fourstroke_onnx::load(&self.model).map_err(|error| error.to_string())?;
        let tolerance = self.meta.tolerance.unwrap_or_default();
        for (inputs, expected) in self.inputs.iter().zip(&self.outputs) {
            if inputs.id == "special" && self.meta.special_policy.as_deref() == Some("info") {
                continue;
            }
            let ties = self.meta.tie_rows.get(&inputs.id).map_or(&[][..], Vec::as_slice);
            let said = said(&model, &inputs.tensors).map_err(|why| format!("set {}: {why}", inputs.id))?;
            for written in &expected.tensors {
                let at = || format!("set {}, output `{}`", inputs.id, written.name);
                let ports = &model.signature().outputs;
                let place = ports.iter().position(|port| port.name == written.name);
                let place = place.ok_or_else(|| format!("{}: it has no such output", at()))?;
                let columns = columns(&ports[place], written).map_err(|why| format!("{}: {why}", at()))?;
                compare(&said.data[place], written, &columns, ties, tolerance)
                    .map_err(|why| format!("{}: {why}", at()))?;
            }
        }
        Ok(())
    }
}

/// For each column of what is expected, its place in what was said.
fn columns(port: &Port, written: &Written) -> Result<Vec<usize>, String> {
    if written.kind != "seq_map" {
        return Ok(Vec::new());
    }
    let labels = port.labels.as_ref().ok_or("it has no labels")?;
    written.keys.iter().map(|key| place(labels, key).ok_or_else(|| format!("no label {key}"))).collect()
}

fn place(labels: &Labels, key: &Value) -> Option<usize> {
    match labels {
        Labels::Integers(labels) => labels.iter().position(|label| Some(*label) == key.as_i64()),
        Labels::Strings(labels) => labels.iter().position(|label| Some(label.as_str()) == key.as_str()),
    }
}

fn said(model: &dyn Model, written: &[Written]) -> Result<Tensors, String> {
    let mut rows = 1;
    let mut data = Vec::new();
    for port in &model.signature().inputs {
        let given = written.iter().find(|given| given.name == port.name);
        let given = given.ok_or_else(|| format!("nothing is given as `{}`", port.name))?;
        if given.kind == "map" && port.labels.is_none() {
            // The values in the order of their keys.
            let mut pairs: Vec<_> = given.keys.iter().zip(&given.data).collect();
            pairs.sort_by_key(|(key, _)| (key.as_i64(), key.as_str().map(str::to_owned)));
            rows = pairs.len();
            let values: Vec<Value> = pairs.into_iter().map(|(_, value)| value.clone()).collect();
            data.push(tensor(&given.dtype, &values)?);
        } else if given.kind == "map" {
            data.push(tensor(&given.dtype, &spread(port, given)?)?);
        } else {
            if port.dims.first() == Some(&Dim::Batch) {
                rows = given.shape.first().copied().unwrap_or(1);
            }
            data.push(tensor(&given.dtype, &given.data)?);
        }
    }
    model.infer(&Tensors { rows, data }).map_err(|error| error.reason)
}

/// Puts a map's values into the columns of its keys; what it has not is nothing.
fn spread(port: &Port, given: &Written) -> Result<Vec<Value>, String> {
    let nothing = if given.dtype == "string" { Value::from("") } else { Value::from(0) };
    let mut row = vec![nothing; port.width()];
    let labels = port.labels.as_ref().ok_or("its map has no vocabulary")?;
    for (key, value) in given.keys.iter().zip(&given.data) {
        if let Some(place) = place(labels, key) {
            row[place] = value.clone();
        }
    }
    Ok(row)
}

fn tensor(dtype: &str, data: &[Value]) -> Result<Tensor, String> {
    let number = |value: &Value| crate::compare::number(value).ok_or_else(|| format!("{value} is no number"));
    let whole = |value: &Value| value.as_i64().ok_or_else(|| format!("{value} is no whole number"));
    Ok(match dtype {
        "float32" => Tensor::F32(data.iter().map(|value| Ok(number(value)? as f32)).collect::<Result<_, String>>()?),
        "float64" => Tensor::F64(data.iter().map(number).collect::<Result<_, _>>()?),
        "int64" | "int32" => Tensor::I64(data.iter().map(whole).collect::<Result<_, _>>()?),
        "bool" => Tensor::Bool(data.iter().map(|value| value.as_bool() == Some(true) || value == 1).collect()),
        "string" => Tensor::String(data.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect()),
        other => return Err(format!("a tensor of {other}")),
    })
}
