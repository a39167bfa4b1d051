//! Loads ONNX models and runs them, warm, in pure Rust.
//!
//! [`load`] turns a file's bytes into an [`OnnxModel`], the core's [`Model`](fourstroke::ports::Model). What cannot be
//! run is refused there, by name, so that a loaded model either answers or says which row does not suit it.
//!
//! ```text
//! bytes ──► operators (checks) ──► rewrite (maps, names) ──► tract's graph ──► signature
//!                                                              └─ ml: our operators ─ trees: the kernel
//! rows ───► direct (our operators alone), or tract ──► answers
//! ```
//!
//! The operators of ai.onnx.ml are ours (`ml`): trees, linear models, SVMs, encoders, scalers, imputers; and those for
//! text that converters put around them. Everything else, dense layers, convolutions, transformers, is
//! [tract](https://github.com/sonos/tract)'s: small networks run as fast there as in onnxruntime, transformers take about 1.4
//! times as long, convolutions 2 to 5 times.
//!
//! A model must treat its rows alone: the pipeline puts unrelated events into one batch.
//!
//! **NaN**: trees and imputers take it as their model says. tract's Relu, Clip, Min, Max, ReduceMax, Sigmoid, HardSigmoid, HardSwish,
//! Tanh and recurrent layers turn NaN into a number, where onnxruntime gives NaN. A model that has one of these must look for
//! missing values first, with IsNaN and Where; if it has no IsNaN, it refuses rows with NaN.

mod direct;
mod error;
mod external;
mod guard;
mod labels;
mod limits;
mod load;
mod ml;
mod operators;
mod pieces;
mod registers;
mod rewrite;
mod run;
mod signature;
mod trees;

pub use error::LoadError;
pub use load::{SIZE_LIMIT, load, load_with};
pub use run::OnnxModel;
