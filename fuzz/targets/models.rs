//! Any bytes as a model: it loads and answers for rows of zeros, of NaN and of text, or is refused with a reason.

#![no_main]

use fourstroke::ports::{Dim, Dtype, Model, Port, Tensor, Tensors};
use libfuzzer_sys::fuzz_target;

/// More than that no row here needs; a hostile model may declare far more.
const WIDEST: usize = 1 << 12;

fn tensor(port: &Port, rows: usize, number: f64) -> Tensor {
    let rows = if port.dims.contains(&Dim::Batch) { rows } else { 1 };
    let length = rows * port.width();
    match port.dtype {
        Dtype::F32 => Tensor::F32(vec![number as f32; length]),
        Dtype::F64 => Tensor::F64(vec![number; length]),
        Dtype::I64 => Tensor::I64(vec![number as i64; length]),
        Dtype::Bool => Tensor::Bool(vec![number > 0.0; length]),
        Dtype::String => Tensor::String(vec!["late again".to_owned(); length]),
    }
}

/// Lets tract panic, which the loader takes for a refusal; our own code may not, nor anything the loader does not catch.
fn watch_panics() {
    let aborting = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or("", |place| place.file());
        if !place.contains("/registry/src/") && !place.contains("/rustc/") {
            aborting(panic);
        }
    }));
}

fuzz_target!(init: watch_panics(), |data: &[u8]| {
    let model = match fourstroke_onnx::load(data) {
        Ok(model) => model,
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            return;
        }
    };
    let signature = model.signature();
    if signature.inputs.iter().chain(&signature.outputs).any(|port| port.width() > WIDEST) {
        return;
    }
    for (rows, number) in [(1, 0.0), (9, f64::NAN), (2, 1e30)] {
        let data = signature.inputs.iter().map(|port| tensor(port, rows, number)).collect();
        let Ok(said) = model.infer(&Tensors { rows, data }) else { continue };
        for (port, tensor) in signature.outputs.iter().zip(&said.data) {
            assert_eq!((port.dtype, rows * port.width()), (tensor.dtype(), tensor.len()));
        }
    }
});
