//! Ensembles of decision trees, fast: the kernel behind all tree operators. It knows nothing of ONNX.
//!
//! An [`Ensemble`] is grown from nodes, which are checked: every tree is one, and ends in leaves. Trees whose tests all are
//! `x <= t` or ask for small whole numbers, or can be written so, are packed into eight bytes a node, and eight walks go on at a time, of eight rows down
//! one tree or of one row down eight trees: a walk alone would wait for memory at each step. Other trees are walked plainly. If no
//! tree has more than 64 leaves, many rows together are not walked at all, but marked.
//!
//! ```text
//! nodes ──► grow (checks, sorts) ──► marked (x <= t and sets, in f32, 64 leaves; from 16 rows on) ──► leaves add up
//!                                ├─► packed (x <= t and sets of 0 to 127, in f32)                ──►
//!                                └─► plain  (anything else)                                      ──►
//! ```

mod grow;
mod leaves;
mod marked;
mod packed;
mod plain;
mod test;

pub(crate) use grow::{Growth, Node};
pub(crate) use leaves::Aggregate;
pub(crate) use test::{Float, Test};

use leaves::Leaves;
use marked::Marked;
use packed::Packed;
use plain::Plain;

/// Trees, ready to be walked, and what their leaves say of each target.
#[derive(Debug)]
pub(crate) struct Ensemble<T> {
    /// Where enough rows come together, trees of few leaves need no walk.
    marked: Option<Marked>,
    walk: Walk<T>,
    leaves: Leaves<T>,
    /// The columns of a row that are looked at: the highest of any test, and one more.
    columns: usize,
}

#[derive(Debug)]
enum Walk<T> {
    Packed(Packed),
    Plain(Plain<T>),
}

impl<T: Float> Ensemble<T> {
    /// Grows trees. Of `whole` ones, every sum on the way is cut to a whole number.
    ///
    /// # Errors
    /// The nodes are no trees, in words.
    pub fn new(growth: &Growth<T>, aggregate: Aggregate, whole: bool) -> Result<Ensemble<T>, String> {
        let grown = growth.check()?;
        let walk = match Packed::of(growth, &grown) {
            Some(packed) => Walk::Packed(packed),
            None => Walk::Plain(Plain::of(growth, &grown)),
        };
        let leaves = Leaves::of(growth, &grown, aggregate, whole);
        Ok(Ensemble { marked: Marked::of(growth, &grown), walk, leaves, columns: growth.columns() })
    }

    /// Returns how many columns a row must have at least.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Adds up what the trees say of each row: `scores` has a number for each row and target, and is overwritten.
    pub fn score(&self, rows: &[T], width: usize, scores: &mut [T]) {
        let (targets, width) = (self.leaves.targets(), width.max(1));
        let (mut rows, mut scores) = (rows, scores);
        while !rows.is_empty() {
            let count = self.block(rows.len() / width);
            let (of_block, scores_of_block);
            (of_block, rows) = rows.split_at((count * width).min(rows.len()));
            (scores_of_block, scores) = scores.split_at_mut(count * targets);
            self.score_block(of_block, width, scores_of_block);
        }
    }

    /// Returns how many of so many rows are taken next. A few that would be marked alone are left to be walked.
    fn block(&self, rows: usize) -> usize {
        match rows {
            BLOCK.. => BLOCK,
            _ if self.marked.is_some() && rows > marked::LANES && rows % marked::LANES < marked::WORTH => {
                rows - rows % marked::LANES
            }
            _ => rows.max(1),
        }
    }

    fn score_block(&self, rows: &[T], width: usize, scores: &mut [T]) {
        let mut sums = self.leaves.begin(scores);
        match (&self.marked, &self.walk) {
            (Some(marked), _) if rows.len() >= marked::WORTH * width => {
                let add = |tree, first, places: &[u16]| self.leaves.add(&mut sums, tree, first, places);
                marked.mark(T::as_f32s(rows), width, add);
            }
            (_, Walk::Packed(packed)) => {
                packed.walk(T::as_f32s(rows), width, |tree, places| self.leaves.add(&mut sums, tree, 0, places));
            }
            (_, Walk::Plain(plain)) => {
                plain.walk(rows, width, |tree, places| self.leaves.add(&mut sums, tree, 0, places));
            }
        }
        self.leaves.end(sums);
    }
}

/// Rows that are taken through all trees together: a tree stays in the nearest cache for as many.
const BLOCK: usize = 64;

#[cfg(test)]
mod tests;
