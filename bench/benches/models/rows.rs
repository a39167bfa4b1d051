//! The rows a model is run on: a file of 32-bit floats, 20 columns a row, or the first set of a case's `inputs.json`.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use fourstroke::ports::{Dtype, Port, Tensor, Tensors};
use serde::Deserialize;
use serde_json::Value;

/// Columns of the file of floats, of which a model takes the first.
const COLUMNS: usize = 20;

/// A tensor per input; batches begin again where the rows end.
pub struct Rows {
    inputs: Vec<(Tensor, usize)>,
}

#[derive(Deserialize)]
struct Sets {
    sets: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    tensors: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    name: String,
    data: Vec<Value>,
}

impl Rows {
    pub fn read(path: &Path, ports: &[Port]) -> anyhow::Result<Rows> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        if path.extension().is_some_and(|extension| extension == "f32") {
            let width = ports[0].width();
            let table: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            let rows = table.chunks_exact(COLUMNS).flat_map(|row| &row[..width]).copied().collect();
            return Ok(Rows { inputs: vec![(Tensor::F32(rows), width)] });
        }
        let sets: Sets = serde_json::from_slice(&bytes)?;
        let written = &sets.sets.first().context("no set of inputs")?.tensors;
        let inputs = ports.iter().map(|port| {
            let given = written.iter().find(|given| given.name == port.name);
            let given = given.with_context(|| format!("nothing is given as `{}`", port.name))?;
            Ok((tensor(port.dtype, &given.data)?, port.width()))
        });
        Ok(Rows { inputs: inputs.collect::<anyhow::Result<_>>()? })
    }

    pub fn batch(&self, rows: usize) -> Tensors {
        let data = self.inputs.iter().map(|(tensor, width)| match tensor {
            Tensor::F32(all) => Tensor::F32(again(all, rows * width)),
            Tensor::F64(all) => Tensor::F64(again(all, rows * width)),
            Tensor::I64(all) => Tensor::I64(again(all, rows * width)),
            Tensor::Bool(all) => Tensor::Bool(again(all, rows * width)),
            Tensor::String(all) => Tensor::String(again(all, rows * width)),
        });
        Tensors { rows, data: data.collect() }
    }
}

fn again<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    all.iter().cycle().take(count).cloned().collect()
}

fn tensor(dtype: Dtype, data: &[Value]) -> anyhow::Result<Tensor> {
    let number = |value: &Value| match value.as_str() {
        Some("NaN") => Ok(f64::NAN),
        _ => value.as_f64().with_context(|| format!("{value} is no number")),
    };
    let text = |value: &Value| Ok(value.as_str().context("no text")?.to_owned());
    Ok(match dtype {
        Dtype::F32 => Tensor::F32(data.iter().map(|value| Ok(number(value)? as f32)).collect::<anyhow::Result<_>>()?),
        Dtype::F64 => Tensor::F64(data.iter().map(number).collect::<anyhow::Result<_>>()?),
        Dtype::I64 => {
            Tensor::I64(data.iter().map(|value| value.as_i64().context("not whole")).collect::<anyhow::Result<_>>()?)
        }
        Dtype::String => Tensor::String(data.iter().map(text).collect::<anyhow::Result<_>>()?),
        Dtype::Bool => bail!("no case has booleans"),
    })
}
