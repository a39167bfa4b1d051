//! The nodes of `TreeEnsembleClassifier` and `TreeEnsembleRegressor`: parallel lists, and leaves' weights beside them.

use std::collections::HashMap;

use super::numbers;
use crate::{
    ml::attributes::Attributes,
    trees::{Growth, Node, Test},
};

/// Reads the nodes, and the weights whose lists have this prefix, `class` or `target`.
///
/// # Errors
/// Lists differ in length, name a node or target that is not there, or a mode there is not.
pub(super) fn read(attributes: Attributes<'_>, prefix: &str, targets: usize) -> Result<Growth<f64>, String> {
    let (trees, ids) = (attributes.ints("nodes_treeids")?, attributes.ints("nodes_nodeids")?);
    let (yes, no) = (attributes.ints("nodes_truenodeids")?, attributes.ints("nodes_falsenodeids")?);
    let columns = attributes.ints("nodes_featureids")?;
    let (values, _) = numbers(attributes, "nodes_values")?;
    let modes = attributes.strings("nodes_modes")?;
    let tracks = attributes.ints("nodes_missing_value_tracks_true")?;
    let count = trees.len();
    let same = [ids.len(), yes.len(), no.len(), columns.len(), values.len(), modes.len()];
    if same.iter().any(|length| *length != count) || !(tracks.is_empty() || tracks.len() == count) {
        return Err("the lists of its nodes differ in length".to_owned());
    }

    let mut places = HashMap::with_capacity(count);
    let mut roots = Vec::new();
    for (place, key) in trees.iter().zip(ids).enumerate() {
        if places.insert(key, place).is_some() {
            return Err(format!("node {} of tree {} stands there twice", key.1, key.0));
        }
        // A tree begins with its first node.
        if place == 0 || trees[place - 1] != *key.0 {
            roots.push(place);
        }
    }
    let mut weights = Weights::read(attributes, prefix, &places, targets)?;
    let mut nodes = Vec::with_capacity(count);
    for place in 0..count {
        let child = |id: &i64| {
            let missing = || format!("node {} of tree {} leads to {id}, which is not there", ids[place], trees[place]);
            places.get(&(&trees[place], id)).copied().ok_or_else(missing)
        };
        let Some(test) = test(&modes[place], values[place])? else {
            nodes.push(weights.leaf(place, targets, values[place]));
            continue;
        };
        let column = usize::try_from(columns[place]).ok().filter(|column| *column < MAX_COLUMNS);
        let column = column.ok_or_else(|| format!("a node asks for column {}", columns[place]))?;
        // Comparisons with NaN are false, but that it differs is true.
        let nan_passes = tracks.get(place) == Some(&1) || matches!(test, Test::NotEqual(_));
        nodes.push(Node::Inner { column, test, nan_passes, yes: child(&yes[place])?, no: child(&no[place])? });
    }
    merge_equals(&mut nodes);
    Ok(Growth { nodes, roots, weights: weights.sorted, targets })
}

/// Makes one node of a chain that asks whether a column is this, or that, and leads to the same node if it is: so are
/// categories written, and such a node would be reached by many.
fn merge_equals(nodes: &mut [Node<f64>]) {
    let equal = |node: &Node<f64>| match node {
        Node::Inner { column, test: Test::Equal(value), nan_passes, yes, no } => {
            Some((*column, *value, *nan_passes, *yes, *no))
        }
        _ => None,
    };
    let goes_on = |a: &Node<f64>, b: &Node<f64>| match (equal(a), equal(b)) {
        (Some((of_a, _, nan_a, yes_a, _)), Some((of_b, _, nan_b, yes_b, _))) => {
            (of_a, nan_a, yes_a) == (of_b, nan_b, yes_b)
        }
        _ => false,
    };
    // A node is part of one chain at most, and only where a chain begins is it followed: a circle begins nowhere.
    let mut inside = vec![false; nodes.len()];
    for node in nodes.iter() {
        if let Some((.., no)) = equal(node).filter(|(.., no)| goes_on(node, &nodes[*no])) {
            inside[no] = true;
        }
    }
    let heads: Vec<usize> = (0..nodes.len()).filter(|place| !inside[*place]).collect();
    for place in heads {
        let Some((column, value, nan_passes, yes, mut last)) = equal(&nodes[place]) else { continue };
        let mut set = vec![value];
        while let Some((_, value, _, _, no)) =
            equal(&nodes[last]).filter(|_| goes_on(&nodes[place], &nodes[last]) && std::mem::take(&mut inside[last]))
        {
            set.push(value);
            last = no;
        }
        if set.len() > 1 {
            nodes[place] = Node::Inner { column, test: Test::Member(set.into()), nan_passes, yes, no: last };
        }
    }
}

