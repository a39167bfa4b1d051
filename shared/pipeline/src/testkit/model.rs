//! What every [`Model`] must do. The caller gives rows that suit the model.

use crate::ports::{Dim, Model, Port, Tensor, Tensors};

/// Runs everything. `rows` holds at least two rows that suit the model; `tolerance` is how far an answer may differ,
/// relative to 1 or its size, when the same row is run in another batch.
pub fn suite(model: &dyn Model, rows: &Tensors, tolerance: f64) {
    signature(model);
    answers(model, rows);
    batches(model, rows, tolerance);
    empty_batch(model, rows);
    wrong_shapes(model, rows);
    threads(model, rows, tolerance);
}

/// Checks that the signature says enough to fill the inputs and read the outputs.
pub fn signature(model: &dyn Model) {
    let signature = model.signature();
    assert!(!signature.inputs.is_empty(), "a model must take something");
    assert!(!signature.outputs.is_empty(), "a model must give something");
    for port in signature.inputs.iter().chain(&signature.outputs) {
        assert!(!port.name.is_empty(), "every input and output must have a name");
        assert_eq!(port.dims.first(), Some(&Dim::Batch), "the first dimension must be the batch: {port}");
        assert!(!port.dims[1..].contains(&Dim::Batch), "only the first dimension may be the batch: {port}");
        assert!(port.width() > 0, "every row must have elements: {port}");
    }
    for ports in [&signature.inputs, &signature.outputs] {
        for (place, port) in ports.iter().enumerate() {
            assert!(ports[..place].iter().all(|earlier| earlier.name != port.name), "{port} has its name twice");
        }
    }
}

/// Checks that the answer has the signature's outputs, and as many rows as were asked.
pub fn answers(model: &dyn Model, rows: &Tensors) {
    assert!(rows.rows >= 2, "the suite needs two rows");
    shaped(model, &infer(model, rows), rows.rows);
}

/// Checks that a row gets the same answer alone, in a batch, and in another place of it.
pub fn batches(model: &dyn Model, rows: &Tensors, tolerance: f64) {
    let whole = infer(model, rows);
    for place in 0..rows.rows {
        let alone = infer(model, &select(model, rows, &[place]));
        close(&alone, &outputs(model, &whole, &[place]), tolerance, &format!("row {place} alone"));
    }
    let turned: Vec<usize> = (0..rows.rows).rev().collect();
    let answer = infer(model, &select(model, rows, &turned));
    close(&answer, &outputs(model, &whole, &turned), tolerance, "the rows in reverse order");
    let long: Vec<usize> = (0..257).map(|n| n % rows.rows).collect();
    let answer = infer(model, &select(model, rows, &long));
    close(&answer, &outputs(model, &whole, &long), tolerance, "the rows many times over");
}

/// Checks that a batch without rows has an answer without rows.
pub fn empty_batch(model: &dyn Model, rows: &Tensors) {
    shaped(model, &infer(model, &select(model, rows, &[])), 0);
}

/// Checks that inputs of another shape than the signature's are an error, not a panic.
pub fn wrong_shapes(model: &dyn Model, rows: &Tensors) {
    let refused = |inputs: &Tensors, what: &str| {
        let error = model.infer(inputs).expect_err(&format!("{what} must be refused"));
        assert!(!error.reason.is_empty(), "{what} must be refused with a reason");
    };
    let mut fewer = rows.clone();
    fewer.data.pop();
    refused(&fewer, "one input less");
    let mut more = rows.clone();
    more.data.push(Tensor::F32(vec![0.0; rows.rows]));
    refused(&more, "one input more");
    let mut longer = rows.clone();
    longer.rows += 1;
    refused(&longer, "fewer elements than rows ask for");
    let mut shorter = rows.clone();
    shorter.rows -= 1;
    refused(&shorter, "more elements than rows ask for");
    let mut other = rows.clone();
    let elements = other.data[0].len();
    other.data[0] = match &other.data[0] {
        Tensor::Bool(_) => Tensor::I64(vec![0; elements]),
        _ => Tensor::Bool(vec![false; elements]),
    };
    refused(&other, "elements of another type");
}

/// Checks that calls from many threads at once give what one gives.
pub fn threads(model: &dyn Model, rows: &Tensors, tolerance: f64) {
    let expected = infer(model, rows);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope
                .spawn(|| (0..8).for_each(|_| close(&infer(model, rows), &expected, tolerance, "a call among others")));
        }
    });
}

