//! `SVMClassifier`.

use std::sync::Arc;

use tract_onnx::{prelude::DatumType, tract_core::internal::ToDim};

use super::{
    super::{
        array::{Array, Data, View, cells},
        attributes::Attributes,
        dot::dot,
        labels::{Labels, highest},
        operator::{Fact, Operator},
        post_transform::PostTransform,
    },
    kernel::check,
    pairwise::Pairwise,
};

/// As in onnxruntime: with support vectors, the label is the class with most votes of the pairs, even where there are
/// probabilities; without probabilities the scores are those of the pairs, and two classes have `[-score, score]`,
/// where a positive `score` votes for the first class (with a transform, `[1 - score, score]`; see
/// [`PostTransform::both`]). Without support vectors the kernel is linear, whatever `kernel_type` says, the first
/// number of `rho` is added to all scores, and of two classes the second is it as soon as one score is positive (at
/// least 0.5 if no coefficient is negative).
#[derive(Debug)]
struct SvmClassifier {
    labels: Labels,
    machine: Machine,
    post_transform: PostTransform,
}

#[derive(Debug)]
enum Machine {
    Pairwise(Pairwise),
    Linear(Linear),
}

/// A row of coefficients for each class.
#[derive(Debug)]
struct Linear {
    coefficients: Vec<f32>,
    columns: usize,
    rho: f32,
    /// What the score of one of two classes must exceed, or reach, to make the second class the label.
    second: Option<Second>,
}

#[derive(Clone, Copy, Debug)]
enum Second {
    AboveZero,
    FromHalf,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html>
pub(in super::super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let labels = Labels::read(attributes, "classlabels_ints")?;
    if labels.len() == 0 {
        return Err("it has no class labels".to_owned());
    }
    let machine = match Pairwise::read(attributes, labels.len())? {
        Some(pairwise) => Machine::Pairwise(pairwise),
        None => Machine::Linear(Linear::read(attributes, labels.len())?),
    };
    let post_transform = PostTransform::read(attributes.string("post_transform")?.as_deref())?;
    Ok(Arc::new(SvmClassifier { labels, machine, post_transform }))
}

impl Linear {
    fn read(attributes: Attributes<'_>, classes: usize) -> Result<Linear, String> {
        let coefficients = attributes.floats("coefficients")?.to_vec();
        let columns = coefficients.len() / classes;
        if columns == 0 || columns * classes != coefficients.len() {
            return Err(format!("it has {} coefficients for {classes} classes", coefficients.len()));
        }
        let rho = attributes.floats("rho")?.first().copied().unwrap_or(0.0);
        let second = match (classes, attributes.floats("prob_a")?) {
            (2, []) if coefficients.iter().all(|coefficient| *coefficient >= 0.0) => Some(Second::FromHalf),
            (2, []) => Some(Second::AboveZero),
            _ => None,
        };
        Ok(Linear { coefficients, columns, rho, second })
    }

    /// Adds the scores of a row to others, and returns its class.
    fn classify(&self, row: &[f32], post_transform: PostTransform, scores: &mut Vec<f32>) -> usize {
        let start = scores.len();
        scores.extend(self.coefficients.chunks_exact(self.columns).map(|of_class| dot(row, of_class) + self.rho));
        let of_row = &mut scores[start..];
        let class = highest(of_row);
        let is_second = match self.second {
            Some(Second::AboveZero) => of_row[class] > 0.0,
            Some(Second::FromHalf) => of_row[class] >= 0.5,
            None => false,
        };
        let width = of_row.len();
        post_transform.apply(of_row, width);
        if is_second { 1 } else { class }
    }
}

impl SvmClassifier {
    /// Returns how many columns a row has, and how many scores it gets.
    fn widths(&self) -> (usize, usize) {
        match &self.machine {
            Machine::Pairwise(pairwise) => (pairwise.vectors.columns(), pairwise.width()),
            Machine::Linear(linear) => (linear.columns, self.labels.len()),
        }
    }
}

impl Operator for SvmClassifier {
    fn name(&self) -> &'static str {
        "SVMClassifier"
    }