/// The most columns a model may ask for.
pub(super) const MAX_COLUMNS: usize = 1 << 24;

/// Reads a node's mode; none for a leaf.
fn test(mode: &str, value: f64) -> Result<Option<Test<f64>>, String> {
    Ok(Some(match mode {
        "LEAF" => return Ok(None),
        "BRANCH_LEQ" => Test::LessOrEqual(value),
        "BRANCH_LT" => Test::Less(value),
        "BRANCH_GTE" => Test::GreaterOrEqual(value),
        "BRANCH_GT" => Test::Greater(value),
        "BRANCH_EQ" => Test::Equal(value),
        "BRANCH_NEQ" => Test::NotEqual(value),
        other => return Err(format!("there is no mode `{other}`")),
    }))
}

/// What leaves say, sorted by the place of their nodes.
struct Weights {
    nodes: Vec<usize>,
    sorted: Vec<(usize, f64)>,
}

impl Weights {
    fn read(
        attributes: Attributes<'_>,
        prefix: &str,
        places: &HashMap<(&i64, &i64), usize>,
        targets: usize,
    ) -> Result<Weights, String> {
        let list = |name: &str| attributes.ints(&format!("{prefix}_{name}"));
        let (trees, nodes, ids) = (list("treeids")?, list("nodeids")?, list("ids")?);
        let (weights, _) = numbers(attributes, &format!("{prefix}_weights"))?;
        if [nodes.len(), ids.len(), weights.len()].iter().any(|length| *length != trees.len()) {
            return Err("the lists of its leaves differ in length".to_owned());
        }
        let mut said = Vec::with_capacity(trees.len());
        for (((tree, node), id), weight) in trees.iter().zip(nodes).zip(ids).zip(weights) {
            let place = places.get(&(tree, node)).ok_or_else(|| format!("node {node} of tree {tree} is not there"))?;
            let target = usize::try_from(*id).ok().filter(|target| *target < targets);
            let target = target.ok_or_else(|| format!("a leaf speaks of {id}, of {targets}"))?;
            said.push((*place, (target, weight)));
        }
        // Mostly it is sorted already; of one leaf, the order of its weights stays.
        said.sort_by_key(|(place, _)| *place);
        let (nodes, sorted) = said.into_iter().unzip();
        Ok(Weights { nodes, sorted })
    }

    /// Of one target, only a leaf's first word counts, as in onnxruntime; without any, it is the leaf's own value.
    fn leaf(&mut self, place: usize, targets: usize, value: f64) -> Node<f64> {
        let from = self.nodes.partition_point(|node| *node < place);
        let to = from + self.nodes[from..].iter().take_while(|node| **node == place).count();
        if targets == 1 && from == to {
            self.sorted.push((0, value));
            return Node::Leaf { from: self.sorted.len() - 1, to: self.sorted.len() };
        }
        Node::Leaf { from, to: if targets == 1 { to.min(from + 1) } else { to } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(value: f64, no: usize) -> Node<f64> {
        Node::Inner { column: 0, test: Test::Equal(value), nan_passes: false, yes: 0, no }
    }

    fn members(nodes: &[Node<f64>]) -> Vec<usize> {
        let of = |node: &Node<f64>| match node {
            Node::Inner { test: Test::Member(set), .. } => set.len(),
            _ => 0,
        };
        nodes.iter().map(of).collect()
    }

    #[test]
    fn a_chain_is_one_set_wherever_its_nodes_stand() {
        let leaf = || Node::Leaf { from: 0, to: 0 };
        let mut forward = vec![leaf(), leaf(), equal(1.0, 3), equal(2.0, 4), equal(3.0, 1)];
        merge_equals(&mut forward);
        assert_eq!(members(&forward), [0, 0, 3, 0, 0]);
        let mut backward = vec![leaf(), leaf(), equal(3.0, 1), equal(2.0, 2), equal(1.0, 3)];
        merge_equals(&mut backward);
        assert_eq!(members(&backward), [0, 0, 0, 0, 3]);
        let Node::Inner { no, .. } = backward[4] else { panic!("it is a test") };
        assert_eq!(no, 1);
    }

    #[test]
    fn no_node_is_in_many_sets() {
        // Two chains that end in the same one, and a circle.
        let leaf = || Node::Leaf { from: 0, to: 0 };
        let mut nodes = vec![leaf(), leaf(), equal(1.0, 4), equal(2.0, 4), equal(3.0, 1), equal(4.0, 6), equal(5.0, 5)];
        merge_equals(&mut nodes);
        assert_eq!(members(&nodes), [0, 0, 2, 0, 0, 0, 0]);
    }
}
