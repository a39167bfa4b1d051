//! `TreeEnsembleClassifier`.

use std::sync::Arc;

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
    trees::Aggregate,
};

/// Gives the label and the scores of each class.
///
/// Of two classes, leaves mostly speak of one alone. Then the label depends on the score: above 0.5 where no weight is
/// negative, else above 0. As in onnxruntime, two classes that leaves speak of both are told apart by the second's score
/// alone, above 0; with base values for both, the second's score is the first's and its base value.
#[derive(Debug)]
struct Classifier {
    forest: Forest,
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
    // Of a classifier of one label leaves may speak of the class that has none.
    let growth = nodes::read(attributes, "class", classes.len())?;
    let mut spoken = vec![false; classes.len()];
    growth.weights.iter().for_each(|(class, _)| spoken[*class] = true);
    let positive = growth.weights.iter().all(|(_, weight)| *weight >= 0.0);
    let (base, _) = numbers(attributes, "base_values")?;
    let transform = PostTransform::read(attributes.string("post_transform")?.as_deref())?;
    let forest = Forest::new(growth, Aggregate::Sum);
    Ok(Arc::new(Classifier { forest, classes, base, transform, spoken, positive }))
}

impl Classifier {
    /// Finishes the scores of all rows: the place of each row's class, and its scores.
    fn decide<T: Score>(&self, scores: &[T]) -> (Vec<usize>, Vec<f32>) {
        let count = self.classes.len();
        let mut places = Vec::with_capacity(scores.len() / count);
        let mut finished = Vec::with_capacity(scores.len());
        for row in scores.chunks_exact(count) {
            places.push(match row {
                [first, second] => self.of_two(*first, *second, &mut finished),
                row => self.of_many(row, &mut finished),
            });
        }
        (places, finished)
    }

    fn base<T: Score>(&self, class: usize) -> T {
        self.base.get(class).map_or(T::ZERO, |base| T::of(*base))
    }

    fn of_many<T: Score>(&self, row: &[T], finished: &mut Vec<f32>) -> usize {
        let mut best: Option<(usize, T)> = None;
        let from = finished.len();
        for (class, score) in row.iter().enumerate() {
            let based = class < self.base.len();
            let score = if based { score.add(self.base(class)) } else { *score };
            finished.push(score.rounded());
            if (self.spoken[class] || based) && best.is_none_or(|(_, highest)| score > highest) {
                best = Some((class, score));
            }
        }
        self.transform.apply(&mut finished[from..]);
        best.map_or(0, |(class, _)| class)
    }

    fn of_two<T: Score>(&self, first: T, second: T, finished: &mut Vec<f32>) -> usize {
        let one_alone = self.spoken[0] != self.spoken[1];
        // What is spoken of alone is the score of the second class, whatever its number.
        let alone = if self.spoken[1] { second } else { first };
        if one_alone && self.base.len() == 2 {
            let score = alone.add(self.base(1));
            let scores = [-score.rounded(), score.rounded()];
            return self.write_both(scores, self.above(score), finished);
        }
        if one_alone || !self.spoken[1] {
            let score = if self.base.len() == 1 { alone.add(self.base(0)) } else { alone };
            let other = if self.positive { Other::Complement } else { Other::Negation };
            finished.extend(self.transform.both(score.rounded(), other));
            return usize::from(self.above(score));
        }
        let (first, second) = match self.base.len() {
            2 => (first.add(self.base(0)), second.add(self.base(1))),
            1 => (first.add(self.base(0)), second),
            _ => (first, second),
        };
        self.write_both([first.rounded(), second.rounded()], second > T::ZERO, finished)
    }

    /// Tells whether the score of the only class that leaves speak of makes it the row's.
    fn above<T: Score>(&self, score: T) -> bool {
        score > if self.positive { T::of(0.5) } else { T::ZERO }
    }

    fn write_both(&self, mut scores: [f32; 2], is_second: bool, finished: &mut Vec<f32>) -> usize {
        self.transform.apply(&mut scores);
        finished.extend(scores);
        usize::from(is_second)
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
        let (places, scores) = match self.forest.score(*input)? {
            Scores::Single(scores) => self.decide(&scores),
            Scores::Double(scores) => self.decide(&scores),
        };
        let rows = places.len();
        Ok(vec![self.classes.of(&places), Array { shape: vec![rows, self.classes.len()], data: Data::F32(scores) }])
    }
}
