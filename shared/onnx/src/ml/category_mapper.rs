//! `CategoryMapper`: strings become integers, or integers strings.

use std::sync::Arc;

use super::{attributes::Attributes, label_encoder::both_ways, lookup::Lookup, operator::Operator};

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_CategoryMapper.html>
///
/// Of equal categories the last one counts, as in onnxruntime.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let (strings, ints) = (attributes.strings("cats_strings")?, attributes.ints("cats_int64s")?);
    Ok(Arc::new(Lookup { name: "CategoryMapper", tables: both_ways(attributes, strings, ints.to_vec())? }))
}
