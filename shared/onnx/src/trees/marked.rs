//! Trees of few leaves, without walking: QuickScorer, <https://doi.org/10.1145/2766462.2767733>.
//!
//! The leaves of a tree are the bits of a few words. Each test, whatever node it is of, strikes out the leaves of one child if it
//! sends the row to the other: of `x <= t` those of the first if `x` is above, of a set those a member does not go to. That child's
//! leaves are the lower bits. Once all tests that do so have struck, the lowest bit left is the leaf the row ends in. Tests of
//! one column are sorted by threshold, so that those that strike come first, and a word of many rows is struck at once.

use std::{collections::BTreeMap, ops::Range};

use super::{
    grow::{Grown, GrownTree, Growth, Node},
    test::{Among, AtMost, Float},
};

/// Rows that are looked at together.
pub(super) const LANES: usize = 32;
/// Rows from which on this is faster than walking.
pub(super) const WORTH: usize = 16;
/// Leaves of a word.
const BITS: usize = u16::BITS as usize;
const MOST_WORDS: usize = 4;

#[derive(Debug)]
pub(super) struct Marked {
    columns: Vec<Column>,
    /// The leaves of each word that are there at all.
    words: Vec<u16>,
    trees: Vec<Tree>,
    /// The place of each leaf in its tree's order.
    leaves: Vec<u16>,
}

/// The tests of a column.
#[derive(Debug, Default)]
struct Column {
    number: usize,
    /// What a number above the threshold strikes, sorted by threshold.
    above: Vec<(f32, Strike)>,
    /// What a number of a set strikes, sorted by its [`key`].
    members: Vec<(u32, Vec<Strike>)>,
    /// What NaN strikes.
    nan: Vec<Strike>,
}

#[derive(Clone, Copy, Debug)]
struct Strike {
    word: u32,
    /// What is left of the word's leaves.
    left: u16,
}

#[derive(Debug)]
struct Tree {
    words: Range<usize>,
    leaves: Range<usize>,
}

/// What an inner node asks, as far as it can be struck by.
enum Cut {
    AtMost(AtMost),
    Among(Among),
}

impl Cut {
    fn of<T: Float>(node: &Node<T>) -> Option<Cut> {
        let Node::Inner { test, nan_passes, .. } = node else { return None };
        let at_most = AtMost::of(test, *nan_passes).map(Cut::AtMost);
        at_most.or_else(|| Among::of(test, *nan_passes).map(Cut::Among))
    }

    /// Returns the child that is struck out, 0 or 1.
    fn struck(&self) -> usize {
        usize::from(matches!(self, Cut::Among(Among { first: true, .. })))
    }
}

impl Marked {
    /// Arranges trees so; none if a test is of another kind, or a tree has too many leaves.
    pub fn of<T: Float>(growth: &Growth<T>, grown: &Grown) -> Option<Marked> {
        T::ZERO.to_f32()?;
        let mut columns: BTreeMap<usize, Column> = BTreeMap::new();
        let mut members: BTreeMap<usize, BTreeMap<u32, Vec<Strike>>> = BTreeMap::new();
        let (mut words, mut trees, mut leaves) = (Vec::new(), Vec::with_capacity(grown.trees.len()), Vec::new());
        for tree in &grown.trees {
            let cuts: Vec<Option<Cut>> = tree.order.iter().map(|node| Cut::of(&growth.nodes[*node])).collect();
            let below = below(tree, &cuts)?;
            let first_word = words.len();
            words.extend(strikes(&below[0], 0)?.iter().map(|strike| !strike.left));
            let mut places: Vec<u16> = Vec::new();
            for (place, (node, cut)) in tree.order.iter().zip(cuts).enumerate() {
                let (Node::Inner { column, .. }, Some(cut)) = (&growth.nodes[*node], cut) else {
                    places.push(u16::try_from(place).ok()?);
                    continue;
                };
                let strikes = strikes(&below[tree.children[place] + cut.struck()], first_word)?;
                let of = columns.entry(*column).or_default();
                let nan = match cut {
                    Cut::AtMost(AtMost { threshold, nan }) => {
                        of.above.extend(strikes.iter().map(|strike| (threshold, *strike)));
                        !nan
                    }
                    Cut::Among(among) => {
                        let members = members.entry(*column).or_default();
                        for member in among.members {
                            members.entry(key(member)).or_default().extend(&strikes);
                        }
                        among.nan
                    }
                };
                if nan {
                    of.nan.extend(strikes);
                }
            }
            places.sort_by_key(|place| below[usize::from(*place)].start);
            trees.push(Tree { words: first_word..words.len(), leaves: leaves.len()..leaves.len() + places.len() });
            leaves.extend(places);
        }
        let columns = columns.into_iter().map(|(number, mut of)| {
            of.number = number;
            of.above.sort_by(|a, b| a.0.total_cmp(&b.0));
            of.members = members.remove(&number).unwrap_or_default().into_iter().collect();
            of
        });
        let columns = columns.collect();
        Some(Marked { columns, words, trees, leaves })
    }

