//! Loads ONNX models and runs them, warm, on [tract](https://github.com/sonos/tract): pure Rust, no shared library.
//!
//! [`load`] turns a file's bytes into an [`OnnxModel`], the core's [`Model`](fourstroke::ports::Model). What cannot be
//! run is refused there, by name, so that a loaded model either answers or says which row does not suit it.
//!
//! A model must treat its rows alone: the pipeline puts unrelated events into one batch.
//!
//! **NaN**: tract's Relu, Clip, Min, Max, ReduceMax, Sigmoid and Tanh turn NaN into a number, where onnxruntime gives
//! NaN. A model that is fed missing values must replace them first, with IsNaN and Where; one that has no IsNaN refuses
//! rows with NaN.

mod error;
mod guard;
mod labels;
mod load;
mod ml;
mod operators;
mod rewrite;
mod run;
mod signature;
mod trees;

pub use error::LoadError;
pub use load::{SIZE_LIMIT, load};
pub use run::OnnxModel;
