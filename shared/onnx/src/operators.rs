//! What is refused before tract sees the graph: operators it does not have.

use std::collections::BTreeMap;

use tract_onnx::model::Onnx;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto};

use crate::{error::LoadError, ml, rewrite};

/// The name of the standard domain, which models mostly write as "".
const STANDARD: &str = "ai.onnx";

/// Makes tract's ONNX reader with the operators that are offered.
///
/// Shapes written inside the graph are left out: they name other symbols for the rows than ours, and tract works all of
/// them out itself.
pub(crate) fn reader() -> Onnx {
    let mut onnx = tract_onnx::onnx().with_ignore_value_info(true);
    ml::register(&mut onnx);
    onnx
}

/// Tells whether NaN among the inputs comes to what it comes to in onnxruntime: some of tract's operators make a number of
/// it. A model that has one of these must look for NaN itself.
pub(crate) fn mind_nan(graph: &GraphProto) -> bool {
    const MAKING_NUMBERS: [&str; 12] = [
        "Clip",
        "GRU",
        "HardSigmoid",
        "HardSwish",
        "LSTM",
        "Max",
        "Min",
        "RNN",
        "ReduceMax",
        "Relu",
        "Sigmoid",
        "Tanh",
    ];
    has(graph, &["IsNaN"]) || !has(graph, &MAKING_NUMBERS)
}

/// Tells whether a graph or one inside it has such an operator.
fn has(graph: &GraphProto, names: &[&str]) -> bool {
    let inside =
        |attribute: &AttributeProto| attribute.g.iter().chain(&attribute.graphs).any(|graph| has(graph, names));
    let node = |node: &NodeProto| names.contains(&node.op_type.as_str()) || node.attribute.iter().any(inside);
    graph.node.iter().any(node)
}

/// Refuses a model that holds an operator the reader does not have, subgraphs included.
pub(crate) fn check(proto: &ModelProto, graph: &GraphProto, onnx: &Onnx) -> Result<(), LoadError> {
    let versions = proto.opset_import.iter().map(|import| (domain(&import.domain), import.version)).collect();
    Check { onnx, versions }.graph(graph)
}

struct Check<'a> {
    onnx: &'a Onnx,
    versions: BTreeMap<&'a str, i64>,
}

impl Check<'_> {
    fn graph(&self, graph: &GraphProto) -> Result<(), LoadError> {
        graph.node.iter().enumerate().try_for_each(|(place, node)| self.node(place, node))
    }

    fn node(&self, place: usize, node: &NodeProto) -> Result<(), LoadError> {
        let domain = domain(&node.domain);
        let operator = || node.op_type.clone();
        if rewrite::replaces(domain, &node.op_type) {
            return Ok(());
        }
        // Some exporters do not import the standard domain.
        let standard = (domain == STANDARD).then_some(&0);
        let Some(&version) = self.versions.get(domain).or(standard) else {
            return Err(LoadError::NotImported {
                operator: operator(),
                domain: domain.into(),
                node: node_name(place, node),
            });
        };
        if ml::has(domain, &node.op_type) {
            return node.attribute.iter().try_for_each(|attribute| self.attribute(attribute));
        }
        if domain != STANDARD || !self.onnx.op_register.0.contains_key(&node.op_type) {
            return Err(LoadError::UnknownOperator {
                operator: operator(),
                domain: domain.into(),
                version,
                node: node_name(place, node),
            });
        }
        node.attribute.iter().try_for_each(|attribute| self.attribute(attribute))
    }

    fn attribute(&self, attribute: &AttributeProto) -> Result<(), LoadError> {
        attribute.g.iter().chain(&attribute.graphs).try_for_each(|graph| self.graph(graph))
    }
}

fn domain(written: &str) -> &str {
    if written.is_empty() { STANDARD } else { written }
}

fn node_name(place: usize, node: &NodeProto) -> String {
    let written = Some(&node.name).filter(|name| !name.is_empty());
    written.or(node.output.first()).cloned().unwrap_or_else(|| format!("#{place}"))
}
