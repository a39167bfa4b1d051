//! `TreeEnsembleClassifier`.

use std::{collections::HashSet, sync::Arc};

use tract_onnx::prelude::{DatumType, ToDim};

use super::{
    forest::{Forest, Score, Scores},
    nodes, numbers,
};
use crate::{
    ml::{
        array::{Array, Data, View},
        attributes::Attributes,
        labels::Labels,
        operator::{Fact, Operator},
        post_transform::{Other, PostTransform},
    },
    trees::{Aggregate, Growth, Node},
};

/// Gives the label and the scores of each class.
///
/// As in onnxruntime, a class has no score where no leaf that a row ends in speaks of it. Of many classes the label is the one of
/// those that have a score, or a base value. Of two it is the second if its score, or that of the first where it has none, is above 0:
/// above 0.5 if all leaves speak of one class alone and no weight is negative. A first class alone is written as
/// `[1 - score, score]` then, else as `[-score, score]`. With base values for both, the second's score is the first's and the
/// second's base value. One label is 1 or 0, whatever it is called. Labels of two classes are those of the model also where
/// onnxruntime writes 1 and 0.
#[derive(Debug)]
struct Classifier {
    forest: Forest,
    /// Counts the leaves that speak of each class, where that is not the same for all rows.
    counts: Option<Forest>,
    classes: Labels,
    base: Vec<f64>,
    transform: PostTransform,
    /// Which classes leaves speak of.
    spoken: Vec<bool>,
    /// No leaf has a negative weight.
    positive: bool,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html>
pub(in crate::ml) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let classes = Labels::read(attributes, "classlabels_int64s")?;
    if classes.len() == 0 {
        return Err("it has no class labels".to_owned());
    }
    let growth = nodes::read(attributes, "class", classes.len())?;
    let mut spoken = vec![false; classes.len()];
    growth.weights.iter().for_each(|(class, _)| spoken[*class] = true);
    let positive = growth.weights.iter().all(|(_, weight)| *weight >= 0.0);
    let (base, _) = numbers(attributes, "base_values")?;
    let transform = PostTransform::read(attributes.string("post_transform")?.as_deref())?;
    // Of many classes, one without a score is never above those that are not negative.
    let matters = classes.len() == 2 || (classes.len() > 2 && !positive);
    let counts = (matters && always_spoken(&growth) != spoken).then(|| {
        let weights = growth.weights.iter().map(|(class, _)| (*class, 1.0)).collect();
        let (nodes, roots) = (growth.nodes.clone(), growth.roots.clone());
        Forest::new(Growth { nodes, roots, weights, targets: growth.targets }, Aggregate::Sum)
    });
    let forest = Forest::new(growth, Aggregate::Sum);
    Ok(Arc::new(Classifier { forest, counts, classes, base, transform, spoken, positive }))
}

/// Returns the classes that all leaves of some tree speak of, so that each row has a score for them.
fn always_spoken(growth: &Growth<f64>) -> Vec<bool> {
    let mut always = vec![false; growth.targets];
    // Whether these are trees at all is checked later.
    let mut seen = vec![false; growth.nodes.len()];
    for root in &growth.roots {
        let (mut ahead, mut common) = (vec![*root], None::<HashSet<usize>>);
        while let Some(place) = ahead.pop() {
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            match &growth.nodes[place] {
                Node::Inner { yes, no, .. } => ahead.extend([*yes, *no]),
                Node::Leaf { from, to } => {
                    let said: HashSet<usize> = growth.weights[*from..*to].iter().map(|(class, _)| *class).collect();
                    match &mut common {
                        Some(common) => common.retain(|class| said.contains(class)),
                        None => common = Some(said),
                    }
                }
            }
        }
        common.into_iter().flatten().for_each(|class| always[class] = true);
    }
    always
}

