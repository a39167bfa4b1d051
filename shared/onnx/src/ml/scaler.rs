//! `Scaler`: `(x - offset) * scale`, column by column.

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, Slice, View},
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
        input.numbers()?;
        input.columns().map_or(Ok(()), |columns| self.check(columns))?;
        Ok(vec![Fact::new(DatumType::F32, input.shape.iter().cloned())])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (_, columns) = input.matrix();
        self.check(columns)?;
        let wide = |of: &[f32]| if of.len() == 1 { vec![of[0]; columns] } else { of.to_vec() };
        let (offset, scale) = (wide(&self.offset), wide(&self.scale));
        let by_column = || offset.iter().zip(&scale);
        let scaled = match input.data {
            // Large numbers, such as times, would lose what tells them apart if they were rounded first.
            Slice::F64(data) => {
                let rows = data.chunks(columns.max(1));
                let scaled = |(x, (offset, scale)): (&f64, (&f32, &f32))| (x - f64::from(*offset)) * f64::from(*scale);
                rows.flat_map(|row| row.iter().zip(by_column()).map(scaled)).map(|x| x as f32).collect()
            }
            _ => {
                let data = input.f32s()?;
                let rows = data.chunks(columns.max(1));
                rows.flat_map(|row| row.iter().zip(by_column()).map(|(x, (offset, scale))| (x - offset) * scale))
                    .collect()
            }
        };
        Ok(vec![Array { shape: input.shape.to_vec(), data: Data::F32(scaled) }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        array::{Data, Slice},
        testing::{Value, read, run},
    };

    #[test]
    fn large_numbers_keep_what_tells_them_apart() {
        let attributes = [("offset", Value::Floats(&[1.6e9])), ("scale", Value::Floats(&[0.5]))];
        let operator = read(super::read, &attributes).unwrap();
        let output = run(&operator, &[(&[2, 1], Slice::F64(&[1.6e9 + 1.0, 1.6e9 + 2.0]))]).unwrap();
        assert_eq!(output[0].data, Data::F32(vec![0.5, 1.0]));
    }
}
