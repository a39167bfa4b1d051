//! `ZipMap` makes a list of maps of a matrix of scores, one per row. Here the matrix stays, and its columns get the keys.

use fourstroke::ports::Labels;
use tract_onnx::pb::{GraphProto, NodeProto};

use super::{Taken, maps::declare};
use crate::{
    error::LoadError,
    labels::count,
    ml::{ML, attributes::Attributes},
};

/// Takes the maps out. <https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html>
pub(super) fn to_tensors(graph: &mut GraphProto, taken: &mut Taken) -> Result<(), LoadError> {
    for place in 0..graph.node.len() {
        let node = &graph.node[place];
        if node.domain != ML || node.op_type != "ZipMap" {
            continue;
        }
        let refuse = |reason: String| LoadError::Graph { reason: format!("ZipMap: {reason}") };
        let labels = labels(node).map_err(refuse)?;
        let output = node.output.first().cloned().ok_or_else(|| refuse("it has no output".to_owned()))?;
        if let Some(info) = graph.output.iter_mut().find(|info| info.name == output) {
            const FLOAT: i32 = 1;
            declare(info, FLOAT, [None, Some(count(&labels))]);
        }
        let node = &mut graph.node[place];
        (node.op_type, node.domain) = ("Identity".to_owned(), String::new());
        node.attribute.clear();
        taken.labels.insert(output, labels);
    }
    Ok(())
}

fn labels(node: &NodeProto) -> Result<Labels, String> {
    let attributes = Attributes { node, version: 1 };
    let (integers, strings) = (attributes.ints("classlabels_int64s")?, attributes.strings("classlabels_strings")?);
    match (integers.is_empty(), strings.is_empty()) {
        (false, true) => Ok(Labels::Integers(integers.to_vec())),
        (true, false) => Ok(Labels::Strings(strings)),
        _ => Err("it has either integer or string labels".to_owned()),
    }
}
