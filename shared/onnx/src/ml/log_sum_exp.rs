//! `ReduceLogSumExp` of the standard domain, which naive Bayes classifiers end with. tract's adds exponentials up as they are,
//! and ends at infinity where scores are far from zero.

use std::sync::Arc;

use tract_onnx::prelude::{DatumType, TDim, ToDim};

use super::{
    array::{Array, Data, View},
    attributes::Attributes,
    operator::{Fact, Operator},
};

#[derive(Debug)]
struct ReduceLogSumExp {
    /// Dimensions, from behind where negative; none: all, or none.
    axes: Vec<i64>,
    all: bool,
    keep: bool,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html> From version 18 on axes are an input: the rewrite
/// makes it the attribute it was.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let axes = attributes.ints("axes")?.to_vec();
    let keep = attributes.int("keepdims")?.unwrap_or(1) != 0;
    let all = axes.is_empty() && attributes.int("noop_with_empty_axes")?.unwrap_or(0) == 0;
    Ok(Arc::new(ReduceLogSumExp { axes, all, keep }))
}

impl ReduceLogSumExp {
    /// Tells for each dimension whether it is reduced.
    fn reduced(&self, rank: usize) -> Result<Vec<bool>, String> {
        let mut reduced = vec![self.all; rank];
        for axis in &self.axes {
            let place = if *axis < 0 { *axis + rank as i64 } else { *axis };
            let reduced = usize::try_from(place).ok().and_then(|place| reduced.get_mut(place));
            *reduced.ok_or_else(|| format!("there is no dimension {axis} of {rank}"))? = true;
        }
        Ok(reduced)
    }

    fn shape<D: Clone>(&self, shape: &[D], reduced: &[bool], one: D) -> Vec<D> {
        let dims = shape.iter().zip(reduced);
        dims.filter(|(_, reduced)| self.keep || !**reduced)
            .map(|(dim, reduced)| if *reduced { one.clone() } else { dim.clone() })
            .collect()
    }
}

impl Operator for ReduceLogSumExp {
    fn name(&self) -> &'static str {
        "ReduceLogSumExp"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("its axes must be constant".to_owned()) };
        let reduced = self.reduced(input.shape.len())?;
        let dtype = if input.dtype == DatumType::F64 { DatumType::F64 } else { DatumType::F32 };
        Ok(vec![Fact::new(dtype, self.shape::<TDim>(&input.shape, &reduced, 1.to_dim()))])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("its axes must be constant".to_owned()) };
        let reduced = self.reduced(input.shape.len())?;
        // How far apart two neighbours of a dimension are in the output; not at all in one that is reduced.
        let mut strides = vec![0; reduced.len()];
        let mut count = 1;
        for place in (0..reduced.len()).rev().filter(|place| !reduced[*place]) {
            strides[place] = count;
            count *= input.shape[place];
        }
        let data = input.f64s()?;
        let to = |at: usize| {
            let (mut rest, mut to) = (at, 0);
            for (size, stride) in input.shape.iter().zip(&strides).rev() {
                to += rest % size * stride;
                rest /= size;
            }
            to
        };
        let mut highest = vec![f64::NEG_INFINITY; count];
        for (at, x) in data.iter().enumerate() {
            let highest = &mut highest[to(at)];
            if *x > *highest || x.is_nan() {
                *highest = *x;
            }
        }
        let mut sums = vec![0.0; count];
        for (at, x) in data.iter().enumerate() {
            let to = to(at);
            // Of infinities alone there is no difference to take.
            sums[to] += if highest[to].is_infinite() {
                f64::from(u8::from(*x == highest[to]))
            } else {
                (x - highest[to]).exp()
            };
        }
        let sums = highest.iter().zip(&sums).map(|(highest, sum)| highest + sum.ln());
        let shape = self.shape(input.shape, &reduced, 1);
        let data = match input.dtype() {
            DatumType::F64 => Data::F64(sums.collect()),
            _ => Data::F32(sums.map(|sum| sum as f32).collect()),
        };
        Ok(vec![Array { shape, data }])
    }
}
