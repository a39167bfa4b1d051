//! Nodes as a model lists them, checked to be trees.

use super::test::{Float, Test};

/// A node of a tree; nodes refer to each other by their places in the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<T> {
    Inner {
        column: usize,
        test: Test<T>,
        /// Whether NaN goes where the test says yes.
        nan_passes: bool,
        yes: usize,
        no: usize,
    },
    /// Its part of [`Growth::weights`].
    Leaf { from: usize, to: usize },
}

/// All nodes of an ensemble.
#[derive(Clone, Debug)]
pub(crate) struct Growth<T> {
    pub nodes: Vec<Node<T>>,
    /// Where each tree begins.
    pub roots: Vec<usize>,
    /// What leaves say: of which target how much.
    pub weights: Vec<(usize, T)>,
    /// How many targets there are.
    pub targets: usize,
}

/// The nodes of each tree, breadth first, both children of a node next to each other: first where small numbers go.
#[derive(Debug)]
pub(super) struct Grown {
    pub trees: Vec<GrownTree>,
}

#[derive(Debug)]
pub(super) struct GrownTree {
    /// Places in [`Growth::nodes`], in the tree's order.
    pub order: Vec<usize>,
    /// For each of them, the place of its first child in the order; its own for a leaf.
    pub children: Vec<usize>,
    /// How many tests stand above the lowest leaf.
    pub depth: usize,
}

impl<T: Float> Growth<T> {
    /// Returns how many columns of a row are looked at: up to the highest.
    pub fn columns(&self) -> usize {
        let columns = self.nodes.iter().map(|node| match node {
            Node::Inner { column, .. } => column + 1,
            Node::Leaf { .. } => 0,
        });
        columns.max().unwrap_or(0)
    }

    /// Checks that every tree is one, and puts its nodes in order.
    ///
    /// # Errors
    /// A node refers to none, or is reached twice: in a cycle, or by two nodes; a leaf has weights or targets there are not.
    pub(super) fn check(&self) -> Result<Grown, String> {
        if self.weights.iter().any(|(target, _)| *target >= self.targets) {
            return Err(format!("a leaf speaks of a target beyond the {} there are", self.targets));
        }
        let mut reached = vec![false; self.nodes.len()];
        let mut trees = Vec::with_capacity(self.roots.len());
        for root in &self.roots {
            trees.push(self.tree(*root, &mut reached)?);
        }
        Ok(Grown { trees })
    }

    fn tree(&self, root: usize, reached: &mut [bool]) -> Result<GrownTree, String> {
        let mut reach = |place: usize| match reached.get_mut(place) {
            None => Err(format!("node {place} is not there")),
            Some(reached) if *reached => Err(format!("node {place} is reached twice")),
            Some(reached) => {
                *reached = true;
                Ok(place)
            }
        };
        let mut order = vec![reach(root)?];
        let (mut children, mut depth, mut level_ends) = (Vec::new(), 0, 1);
        while children.len() < order.len() {
            let place = children.len();
            if place == level_ends {
                depth += 1;
                level_ends = order.len();
            }
            match &self.nodes[order[place]] {
                Node::Leaf { from, to } => {
                    if from > to || *to > self.weights.len() {
                        return Err(format!("the leaf {} has no weights", order[place]));
                    }
                    children.push(place);
                }
                Node::Inner { test, yes, no, .. } => {
                    children.push(order.len());
                    let (first, second) = if test.no_first() { (no, yes) } else { (yes, no) };
                    order.push(reach(*first)?);
                    order.push(reach(*second)?);
                }
            }
        }
        Ok(GrownTree { order, children, depth })
    }
}
