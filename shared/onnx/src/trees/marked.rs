//! Trees of few leaves, without walking: QuickScorer, <https://doi.org/10.1145/2766462.2767733>.
//!
//! The leaves of a tree are the bits of a few words, the first leaf the lowest bit of the first. Each test, whatever node it is
//! of, strikes out the leaves that a row cannot reach if the test sends it to the second child. Once all tests that do so have
//! struck, the lowest bit left is the leaf the row ends in. Tests of one column are sorted by threshold, so that those that
//! strike come first, and a word of many rows is struck at once.

use std::ops::Range;

use super::{
    grow::{Grown, GrownTree, Growth, Node},
    test::{AtMost, Float},
};

/// Rows that are looked at together.
const LANES: usize = 32;
/// Rows from which on this is faster than walking.
pub(super) const WORTH: usize = 16;
/// Leaves of a word.
const BITS: usize = u16::BITS as usize;
const MOST_WORDS: usize = 4;

#[derive(Debug)]
pub(super) struct Marked {
    /// By column, and within it by threshold.
    tests: Vec<Strike>,
    columns: Vec<Column>,
    /// The leaves of each word that are there at all.
    words: Vec<u16>,
    trees: Vec<Tree>,
    /// The place of each leaf in its tree's order.
    leaves: Vec<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Strike {
    threshold: f32,
    word: u32,
    /// What is left of the word's leaves where the number is above the threshold.
    left: u16,
}

#[derive(Debug)]
struct Column {
    tests: Range<usize>,
    /// What NaN leaves of each word.
    nan: Vec<(u32, u16)>,
}

#[derive(Debug)]
struct Tree {
    words: Range<usize>,
    leaves: Range<usize>,
}

impl Marked {
    /// Arranges trees so; none if a test is not `x <= t`, or a tree has too many leaves.
    pub fn of<T: Float>(growth: &Growth<T>, grown: &Grown) -> Option<Marked> {
        let mut by_column: Vec<Vec<Strike>> = vec![Vec::new(); growth.columns()];
        let mut nan: Vec<Vec<(u32, u16)>> = vec![Vec::new(); growth.columns()];
        let (mut words, mut trees, mut leaves) = (Vec::new(), Vec::with_capacity(grown.trees.len()), Vec::new());
        for tree in &grown.trees {
            let below = below(tree)?;
            let first_word = words.len();
            words.extend(strikes(&below[0]).map(|(_, left)| !left));
            let mut places: Vec<u16> = Vec::new();
            for (place, (node, children)) in tree.order.iter().zip(&tree.children).enumerate() {
                let Node::Inner { column, test, nan_passes, .. } = &growth.nodes[*node] else {
                    places.push(u16::try_from(place).ok()?);
                    continue;
                };
                let AtMost { threshold, nan: nan_first } = AtMost::of(test, *nan_passes)?;
                for (word, left) in strikes(&below[*children]) {
                    let word = u32::try_from(first_word + word).ok()?;
                    by_column[*column].push(Strike { threshold, word, left });
                    if !nan_first {
                        nan[*column].push((word, left));
                    }
                }
            }
            places.sort_by_key(|place| below[usize::from(*place)].start);
            trees.push(Tree { words: first_word..words.len(), leaves: leaves.len()..leaves.len() + places.len() });
            leaves.extend(places);
        }
        let mut tests = Vec::new();
        let columns = by_column.into_iter().zip(nan).map(|(mut of, nan)| {
            of.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
            let start = tests.len();
            tests.extend(of);
            Column { tests: start..tests.len(), nan }
        });
        let columns = columns.collect();
        Some(Marked { tests, columns, words, trees, leaves })
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
        for (number, column) in marked.columns.iter().enumerate() {
            let mut x = [f32::NEG_INFINITY; LANES];
            let (mut highest, mut nan) = (f32::NEG_INFINITY, false);
            for (x, row) in x.iter_mut().zip(rows.chunks_exact(width)) {
                *x = row[number];
                highest = highest.max(row[number]);
                nan |= row[number].is_nan();
            }
            let tests = &marked.tests[column.tests.clone()];
            let strikes = tests.partition_point(|test| test.threshold < highest);
            for test in &tests[..strikes] {
                let left = &mut left[test.word as usize];
                for (left, x) in left.iter_mut().zip(&x) {
                    let kept = if *x > test.threshold { 0 } else { u16::MAX };
                    *left &= test.left | kept;
                }
            }
            if nan {
                for (lane, _) in x.iter().enumerate().filter(|(_, x)| x.is_nan()) {
                    column.nan.iter().for_each(|(word, of)| left[*word as usize][lane] &= of);
                }
            }
        }
    }
}

/// Returns the words that a range of leaves is in, and what is left of each without them.
fn strikes(leaves: &Range<usize>) -> impl Iterator<Item = (usize, u16)> {
    let (start, end) = (leaves.start, leaves.end);
    (start / BITS..end.div_ceil(BITS)).map(move |word| {
        let (from, to) = (start.max(word * BITS) - word * BITS, end.min((word + 1) * BITS) - word * BITS);
        (word, !(u16::MAX >> (BITS - (to - from)) << from))
    })
}

/// Returns for each node of a tree the leaves below it, counted from the first to the last child; none if there are too many.
fn below(tree: &GrownTree) -> Option<Vec<Range<usize>>> {
    let mut counts = vec![1_usize; tree.order.len()];
    for place in (0..tree.order.len()).rev().filter(|place| tree.children[*place] != *place) {
        counts[place] = counts[tree.children[place]] + counts[tree.children[place] + 1];
    }
    if counts[0] > BITS * MOST_WORDS {
        return None;
    }
    let mut firsts = vec![0; tree.order.len()];
    for place in 0..tree.order.len() {
        let (first, children) = (firsts[place], tree.children[place]);
        if children != place {
            firsts[children] = first;
            firsts[children + 1] = first + counts[children];
        }
    }
    Some(firsts.into_iter().zip(counts).map(|(first, count)| first..first + count).collect())
}