impl Classifier {
    /// Finishes the scores of all rows: the place of each row's class, and its scores. `said` is which of them leaves gave.
    fn decide<T: Score>(&self, scores: &[T], said: Option<&[bool]>) -> (Vec<usize>, Vec<f32>) {
        let count = self.classes.len();
        let mut places = Vec::with_capacity(scores.len() / count);
        let mut finished = Vec::with_capacity(scores.len());
        for (place, row) in scores.chunks_exact(count).enumerate() {
            let said = said.map_or(&self.spoken[..], |said| &said[place * count..][..count]);
            places.push(match row {
                [first, second] => self.of_two((*first, said[0]), (*second, said[1]), &mut finished),
                row => self.of_many(row, said, &mut finished),
            });
        }
        if count != 2 {
            self.transform.apply(&mut finished, count);
        }
        (places, finished)
    }

    fn base<T: Score>(&self, class: usize) -> T {
        self.base.get(class).map_or(T::ZERO, |base| T::of(*base))
    }

    fn of_many<T: Score>(&self, row: &[T], said: &[bool], finished: &mut Vec<f32>) -> usize {
        let mut best: Option<(usize, T)> = None;
        for (class, score) in row.iter().enumerate() {
            let based = class < self.base.len();
            let score = if based { score.add(self.base(class)) } else { *score };
            finished.push(score.rounded());
            if (said[class] || based) && best.is_none_or(|(_, highest)| score > highest) {
                best = Some((class, score));
            }
        }
        match best {
            Some((_, score)) if row.len() == 1 => usize::from(score > T::ZERO),
            best => best.map_or(0, |(class, _)| class),
        }
    }

    /// Takes both scores, and whether leaves gave them.
    fn of_two<T: Score>(&self, first: (T, bool), second: (T, bool), finished: &mut Vec<f32>) -> usize {
        let one_alone = self.spoken[0] != self.spoken[1];
        let positive = one_alone && self.positive;
        let above = |score: T| usize::from(score > if positive { T::of(0.5) } else { T::ZERO });
        let base = |score: T, said: bool| if said { score.add(self.base(0)) } else { score };
        let mut write = |mut scores: [f32; 2]| {
            self.transform.apply(&mut scores, 2);
            finished.extend(scores);
        };
        match (self.base.len(), first, second) {
            (2, (first, said), (_, true)) => {
                let score = first.add(self.base(1));
                write([if said { -score.rounded() } else { 0.0 }, score.rounded()]);
                above(score)
            }
            (2, (first, said), _) => {
                let score = base(first, said);
                write([score.rounded(), 0.0]);
                above(score)
            }
            (bases, (first, said), (second, true)) => {
                let first = base(first, said && bases == 1);
                write([first.rounded(), second.rounded()]);
                above(second)
            }
            (bases, (first, said), _) => {
                let score = base(first, said && bases == 1);
                let other = if positive { Other::Complement } else { Other::Negation };
                finished.extend(self.transform.both(score.rounded(), other));
                above(score)
            }
        }
    }
}

impl Operator for Classifier {
    fn name(&self) -> &'static str {
        "TreeEnsembleClassifier"
    }

    fn outputs(&self) -> usize {
        2
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        self.forest.check(input.dtype, input.columns())?;
        let scores = Fact::new(DatumType::F32, [input.rows(), self.classes.len().to_dim()]);
        Ok(vec![Fact::new(self.classes.dtype(), [input.rows()]), scores])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let counts = self.counts.as_ref().map(|counts| counts.score(*input)).transpose()?;
        let said: Option<Vec<bool>> = counts.map(|counts| match counts {
            Scores::Single(counts) => counts.iter().map(|count| *count > 0.0).collect(),
            Scores::Double(counts) => counts.iter().map(|count| *count > 0.0).collect(),
        });
        let (places, scores) = match self.forest.score(*input)? {
            Scores::Single(scores) => self.decide(&scores, said.as_deref()),
            Scores::Double(scores) => self.decide(&scores, said.as_deref()),
        };
        let rows = places.len();
        let labels =
            if self.classes.len() == 1 { self.classes.zero_and_one().of(&places) } else { self.classes.of(&places) };
        Ok(vec![labels, Array { shape: vec![rows, self.classes.len()], data: Data::F32(scores) }])
    }
}
