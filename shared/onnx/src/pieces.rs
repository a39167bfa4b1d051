//! Batches of more rows than a model takes at once: cut, run one by one, and put together again.

use std::ops::Range;

use fourstroke::ports::{Dim, Port, Tensor, Tensors};

/// Cuts some rows out of inputs. What picks columns is the same for all rows, and is copied.
pub(crate) fn cut(ports: &[Port], inputs: &Tensors, rows: Range<usize>) -> Tensors {
    let data = ports.iter().zip(&inputs.data).map(|(port, tensor)| {
        let width = port.width();
        let by_row = port.dims.contains(&Dim::Batch);
        tensor.part(if by_row { rows.start * width..rows.end * width } else { 0..tensor.len() })
    });
    Tensors { rows: rows.len(), data: data.collect() }
}

/// Appends the answers of further rows. Those that are no row's stay the first ones.
pub(crate) fn append(ports: &[Port], to: &mut Tensors, more: Tensors) {
    to.rows += more.rows;
    for ((port, to), more) in ports.iter().zip(&mut to.data).zip(more.data) {
        if !port.dims.contains(&Dim::Batch) {
            continue;
        }
        match (to, more) {
            (Tensor::F32(to), Tensor::F32(more)) => to.extend(more),
            (Tensor::F64(to), Tensor::F64(more)) => to.extend(more),
            (Tensor::I64(to), Tensor::I64(more)) => to.extend(more),
            (Tensor::Bool(to), Tensor::Bool(more)) => to.extend(more),
            (Tensor::String(to), Tensor::String(more)) => to.extend(more),
            // An output has one type.
            _ => {}
        }
    }
}