fn infer(model: &dyn Model, inputs: &Tensors) -> Tensors {
    model
        .infer(inputs)
        .unwrap_or_else(|error| panic!("{} rows that suit the model must run, but: {error}", inputs.rows))
}

fn shaped(model: &dyn Model, answer: &Tensors, rows: usize) {
    let outputs = &model.signature().outputs;
    assert_eq!(answer.rows, rows, "the answer must have as many rows as were asked");
    assert_eq!(answer.data.len(), outputs.len(), "the answer must have every output");
    for (port, data) in outputs.iter().zip(&answer.data) {
        assert_eq!(data.dtype(), port.dtype, "{port} must have the type of the signature");
        assert_eq!(data.len(), rows * port.width(), "{port} must have its elements for {rows} rows");
    }
}

fn select(model: &dyn Model, inputs: &Tensors, places: &[usize]) -> Tensors {
    pick(&model.signature().inputs, inputs, places)
}

fn outputs(model: &dyn Model, answer: &Tensors, places: &[usize]) -> Tensors {
    pick(&model.signature().outputs, answer, places)
}

/// Makes a batch of some rows of another.
fn pick(ports: &[Port], tensors: &Tensors, places: &[usize]) -> Tensors {
    fn rows<T: Clone>(data: &[T], width: usize, places: &[usize]) -> Vec<T> {
        places.iter().flat_map(|place| data[place * width..(place + 1) * width].iter().cloned()).collect()
    }
    let data = ports.iter().zip(&tensors.data).map(|(port, data)| {
        let width = port.width();
        match data {
            Tensor::F32(data) => Tensor::F32(rows(data, width, places)),
            Tensor::F64(data) => Tensor::F64(rows(data, width, places)),
            Tensor::I64(data) => Tensor::I64(rows(data, width, places)),
            Tensor::Bool(data) => Tensor::Bool(rows(data, width, places)),
            Tensor::String(data) => Tensor::String(rows(data, width, places)),
        }
    });
    Tensors { rows: places.len(), data: data.collect() }
}

fn close(came: &Tensors, expected: &Tensors, tolerance: f64, what: &str) {
    assert_eq!(came.rows, expected.rows, "{what} must give as many rows");
    for (came, expected) in came.data.iter().zip(&expected.data) {
        let same = match (floats(came), floats(expected)) {
            (Some(came), Some(expected)) => {
                let near = |(a, b): (&f64, &f64)| {
                    a == b || (a - b).abs() <= tolerance * b.abs().max(1.0) || (a.is_nan() && b.is_nan())
                };
                came.len() == expected.len() && came.iter().zip(&expected).all(near)
            }
            _ => came == expected,
        };
        assert!(same, "{what} must get the same answers as in the batch: {came:?} is not {expected:?}");
    }
}

fn floats(tensor: &Tensor) -> Option<Vec<f64>> {
    match tensor {
        Tensor::F32(data) => Some(data.iter().map(|number| f64::from(*number)).collect()),
        Tensor::F64(data) => Some(data.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::Kind,
        ports::{Dtype, ModelError, Signature},
    };

    /// Adds the two columns of its matrix.
    struct Sum(Signature);

    impl Model for Sum {
        fn signature(&self) -> &Signature {
            &self.0
        }

        fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
            match inputs.data.as_slice() {
                [Tensor::F32(data)] if data.len() == inputs.rows * 2 => {
                    let sums = data.chunks(2).map(|row| row[0] + row[1]).collect();
                    Ok(Tensors { rows: inputs.rows, data: vec![Tensor::F32(sums)] })
                }
                _ => Err(ModelError { kind: Kind::Fatal, reason: "one matrix of two columns is needed".to_owned() }),
            }
        }
    }

    #[test]
    fn a_model_that_keeps_the_contract_passes() {
        let port = |name: &str, dims| Port { name: name.to_owned(), dtype: Dtype::F32, dims, labels: None };
        let signature = Signature {
            inputs: vec![port("x", vec![Dim::Batch, Dim::Fixed(2)])],
            outputs: vec![port("sum", vec![Dim::Batch])],
            ..Signature::default()
        };
        let rows = Tensors { rows: 3, data: vec![Tensor::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN])] };
        suite(&Sum(signature), &rows, 0.0);
    }
}
