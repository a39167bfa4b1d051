//! `TreeEnsemble`, which version 5 of the domain has for regressors and classifiers alike.

use std::sync::Arc;

use tract_onnx::prelude::{DatumType, ToDim};

use super::{
    forest::{Forest, Scores},
    nodes::MAX_COLUMNS,
    regressor::{MAX_TARGETS, finished},
    tensor_numbers,
};
use crate::{
    ml::{
        array::{Array, Data, View},
        attributes::Attributes,
        operator::{Fact, Operator},
        post_transform::PostTransform,
    },
    trees::{Aggregate, Growth, Node, Test},
};

/// Scores have the type of the input. As onnxruntime has it, `post_transform` 1 is the logistic function and 2 the softmax,
/// though the specification says the opposite.
#[derive(Debug)]
struct TreeEnsemble {
    forest: Forest,
    transform: PostTransform,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>
pub(in crate::ml) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let targets = attributes.int("n_targets")?.unwrap_or(1);
    let targets = usize::try_from(targets).ok().filter(|targets| (1..=MAX_TARGETS).contains(targets));
    let targets = targets.ok_or("`n_targets` is out of bounds")?;
    let aggregate = match attributes.int("aggregate_function")?.unwrap_or(1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(format!("there is no aggregate_function {other}")),
    };
    let transform = match attributes.int("post_transform")?.unwrap_or(0) {
        0 => PostTransform::None,
        1 => PostTransform::Logistic,
        2 => PostTransform::Softmax,
        3 => PostTransform::SoftmaxZero,
        4 => PostTransform::Probit,
        other => return Err(format!("there is no post_transform {other}")),
    };
    Ok(Arc::new(TreeEnsemble { forest: Forest::new(growth(attributes, targets)?, aggregate), transform }))
}

/// Reads the nodes: inner ones first, then leaves, in one list.
fn growth(attributes: Attributes<'_>, targets: usize) -> Result<Growth<f64>, String> {
    let tensor = |name: &str| attributes.tensor(name)?.map_or(Ok(Vec::new()), tensor_numbers);
    let (splits, modes, leaves) = (tensor("nodes_splits")?, tensor("nodes_modes")?, tensor("leaf_weights")?);
    let (columns, roots) = (attributes.ints("nodes_featureids")?, attributes.ints("tree_roots")?);
    let (yes, yes_leaf) = (attributes.ints("nodes_truenodeids")?, attributes.ints("nodes_trueleafs")?);
    let (no, no_leaf) = (attributes.ints("nodes_falsenodeids")?, attributes.ints("nodes_falseleafs")?);
    let tracks = attributes.ints("nodes_missing_value_tracks_true")?;
    let ids = attributes.ints("leaf_targetids")?;
    let count = splits.len();
    let same = [modes.len(), columns.len(), yes.len(), yes_leaf.len(), no.len(), no_leaf.len()];
    if same.iter().any(|length| *length != count) || !(tracks.is_empty() || tracks.len() == count) {
        return Err("the lists of its nodes differ in length".to_owned());
    }
    if ids.len() != leaves.len() {
        return Err("the lists of its leaves differ in length".to_owned());
    }
    let mut sets = sets(&tensor("membership_values")?, modes.iter().filter(|mode| **mode == MEMBER).count())?;
    // A leaf for each node that leads to it: trees may share what leaves say.
    let mut leaf_nodes = Vec::new();
    let mut child = |id: i64, is_leaf: i64| {
        let most = if is_leaf == 1 { leaves.len() } else { count };
        let place = usize::try_from(id).ok().filter(|id| *id < most);
        let place = place.ok_or_else(|| format!("a node leads to {id}, of {most}"))?;
        if is_leaf != 1 {
            return Ok(place);
        }
        leaf_nodes.push(Node::Leaf { from: place, to: place + 1 });
        Ok::<usize, String>(count + leaf_nodes.len() - 1)
    };
    let mut nodes = Vec::with_capacity(count + leaves.len());
    for place in 0..count {
        let column = usize::try_from(columns[place]).ok().filter(|column| *column < MAX_COLUMNS);
        let column = column.ok_or_else(|| format!("a node asks for column {}", columns[place]))?;
        let split = splits[place];
        let test = match modes[place] {
            0.0 => Test::LessOrEqual(split),
            1.0 => Test::Less(split),
            2.0 => Test::GreaterOrEqual(split),
            3.0 => Test::Greater(split),
            4.0 => Test::Equal(split),
            5.0 => Test::NotEqual(split),
            MEMBER => Test::Member(sets.next().unwrap_or_default()),
            other => return Err(format!("there is no mode {other}")),
        };
        let nan_passes = tracks.get(place) == Some(&1) || matches!(test, Test::NotEqual(_));
        // A tree of one leaf is written as a node both of whose children it is.
        let is_leaf = yes_leaf[place] == 1 && no_leaf[place] == 1 && yes[place] == no[place];
        let leaf = usize::try_from(yes[place]).ok().filter(|_| is_leaf);
        let (yes, no) = (child(yes[place], yes_leaf[place])?, child(no[place], no_leaf[place])?);
        nodes.push(match leaf {
            Some(leaf) => Node::Leaf { from: leaf, to: leaf + 1 },
            None => Node::Inner { column, test, nan_passes, yes, no },
        });
    }
    nodes.extend(leaf_nodes);
    let mut weights = Vec::with_capacity(leaves.len());
    for (id, weight) in ids.iter().zip(leaves) {
        let target = usize::try_from(*id).ok().filter(|target| *target < targets);
        weights.push((target.ok_or_else(|| format!("a leaf speaks of {id}, of {targets}"))?, weight));
    }
    let root = |id: &i64| {
        let place = usize::try_from(*id).ok().filter(|id| *id < count);
        place.ok_or_else(|| format!("a tree begins with {id}, which is not there"))
    };
    let roots = roots.iter().map(root).collect::<Result<_, _>>()?;
    Ok(Growth { nodes, roots, weights, targets })
}

const MEMBER: f64 = 6.0;

/// Takes apart the sets of all nodes that ask for members: NaN ends each.
fn sets(values: &[f64], count: usize) -> Result<std::vec::IntoIter<Box<[f64]>>, String> {
    let mut sets: Vec<Box<[f64]>> = values.split(|value| value.is_nan()).map(Box::from).collect();
    if values.last().is_none_or(|value| value.is_nan()) {
        sets.pop();
    }
    if sets.len() != count {
        return Err(format!("`membership_values` has {} sets for {count} nodes", sets.len()));
    }
    Ok(sets.into_iter())
}

impl Operator for TreeEnsemble {
    fn name(&self) -> &'static str {
        "TreeEnsemble"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        self.forest.check(input.dtype, input.columns())?;
        let dtype = if input.dtype == DatumType::F64 { DatumType::F64 } else { DatumType::F32 };
        Ok(vec![Fact::new(dtype, [input.rows(), self.forest.targets().to_dim()])])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let targets = self.forest.targets();
        let data = match self.forest.score(*input)? {
            Scores::Single(scores) => Data::F32(finished(scores, targets, &[], self.transform)),
            Scores::Double(scores) if self.transform == PostTransform::None => Data::F64(scores),
            Scores::Double(scores) => {
                Data::F64(finished(scores, targets, &[], self.transform).into_iter().map(f64::from).collect())
            }
        };
        Ok(vec![Array { shape: vec![input.matrix().0, targets], data }])
    }
}