    fn outputs(&self) -> usize {
        2
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.numbers()?;
        let (expected, width) = self.widths();
        input.columns().map_or(Ok(()), |columns| check(expected, columns))?;
        let rows = input.rows();
        let labels = Fact::new(self.labels.dtype(), [rows.clone()]);
        Ok(vec![labels, Fact::new(DatumType::F32, [rows, width.to_dim()])])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (rows, columns) = input.matrix();
        let (expected, width) = self.widths();
        check(expected, columns)?;
        let mut scores = Vec::with_capacity(cells(rows, width)?);
        let data = input.f32s()?;
        let data = data.chunks_exact(columns);
        let classes: Vec<usize> = match &self.machine {
            Machine::Pairwise(pairwise) => {
                let mut room = pairwise.room();
                data.map(|row| pairwise.classify(row, &mut room, self.post_transform, &mut scores)).collect()
            }
            Machine::Linear(linear) => data.map(|row| linear.classify(row, self.post_transform, &mut scores)).collect(),
        };
        Ok(vec![self.labels.of(&classes), Array { shape: vec![rows, width], data: Data::F32(scores) }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{
        array::{Data, Slice},
        testing::{Value, read, run},
    };

    /// Two support vectors, one for each class, with some attribute changed.
    fn attributes<'a>(changed: &'a str, value: Option<Value<'a>>) -> Vec<(&'a str, Value<'a>)> {
        let mut attributes = vec![
            ("classlabels_ints", Value::Ints(&[3, 5])),
            ("vectors_per_class", Value::Ints(&[1, 1])),
            ("support_vectors", Value::Floats(&[1.0, 0.0, 0.0, 1.0])),
            ("coefficients", Value::Floats(&[1.0, -1.0])),
            ("rho", Value::Floats(&[0.5])),
        ];
        attributes.retain(|(name, _)| *name != changed);
        attributes.extend(value.map(|value| (changed, value)));
        attributes
    }

    #[test]
    fn a_positive_score_is_the_first_class_and_written_second() {
        for (transform, expected) in
            [("NONE", [-1.5, 1.5]), ("SOFTMAX", [-0.5, 1.5]), ("LOGISTIC", [1.0 - 0.817_574_5, 0.817_574_5])]
        {
            let operator = read(super::read, &attributes("post_transform", Some(Value::Text(transform)))).unwrap();
            let output = run(&operator, &[(&[1, 2], Slice::F64(&[2.0, 1.0]))]).unwrap();
            assert_eq!(output[0].data, Data::I64(vec![3]));
            let Data::F32(scores) = &output[1].data else { panic!("{output:?}") };
            assert!(scores.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{transform} {scores:?}");
        }
    }

    #[test]
    fn attributes_that_do_not_fit_are_errors() {
        for (changed, value) in [
            ("classlabels_ints", None),
            ("classlabels_ints", Some(Value::Ints(&[1, 2, 3]))),
            ("vectors_per_class", Some(Value::Ints(&[-1, 3]))),
            ("vectors_per_class", Some(Value::Ints(&[i64::MAX, i64::MAX]))),
            ("vectors_per_class", Some(Value::Ints(&[2, 3]))),
            ("support_vectors", None),
            ("coefficients", Some(Value::Floats(&[1.0]))),
            ("rho", None),
            ("prob_a", Some(Value::Floats(&[1.0]))),
            ("kernel_params", Some(Value::Floats(&[1.0, 2.0]))),
            ("kernel_type", Some(Value::Text("COSINE"))),
        ] {
            assert!(read(super::read, &attributes(changed, value)).is_err(), "{changed}");
        }
        let operator = read(super::read, &attributes("", None)).unwrap();
        assert!(run(&operator, &[(&[1, 3], Slice::F32(&[1.0, 2.0, 3.0]))]).is_err());
        assert!(run(&operator, &[(&[1, 0], Slice::F32(&[]))]).is_err());
    }
}
