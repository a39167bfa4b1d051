//! `Scaler`: `(x - offset) * scale`, column by column.

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, View},
    attributes::Attributes,
    operator::{Fact, Operator},
};

#[derive(Debug)]
struct Scaler {
    /// One for all columns, or one for each.
    offset: Vec<f32>,
    scale: Vec<f32>,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<std::sync::Arc<dyn Operator>, String> {
    let scaler = Scaler { offset: attributes.floats("offset")?.to_vec(), scale: attributes.floats("scale")?.to_vec() };
    if scaler.offset.is_empty() || scaler.scale.is_empty() {
        return Err("`offset` and `scale` must not be empty".to_owned());
    }
    Ok(std::sync::Arc::new(scaler))
}

impl Scaler {
    fn check(&self, columns: usize) -> Result<(), String> {
        for (name, of) in [("offset", &self.offset), ("scale", &self.scale)] {
            if of.len() != 1 && of.len() != columns {
                return Err(format!("`{name}` has {} numbers for {columns} columns", of.len()));
            }
        }
        Ok(())
    }
}

impl Operator for Scaler {
    fn name(&self) -> &'static str {
        "Scaler"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.columns().map_or(Ok(()), |columns| self.check(columns))?;
        Ok(vec![Fact::new(DatumType::F32, input.shape.iter().cloned())])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (_, columns) = input.matrix();
        self.check(columns)?;
        let wide = |of: &[f32]| if of.len() == 1 { vec![of[0]; columns] } else { of.to_vec() };
        let (offset, scale) = (wide(&self.offset), wide(&self.scale));
        let data = input.f32s()?;
        let rows = data.chunks(columns.max(1));
        let scaled =
            rows.flat_map(|row| row.iter().zip(&offset).zip(&scale).map(|((x, offset), scale)| (x - offset) * scale));
        Ok(vec![Array { shape: input.shape.to_vec(), data: Data::F32(scaled.collect()) }])
    }
}
