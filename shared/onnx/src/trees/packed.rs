//! Trees of `x <= t`, eight bytes a node, walked eight at a time.
//!
//! A leaf leads to itself: it asks for a column that is always zero, which is at most infinity. So a walk needs no branch, and
//! all of a tree's walks take as many steps as its depth, or until none moves any more.

use super::{
    BLOCK,
    grow::{Grown, Growth, Node},
    test::{AtMost, Float},
};

/// Walks that go on at the same time.
const LANES: usize = 8;

#[derive(Debug)]
pub(super) struct Packed {
    nodes: Vec<Step>,
    trees: Vec<Tree>,
    /// Columns of a row that are looked at. The zero stands behind them.
    columns: usize,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    threshold: f32,
    /// The column, and above it whether NaN goes to the first child.
    column: u16,
    /// The first child's place in the tree; the second stands behind it.
    children: u16,
}

#[derive(Clone, Copy, Debug)]
struct Tree {
    start: u32,
    depth: u32,
}

const NAN_FIRST: u16 = 1 << 15;

impl Packed {
    /// Packs trees; none if a test cannot be written so, or something has no room in eight bytes.
    pub fn of<T: Float>(growth: &Growth<T>, grown: &Grown) -> Option<Packed> {
        T::ZERO.to_f32()?;
        let columns = growth.columns();
        let zero = u16::try_from(columns).ok().filter(|zero| *zero < NAN_FIRST)?;
        let (mut nodes, mut trees) = (Vec::new(), Vec::with_capacity(grown.trees.len()));
        for tree in &grown.trees {
            trees.push(Tree { start: u32::try_from(nodes.len()).ok()?, depth: u32::try_from(tree.depth).ok()? });
            for (place, children) in tree.order.iter().zip(&tree.children) {
                let children = u16::try_from(*children).ok()?;
                nodes.push(match &growth.nodes[*place] {
                    Node::Leaf { .. } => Step { threshold: f32::INFINITY, column: zero, children },
                    Node::Inner { column, test, nan_passes, .. } => {
                        let AtMost { threshold, nan, .. } = AtMost::of(test, *nan_passes)?;
                        let nan = if nan { NAN_FIRST } else { 0 };
                        Step { threshold, column: *column as u16 | nan, children }
                    }
                });
            }
        }
        Some(Packed { nodes, trees, columns })
    }

    /// Tells of each tree the places of the leaves that the rows of a block end in.
    pub fn walk(&self, rows: &[f32], width: usize, ends: impl FnMut(usize, &[u16])) {
        let count = rows.len() / width.max(1);
        let stride = self.columns + 1;
        // Rows of zeros fill up the last eight.
        let mut block = vec![0.0_f32; count.next_multiple_of(LANES) * stride];
        for (row, to) in rows.chunks_exact(width.max(1)).zip(block.chunks_exact_mut(stride)) {
            to[..self.columns].copy_from_slice(&row[..self.columns]);
        }
        let nan = block.iter().any(|x| x.is_nan());
        match (count < LANES, nan) {
            (true, false) => self.trees_at_once::<false>(&block, count, ends),
            (true, true) => self.trees_at_once::<true>(&block, count, ends),
            (false, false) => self.rows_at_once::<false>(&block, count, ends),
            (false, true) => self.rows_at_once::<true>(&block, count, ends),
        }
    }

    /// Takes eight rows down one tree.
    fn rows_at_once<const NAN: bool>(&self, block: &[f32], count: usize, mut ends: impl FnMut(usize, &[u16])) {
        let stride = self.columns + 1;
        let mut places = [0_u16; BLOCK];
        for (number, tree) in self.trees.iter().enumerate() {
            let nodes = self.nodes_of(number, tree);
            for (rows, places) in block.chunks_exact(LANES * stride).zip(places.chunks_exact_mut(LANES)) {
                let mut at = [0_u16; LANES];
                for _ in 0..tree.depth {
                    let mut moved = 0;
                    for (lane, at) in at.iter_mut().enumerate() {
                        let step = nodes[usize::from(*at)];
                        let x = rows[lane * stride + step.column::<NAN>()];
                        let next = step.next::<NAN>(x);
                        moved |= next ^ *at;
                        *at = next;
                    }
                    if moved == 0 {
                        break;
                    }
                }
                places.copy_from_slice(&at);
            }
            ends(number, &places[..count]);
        }
    }

    /// Takes one row down eight trees.
    fn trees_at_once<const NAN: bool>(&self, block: &[f32], count: usize, mut ends: impl FnMut(usize, &[u16])) {
        let stride = self.columns + 1;
        let mut places = [[0_u16; LANES]; LANES];
        for (first, trees) in self.trees.chunks(LANES).enumerate() {
            let mut of: [&[Step]; LANES] = [&[]; LANES];
            for (lane, tree) in trees.iter().enumerate() {
                of[lane] = self.nodes_of(first * LANES + lane, tree);
            }
            let depth = trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
            for (row, x) in block.chunks_exact(stride).take(count).enumerate() {
                let mut at = [0_u16; LANES];
                for _ in 0..depth {
                    let mut moved = 0;
                    for (at, nodes) in at.iter_mut().zip(&of).take(trees.len()) {
                        let step = nodes[usize::from(*at)];
                        let next = step.next::<NAN>(x[step.column::<NAN>()]);
                        moved |= next ^ *at;
                        *at = next;
                    }
                    if moved == 0 {
                        break;
                    }
                }
                at.iter().zip(&mut places).for_each(|(at, places)| places[row] = *at);
            }
            for (lane, places) in places.iter().enumerate().take(trees.len()) {
                ends(first * LANES + lane, &places[..count]);
            }
        }
    }

    fn nodes_of(&self, number: usize, tree: &Tree) -> &[Step] {
        let end = self.trees.get(number + 1).map_or(self.nodes.len(), |next| next.start as usize);
        &self.nodes[tree.start as usize..end]
    }
}

impl Step {
    #[inline(always)]
    fn column<const NAN: bool>(self) -> usize {
        usize::from(self.column & !NAN_FIRST)
    }

    #[inline(always)]
    fn next<const NAN: bool>(self, x: f32) -> u16 {
        let second = if NAN {
            let past = x > self.threshold;
            let nan_second = x.is_nan() & (self.column & NAN_FIRST == 0);
            past | nan_second
        } else {
            x > self.threshold
        };
        self.children + u16::from(second)
    }
}
