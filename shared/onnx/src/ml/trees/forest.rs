//! An ensemble in the numbers its input has: 64-bit floats are compared as such, all others as 32-bit floats.

use std::sync::{Mutex, OnceLock, PoisonError};

use tract_onnx::prelude::DatumType;

use crate::{
    ml::array::{Slice, View, cells},
    trees::{Aggregate, Ensemble, Float, Growth, Node, Test},
};

/// The trees of a node. What numbers they compare is known when the node's input is.
#[derive(Debug)]
pub(super) struct Forest {
    /// Taken when it is grown.
    growth: Mutex<Option<Growth<f64>>>,
    aggregate: Aggregate,
    /// Of whole numbers, sums are whole too.
    whole: bool,
    grown: OnceLock<Result<Grown, String>>,
    targets: usize,
}

#[derive(Debug)]
enum Grown {
    Single(Ensemble<f32>),
    Double(Ensemble<f64>),
}

impl Forest {
    pub fn new(growth: Growth<f64>, aggregate: Aggregate) -> Forest {
        let targets = growth.targets;
        Forest { growth: Mutex::new(Some(growth)), aggregate, whole: false, grown: OnceLock::new(), targets }
    }

    /// Has sums of whole numbers be whole too.
    pub fn whole(self) -> Forest {
        Forest { whole: true, ..self }
    }

    pub fn targets(&self) -> usize {
        self.targets
    }

    fn grown(&self, dtype: DatumType) -> Result<&Grown, String> {
        let grow = || {
            let growth = self.growth.lock().unwrap_or_else(PoisonError::into_inner).take();
            let growth = growth.ok_or("its trees are gone")?;
            Ok(match dtype {
                DatumType::F64 => Grown::Double(Ensemble::new(&growth, self.aggregate, false)?),
                dtype => {
                    let whole = self.whole && dtype != DatumType::F32;
                    Grown::Single(Ensemble::new(&single(growth), self.aggregate, whole)?)
                }
            })
        };
        self.grown.get_or_init(grow).as_ref().map_err(Clone::clone)
    }

    /// Grows the trees for inputs of that type, and checks that these have all columns that are asked for.
    ///
    /// # Errors
    /// They are no trees, or ask for other columns.
    pub fn check(&self, dtype: DatumType, columns: Option<usize>) -> Result<(), String> {
        let asked = match self.grown(dtype)? {
            Grown::Single(ensemble) => ensemble.columns(),
            Grown::Double(ensemble) => ensemble.columns(),
        };
        match columns {
            Some(columns) if columns < asked => Err(format!("a tree asks for column {}, of {columns}", asked - 1)),
            _ => Ok(()),
        }
    }

    /// Scores each row: a number for each row and target.
    ///
    /// # Errors
    /// The rows are not like those the trees were grown for, or their scores are too many.
    pub fn score(&self, input: View<'_>) -> Result<Scores, String> {
        let (rows, columns) = input.matrix();
        self.check(input.dtype(), Some(columns))?;
        if columns == 0 {
            return Err("its input has no columns".to_owned());
        }
        match (self.grown(input.dtype())?, input.data) {
            (Grown::Double(ensemble), Slice::F64(data)) => {
                let mut scores = vec![0.0; cells(rows, self.targets)?];
                ensemble.score(data, columns, &mut scores);
                Ok(Scores::Double(scores))
            }
            (Grown::Single(ensemble), _) => {
                let mut scores = vec![0.0; cells(rows, self.targets)?];
                ensemble.score(&input.f32s()?, columns, &mut scores);
                Ok(Scores::Single(scores))
            }
            (Grown::Double(_), _) => Err("its input has another type than before".to_owned()),
        }
    }
}

/// A number for each row and target.
pub(super) enum Scores {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Numbers that scores are finished in.
pub(super) trait Score: Float {
    fn of(number: f64) -> Self;
    fn rounded(self) -> f32;
}

impl Score for f32 {
    fn of(number: f64) -> f32 {
        number as f32
    }

    fn rounded(self) -> f32 {
        self
    }
}

impl Score for f64 {
    fn of(number: f64) -> f64 {
        number
    }

    fn rounded(self) -> f32 {
        self as f32
    }
}

/// Writes trees in 32-bit floats.
fn single(growth: Growth<f64>) -> Growth<f32> {
    let test = |test| match test {
        Test::Always => Test::Always,
        Test::LessOrEqual(t) => Test::LessOrEqual(t as f32),
        Test::Less(t) => Test::Less(t as f32),
        Test::GreaterOrEqual(t) => Test::GreaterOrEqual(t as f32),
        Test::Greater(t) => Test::Greater(t as f32),
        Test::Equal(t) => Test::Equal(t as f32),
        Test::NotEqual(t) => Test::NotEqual(t as f32),
        Test::Member(set) => Test::Member(set.iter().map(|t: &f64| *t as f32).collect()),
    };
    let nodes = growth.nodes.into_iter().map(|node| match node {
        Node::Leaf { from, to } => Node::Leaf { from, to },
        Node::Inner { column, test: of, nan_passes, yes, no } => {
            Node::Inner { column, test: test(of), nan_passes, yes, no }
        }
    });
    Growth {
        nodes: nodes.collect(),
        roots: growth.roots,
        weights: growth.weights.into_iter().map(|(target, weight)| (target, weight as f32)).collect(),
        targets: growth.targets,
    }
}
