//! What leaves say, added up by target.

use super::{
    grow::{Grown, Growth, Node},
    test::Float,
};

/// How what several trees say of a target becomes one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// What the leaves of all trees say.
#[derive(Debug)]
pub(super) struct Leaves<T> {
    aggregate: Aggregate,
    /// Every sum on the way is cut to a whole number.
    whole: bool,
    targets: usize,
    trees: Vec<OfTree<T>>,
}

/// What the leaves of one tree say, by the place of a node in its order.
#[derive(Debug)]
enum OfTree<T> {
    /// Of one target alone: how much.
    One { target: usize, values: Vec<T> },
    /// Of all targets: which of the leaves, and what each says.
    All { leaf: Vec<u32>, values: Vec<T> },
    /// Of some targets, some of them perhaps twice.
    Some { ranges: Vec<(u32, u32)>, weights: Vec<(u32, T)> },
}

/// The numbers of a block of rows while they are added up.
pub(super) struct Sums<'a, T> {
    scores: &'a mut [T],
    /// Whether anything was said yet; only where the first word is not added to zero.
    said: Vec<bool>,
}

impl<T: Float> Leaves<T> {
    pub fn of(growth: &Growth<T>, grown: &Grown, aggregate: Aggregate, whole: bool) -> Leaves<T> {
        let said = |place: usize| match &growth.nodes[place] {
            Node::Leaf { from, to } => &growth.weights[*from..*to],
            Node::Inner { .. } => &[],
        };
        let adds = !whole && matches!(aggregate, Aggregate::Sum | Aggregate::Average);
        let trees = grown.trees.iter().map(|tree| {
            let leaves = || tree.order.iter().map(|place| said(*place)).filter(|said| !said.is_empty());
            let target = leaves().next().map_or(0, |said| said[0].0);
            if adds && leaves().all(|said| said.len() == 1 && said[0].0 == target) {
                let value = |place: &usize| said(*place).first().map_or(T::ZERO, |(_, value)| *value);
                return OfTree::One { target, values: tree.order.iter().map(value).collect() };
            }
            let whole = |said: &[(usize, T)]| {
                said.len() == growth.targets && said.iter().enumerate().all(|(place, (target, _))| place == *target)
            };
            if adds && leaves().all(whole) {
                // A leaf that says nothing says zero of all.
                let mut values = vec![T::ZERO; growth.targets];
                let mut leaf = Vec::with_capacity(tree.order.len());
                for place in &tree.order {
                    let said = said(*place);
                    leaf.push(if said.is_empty() { 0 } else { (values.len() / growth.targets) as u32 });
                    values.extend(said.iter().map(|(_, value)| *value));
                }
                return OfTree::All { leaf, values };
            }
            let (mut ranges, mut weights) = (Vec::with_capacity(tree.order.len()), Vec::new());
            for place in &tree.order {
                let from = weights.len() as u32;
                weights.extend(said(*place).iter().map(|(target, value)| (*target as u32, *value)));
                ranges.push((from, weights.len() as u32));
            }
            OfTree::Some { ranges, weights }
        });
        Leaves { aggregate, whole, targets: growth.targets, trees: trees.collect() }
    }

    pub fn targets(&self) -> usize {
        self.targets
    }

    /// Begins with nothing said of a block's rows.
    pub fn begin<'a>(&self, scores: &'a mut [T]) -> Sums<'a, T> {
        scores.fill(T::ZERO);
        let first_counts = matches!(self.aggregate, Aggregate::Min | Aggregate::Max);
        Sums { said: vec![false; if first_counts { scores.len() } else { 0 }], scores }
    }

    /// Adds what a tree says of each row from `first` on: the leaves at these places of its order.
    pub fn add<P: Copy + Into<usize>>(&self, sums: &mut Sums<'_, T>, tree: usize, first: usize, places: &[P]) {
        let first = first * self.targets;
        match &self.trees[tree] {
            OfTree::One { values, .. } if self.targets == 1 => {
                let scores = sums.scores[first..].iter_mut().zip(places);
                scores.for_each(|(score, place)| *score = score.add(values[(*place).into()]));
            }
            OfTree::One { target, values } => {
                for (scores, place) in sums.scores[first..].chunks_exact_mut(self.targets).zip(places) {
                    scores[*target] = scores[*target].add(values[(*place).into()]);
                }
            }
            OfTree::All { leaf, values } => {
                let scores = &mut sums.scores[first..];
                match self.targets {
                    2 => add_all::<T, P, 2>(scores, leaf, values, places),
                    3 => add_all::<T, P, 3>(scores, leaf, values, places),
                    4 => add_all::<T, P, 4>(scores, leaf, values, places),
                    targets => {
                        for (scores, place) in scores.chunks_exact_mut(targets).zip(places) {
                            let said = &values[leaf[(*place).into()] as usize * targets..][..targets];
                            scores.iter_mut().zip(said).for_each(|(score, value)| *score = score.add(*value));
                        }
                    }
                }
            }
            OfTree::Some { ranges, weights } => {
                for (row, place) in places.iter().enumerate() {
                    let (from, to) = ranges[(*place).into()];
                    for (target, value) in &weights[from as usize..to as usize] {
                        self.say(sums, first + row * self.targets + *target as usize, *value);
                    }
                }
            }
        }
    }

    fn say(&self, sums: &mut Sums<'_, T>, place: usize, value: T) {
        let score = &mut sums.scores[place];
        match self.aggregate {
            Aggregate::Sum | Aggregate::Average => *score = score.add(value),
            Aggregate::Min | Aggregate::Max => {
                let before = std::mem::replace(&mut sums.said[place], true);
                let better = if self.aggregate == Aggregate::Min { value < *score } else { value > *score };
                if !before || better {
                    *score = value;
                }
            }
        }
        if self.whole {
            *score = score.whole();
        }
    }

    /// Ends a block.
    pub fn end(&self, sums: Sums<'_, T>) {
        if self.aggregate == Aggregate::Average {
            let average = |score: T| score.divided(self.trees.len().max(1));
            let average = |score: T| if self.whole { average(score).whole() } else { average(score) };
            sums.scores.iter_mut().for_each(|score| *score = average(*score));
        }
    }
}

/// Adds what leaves say of so many targets, a number the compiler knows.
fn add_all<T: Float, P: Copy + Into<usize>, const N: usize>(
    scores: &mut [T],
    leaf: &[u32],
    values: &[T],
    places: &[P],
) {
    let values = values.as_chunks::<N>().0;
    for (scores, place) in scores.as_chunks_mut::<N>().0.iter_mut().zip(places) {
        let said = &values[leaf[(*place).into()] as usize];
        scores.iter_mut().zip(said).for_each(|(score, value)| *score = score.add(*value));
    }
}
