//! The example's pipeline from its YAML.

use fourstroke::{
    config::{Environment, PipelineFile},
    pipeline::{Builder, Pipeline},
};

use crate::{Opener, events::example};

/// Builds examples/flights/pipeline.yaml.
///
/// # Errors
/// Every mistake in the file.
pub async fn flights(opener: &Opener) -> anyhow::Result<Pipeline> {
    let file = PipelineFile::read(&example().join("pipeline.yaml"), &Environment::default())?;
    Ok(Builder::new(file).open(opener).await?)
}