    /// Tells of each tree the places of the leaves that the rows of a block end in.
    pub fn mark(&self, rows: &[f32], width: usize, mut ends: impl FnMut(usize, usize, &[u16])) {
        let mut left = vec![[0_u16; LANES]; self.words.len()];
        for (group, rows) in rows.chunks(width * LANES).enumerate() {
            pulp::Arch::new().dispatch(Struck { marked: self, rows, width, left: &mut left });
            let count = rows.len() / width;
            for (number, tree) in self.trees.iter().enumerate() {
                let leaves = &self.leaves[tree.leaves.clone()];
                let mut places = [0_u16; LANES];
                for lane in 0..count {
                    let words = left[tree.words.clone()].iter().rev();
                    let all = words.fold(0_u64, |all, word| all << BITS | u64::from(word[lane]));
                    places[lane] = leaves[all.trailing_zeros() as usize];
                }
                ends(number, group * LANES, &places[..count]);
            }
        }
    }
}

/// Strikes out leaves for some rows; compiled for each kind of processor.
struct Struck<'a> {
    marked: &'a Marked,
    rows: &'a [f32],
    width: usize,
    left: &'a mut [[u16; LANES]],
}

impl pulp::NullaryFnOnce for Struck<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Struck { marked, rows, width, left } = self;
        for (left, leaves) in left.iter_mut().zip(&marked.words) {
            *left = [*leaves; LANES];
        }
        for column in &marked.columns {
            let mut x = [f32::NEG_INFINITY; LANES];
            let (mut highest, mut nan) = (f32::NEG_INFINITY, false);
            for (x, row) in x.iter_mut().zip(rows.chunks_exact(width)) {
                *x = row[column.number];
                highest = highest.max(*x);
                nan |= x.is_nan();
            }
            let strikes = column.above.partition_point(|(threshold, _)| *threshold < highest);
            for (threshold, strike) in &column.above[..strikes] {
                // Two loops, for the compiler to make vectors of both.
                let mut kept = [strike.left; LANES];
                for (kept, x) in kept.iter_mut().zip(&x) {
                    *kept |= if x > threshold { 0 } else { u16::MAX };
                }
                left[strike.word as usize].iter_mut().zip(&kept).for_each(|(left, kept)| *left &= kept);
            }
            if !column.members.is_empty() || nan {
                for (lane, x) in x.iter().enumerate() {
                    let found = column.members.binary_search_by_key(&key(*x), |(member, _)| *member);
                    let strikes =
                        if x.is_nan() { Some(&column.nan) } else { found.ok().map(|at| &column.members[at].1) };
                    strikes.into_iter().flatten().for_each(|strike| left[strike.word as usize][lane] &= strike.left);
                }
            }
        }
    }
}

/// Returns what is the same for equal numbers, and for these alone; NaN is asked about apart.
fn key(x: f32) -> u32 {
    // Adding zero makes of the two zeros one.
    (x + 0.0).to_bits()
}

/// Returns what is left of the words that a range of leaves is in, from that word on; none if there are too many words.
fn strikes(leaves: &Range<usize>, first: usize) -> Option<Vec<Strike>> {
    let words = leaves.start / BITS..leaves.end.div_ceil(BITS);
    let strike = |word: usize| {
        let (from, to) = (leaves.start.max(word * BITS) - word * BITS, leaves.end.min((word + 1) * BITS) - word * BITS);
        Some(Strike { word: u32::try_from(first + word).ok()?, left: !(u16::MAX >> (BITS - (to - from)) << from) })
    };
    words.map(strike).collect()
}

/// Returns for each node of a tree the leaves below it, children that are struck first; none if there are too many, or a node
/// cannot be struck by.
fn below(tree: &GrownTree, cuts: &[Option<Cut>]) -> Option<Vec<Range<usize>>> {
    let inner = |place: usize| tree.children[place] != place;
    let mut counts = vec![1_usize; tree.order.len()];
    for place in (0..tree.order.len()).rev().filter(|place| inner(*place)) {
        counts[place] = counts[tree.children[place]] + counts[tree.children[place] + 1];
    }
    if counts[0] > BITS * MOST_WORDS {
        return None;
    }
    let mut firsts = vec![0; tree.order.len()];
    for place in (0..tree.order.len()).filter(|place| inner(*place)) {
        let struck = cuts[place].as_ref()?.struck();
        let (lower, upper) = (tree.children[place] + struck, tree.children[place] + 1 - struck);
        firsts[lower] = firsts[place];
        firsts[upper] = firsts[place] + counts[lower];
    }
    Some(firsts.into_iter().zip(counts).map(|(first, count)| first..first + count).collect())
}
