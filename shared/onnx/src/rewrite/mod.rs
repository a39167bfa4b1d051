//! What is changed in a model before tract sees it: its types know only tensors, its operators no domains.

mod axes;
mod maps;
mod zeros;
mod zip_map;

use std::collections::{BTreeMap, BTreeSet};

use fourstroke::ports::Labels;
use tract_onnx::pb::{GraphProto, ModelProto, OperatorSetIdProto};

use crate::{error::LoadError, ml};

/// The version of the standard domain for nodes that are put into a model that does not import it.
const STANDARD_VERSION: i64 = 15;

/// What was taken out of a model: the keys of maps that are columns of tensors now, by input or output.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub labels: BTreeMap<String, Labels>,
    /// Inputs that are the values of a map in the order of its keys, whatever they are.
    pub dense: BTreeSet<String>,
}

/// Tells whether an operator is gone once a model is rewritten.
pub(crate) fn replaces(domain: &str, name: &str) -> bool {
    domain == ml::ML && matches!(name, "ZipMap" | "DictVectorizer")
}

/// Rewrites a model that has been checked; `bytes` are what it was read from.
///
/// # Errors
/// It has maps where they cannot be made tensors.
pub(crate) fn rewrite(proto: &mut ModelProto, bytes: &[u8]) -> Result<Taken, LoadError> {
    let mut taken = Taken::default();
    let Some(graph) = &mut proto.graph else { return Ok(taken) };
    maps::inputs_to_tensors(graph, bytes, &mut taken)?;
    zip_map::to_tensors(graph, &mut taken)?;
    axes::to_attributes(graph);
    zeros::write_out(graph);
    tell_apart(graph);
    qualify(graph);
    import_standard(proto);
    Ok(taken)
}

/// Gives nodes of one name each their own: tract refuses what onnxruntime takes.
fn tell_apart(graph: &mut GraphProto) {
    let mut seen = BTreeSet::new();
    for (place, node) in graph.node.iter_mut().enumerate() {
        if !node.name.is_empty() && !seen.insert(node.name.clone()) {
            node.name = format!("{}#{place}", node.name);
        }
    }
}

/// Gives the operators of ours names that say their domain.
fn qualify(graph: &mut GraphProto) {
    for node in &mut graph.node {
        let domain = if node.domain.is_empty() { ml::STANDARD } else { &node.domain };
        if ml::has(domain, &node.op_type) {
            node.op_type = ml::qualified(domain, &node.op_type);
            node.domain.clear();
        }
        let subgraphs =
            node.attribute.iter_mut().flat_map(|attribute| attribute.g.iter_mut().chain(&mut attribute.graphs));
        subgraphs.for_each(qualify);
    }
}

/// Has the standard domain imported once, in its highest version: some exporters import it twice, or not at all.
fn import_standard(proto: &mut ModelProto) {
    let is_standard = |import: &OperatorSetIdProto| import.domain.is_empty() || import.domain == ml::STANDARD;
    let versions = proto.opset_import.iter().filter(|import| is_standard(import)).map(|import| import.version);
    let version = versions.max().unwrap_or(STANDARD_VERSION);
    proto.opset_import.retain(|import| !is_standard(import));
    proto.opset_import.insert(0, OperatorSetIdProto { domain: String::new(), version });
}
