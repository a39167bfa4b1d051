//! Trees of any tests, walked one after the other.

use super::{
    BLOCK,
    grow::{Grown, Growth, Node},
    test::{Float, Test},
};

#[derive(Debug)]
pub(super) struct Plain<T> {
    trees: Vec<Vec<Step<T>>>,
}

#[derive(Debug)]
struct Step<T> {
    column: usize,
    test: Test<T>,
    nan_passes: bool,
    /// The place of the first child, with the second behind it; its own place for a leaf.
    children: usize,
}

impl<T: Float> Plain<T> {
    pub fn of(growth: &Growth<T>, grown: &Grown) -> Plain<T> {
        let trees = grown.trees.iter().map(|tree| {
            let steps = tree.order.iter().zip(&tree.children).map(|(place, children)| match &growth.nodes[*place] {
                Node::Leaf { .. } => Step { column: 0, test: Test::Always, nan_passes: true, children: *children },
                Node::Inner { column, test, nan_passes, .. } => {
                    Step { column: *column, test: test.clone(), nan_passes: *nan_passes, children: *children }
                }
            });
            steps.collect()
        });
        Plain { trees: trees.collect() }
    }

    /// Tells of each tree the places of the leaves that the rows of a block end in.
    pub fn walk(&self, rows: &[T], width: usize, mut ends: impl FnMut(usize, &[usize])) {
        let mut places = Vec::with_capacity(BLOCK);
        for (tree, steps) in self.trees.iter().enumerate() {
            places.clear();
            places.extend(rows.chunks(width.max(1)).map(|row| {
                let mut place = 0;
                while let Some(step) = steps.get(place).filter(|step| step.children != place) {
                    let x = row[step.column];
                    let passes = if x.is_nan() { step.nan_passes } else { step.test.passes(x) };
                    place = step.children + usize::from(passes == step.test.no_first());
                }
                place
            }));
            ends(tree, &places);
        }
    }
}
