//! Trees of `x <= t` and of sets of small whole numbers, eight bytes a node, walked eight at a time.
//!
//! A leaf leads to itself: it asks for a column that is always zero, which is at most infinity. So a walk needs no branch, and
//! all of a tree's walks take as many steps as its depth, or until none moves any more.

use super::{
    BLOCK,
    grow::{Grown, Growth, Node},
    test::{Among, AtMost, Float, Test},
};

/// Walks that go on at the same time.
const LANES: usize = 8;

#[derive(Debug)]
pub(super) struct Packed {
    nodes: Vec<Step>,
    sets: Vec<Set>,
    trees: Vec<Tree>,
    /// Columns of a row that are looked at. The zero stands behind them.
    columns: usize,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    /// Or, in its bits, the place of a set.
    threshold: f32,
    /// The column, and above it whether it is a set, and whether NaN goes to the first child.
    column: u16,
    /// The first child's place in the tree; the second stands behind it.
    children: u16,
}

#[derive(Clone, Copy, Debug)]
struct Tree {
    start: u32,
    depth: u32,
}

/// Which numbers go to the first child.
#[derive(Clone, Copy, Debug)]
struct Set {
    /// Of the whole ones from 0 to 127: a bit each.
    small: u128,
    /// All others.
    others: bool,
}

const NAN_FIRST: u16 = 1 << 15;
const IN_SET: u16 = 1 << 14;

impl Packed {
    /// Packs trees; none if a test cannot be written so, or something has no room in eight bytes.
    pub fn of<T: Float>(growth: &Growth<T>, grown: &Grown) -> Option<Packed> {
        T::ZERO.to_f32()?;
        let columns = growth.columns();
        let zero = u16::try_from(columns).ok().filter(|zero| *zero < NAN_FIRST)?;
        let (mut nodes, mut sets, mut trees) = (Vec::new(), Vec::new(), Vec::with_capacity(grown.trees.len()));
        for tree in &grown.trees {
            trees.push(Tree { start: u32::try_from(nodes.len()).ok()?, depth: u32::try_from(tree.depth).ok()? });
            for (place, children) in tree.order.iter().zip(&tree.children) {
                let children = u16::try_from(*children).ok()?;
                nodes.push(match &growth.nodes[*place] {
                    Node::Leaf { .. } => Step { threshold: f32::INFINITY, column: zero, children },
                    Node::Inner { column, test, nan_passes, .. } => {
                        let (threshold, kind, nan) = match AtMost::of(test, *nan_passes) {
                            Some(AtMost { threshold, nan }) => (threshold, 0, nan),
                            None => {
                                // Its bit is one of the column's.
                                let (set, nan) = Set::of(test, *nan_passes).filter(|_| zero < IN_SET)?;
                                sets.push(set);
                                (f32::from_bits(u32::try_from(sets.len() - 1).ok()?), IN_SET, nan)
                            }
                        };
                        let nan = if nan { NAN_FIRST } else { 0 };
                        Step { threshold, column: *column as u16 | kind | nan, children }
                    }
                });
            }
        }
        Some(Packed { nodes, sets, trees, columns })
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
        let sets = !self.sets.is_empty();
        let nan = sets || block.iter().any(|x| x.is_nan());
        match (count < LANES, nan, sets) {
            (true, false, _) => self.trees_at_once::<false, false>(&block, count, ends),
            (true, true, false) => self.trees_at_once::<true, false>(&block, count, ends),
            (true, true, true) => self.trees_at_once::<true, true>(&block, count, ends),
            (false, false, _) => self.rows_at_once::<false, false>(&block, count, ends),
            (false, true, false) => self.rows_at_once::<true, false>(&block, count, ends),
            (false, true, true) => self.rows_at_once::<true, true>(&block, count, ends),
        }
    }

    /// Takes eight rows down one tree.
    fn rows_at_once<const NAN: bool, const SETS: bool>(
        &self,
        block: &[f32],
        count: usize,
        mut ends: impl FnMut(usize, &[u16]),
    ) {
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
                        let x = rows[lane * stride + step.column::<SETS>()];
                        let next = step.next::<NAN, SETS>(x, &self.sets);
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
    fn trees_at_once<const NAN: bool, const SETS: bool>(
        &self,
        block: &[f32],
        count: usize,
        mut ends: impl FnMut(usize, &[u16]),
    ) {
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
                        let next = step.next::<NAN, SETS>(x[step.column::<SETS>()], &self.sets);
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

impl Set {
    /// Writes a test so, if its members are all small and whole; with where NaN goes.
    fn of<T: Float>(test: &Test<T>, nan_passes: bool) -> Option<(Set, bool)> {
        let among = Among::of(test, nan_passes)?;
        let mut small = 0;
        for member in &among.members {
            small |= 1 << Set::place(*member)?;
        }
        let small = if among.first { small } else { !small };
        Some((Set { small, others: !among.first }, among.nan == among.first))
    }

    fn place(x: f32) -> Option<u8> {
        // What is too small or too large becomes 0 or 255, which it is not.
        let place = x as u8;
        (f32::from(place) == x && place < 128).then_some(place)
    }

    #[inline(always)]
    fn first(self, x: f32) -> bool {
        Set::place(x).map_or(self.others, |place| self.small >> place & 1 == 1)
    }
}

impl Step {
    #[inline(always)]
    fn column<const SETS: bool>(self) -> usize {
        usize::from(self.column & if SETS { IN_SET - 1 } else { NAN_FIRST - 1 })
    }

    #[inline(always)]
    fn next<const NAN: bool, const SETS: bool>(self, x: f32, sets: &[Set]) -> u16 {
        let second = if SETS && self.column & IN_SET != 0 {
            !if x.is_nan() { self.column & NAN_FIRST != 0 } else { sets[self.threshold.to_bits() as usize].first(x) }
        } else if NAN {
            let past = x > self.threshold;
            let nan_second = x.is_nan() & (self.column & NAN_FIRST == 0);
            past | nan_second
        } else {
            x > self.threshold
        };
        self.children + u16::from(second)
    }
}
