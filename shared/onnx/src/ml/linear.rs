//! `LinearClassifier` and `LinearRegressor`: a dot product for each class or target.

use std::sync::{Arc, OnceLock};

use tract_onnx::{
    prelude::{DatumType, TDim},
    tract_core::internal::ToDim,
};

use super::{
    array::{Array, Data, View, cells},
    attributes::Attributes,
    labels::{Labels, highest},
    operator::{Fact, Operator},
    post_transform::{Other, PostTransform},
    products::Products,
};

/// A row of coefficients for each target, and what is added.
#[derive(Debug)]
struct Linear {
    coefficients: Vec<f32>,
    /// The same, arranged at the first run: only a row tells how many columns there are.
    products: OnceLock<Products>,
    /// One for each target, or none.
    intercepts: Vec<f32>,
    post_transform: PostTransform,
}

impl Linear {
    fn read(attributes: Attributes<'_>) -> Result<Linear, String> {
        let linear = Linear {
            coefficients: attributes.floats("coefficients")?.to_vec(),
            products: OnceLock::new(),
            intercepts: attributes.floats("intercepts")?.to_vec(),
            post_transform: PostTransform::read(attributes.string("post_transform")?.as_deref())?,
        };
        if linear.coefficients.is_empty() {
            return Err("it has no coefficients".to_owned());
        }
        Ok(linear)
    }

    /// Checks that there are coefficients for so many targets of so many columns; then neither is zero.
    fn check(&self, targets: usize, columns: usize) -> Result<(), String> {
        if targets.checked_mul(columns) == Some(self.coefficients.len()) {
            return Ok(());
        }
        Err(format!("it has {} coefficients for {targets} targets and {columns} columns", self.coefficients.len()))
    }

    /// Returns the scores of rows, one for each target, which have been checked.
    fn scores(&self, rows: &[f32], columns: usize, targets: usize) -> Result<Vec<f32>, String> {
        let mut scores = vec![0.0; cells(rows.len() / columns, targets)?];
        let arrange = || Products::of(&self.coefficients, columns);
        match self.products.get_or_init(arrange) {
            products if products.columns() == columns => products.of_rows(rows, &mut scores),
            // Without intercepts another number of columns is another number of targets.
            _ => arrange().of_rows(rows, &mut scores),
        }
        if !self.intercepts.is_empty() {
            let rows = scores.chunks_exact_mut(targets);
            rows.for_each(|row| {
                row.iter_mut().zip(&self.intercepts).for_each(|(score, intercept)| *score += intercept)
            });
        }
        Ok(scores)
    }
}

/// As in onnxruntime, two classes with one row of coefficients get two scores, `1 - score` and `score` (their logistics
/// for `LOGISTIC`), and the label depends on whether `score` is positive; one row of coefficients without two labels
/// has the labels 0 and 1 and one score. `multi_class` changes nothing. onnxruntime needs `intercepts`; here they may
/// be missing.
#[derive(Debug)]
struct LinearClassifier {
    linear: Linear,
    labels: Labels,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html>
pub(super) fn read_classifier(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let classifier =
        LinearClassifier { linear: Linear::read(attributes)?, labels: Labels::read(attributes, "classlabels_ints")? };
    Ok(Arc::new(classifier))
}

impl LinearClassifier {
    /// Returns how many targets there are, and how many scores; of the columns only facts may not know the number.
    fn targets(&self, columns: Option<usize>) -> Result<(usize, usize), String> {
        let targets = match (self.linear.intercepts.len(), columns) {
            (0, None) => return Err("the columns of its input are not known".to_owned()),
            (0, Some(columns)) => self.linear.coefficients.len() / columns.max(1),
            (some, _) => some,
        };
        columns.map_or(Ok(()), |columns| self.linear.check(targets, columns))?;
        let labels = self.labels.len();
        match targets {
            1 if labels == 2 => Ok((1, 2)),
            1 => Ok((1, 1)),
            _ if targets <= labels => Ok((targets, targets)),
            _ => Err(format!("it has {labels} labels for {targets} classes")),
        }
    }
}

impl Operator for LinearClassifier {
    fn name(&self) -> &'static str {
        "LinearClassifier"
    }

    fn outputs(&self) -> usize {
        2
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.numbers()?;
        let (_, scores) = self.targets(input.columns())?;
        let rows = input.rows();
        let labels = Fact::new(self.labels.dtype(), [rows.clone()]);
        Ok(vec![labels, Fact::new(DatumType::F32, [rows, scores.to_dim()])])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (rows, columns) = input.matrix();
        let (targets, width) = self.targets(Some(columns))?;
        let mut scores = self.linear.scores(&input.f32s()?, columns, targets)?;
        // One score is that of the second class.
        let class = |row: &[f32]| if targets == 1 { usize::from(row[0] > 0.0) } else { highest(row) };
        let classes: Vec<usize> = scores.chunks_exact(targets).map(class).collect();
        let transform = self.linear.post_transform;
        if width > targets {
            scores = scores.iter().flat_map(|score| transform.both(*score, Other::Complement)).collect();
        } else {
            transform.apply(&mut scores, width);
        }
        let labels = if width == 1 { self.labels.zero_and_one().of(&classes) } else { self.labels.of(&classes) };
        Ok(vec![labels, Array { shape: vec![rows, width], data: Data::F32(scores) }])
    }
}

/// As in onnxruntime, `intercepts` that are not one for each target do not count, and one target has no transform but
/// `PROBIT`.
#[derive(Debug)]
struct LinearRegressor {
    linear: Linear,
    targets: usize,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html>
pub(super) fn read_regressor(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let targets = attributes.int("targets")?.unwrap_or(1);
    let mut linear = Linear::read(attributes)?;
    let targets = usize::try_from(targets).ok().filter(|targets| (1..=linear.coefficients.len()).contains(targets));
    let targets = targets.ok_or("`targets` does not fit its coefficients")?;
    if linear.intercepts.len() != targets {
        linear.intercepts.clear();
    }
    Ok(Arc::new(LinearRegressor { linear, targets }))
}

impl Operator for LinearRegressor {
    fn name(&self) -> &'static str {
        "LinearRegressor"
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        input.numbers()?;
        input.columns().map_or(Ok(()), |columns| self.linear.check(self.targets, columns))?;
        let shape: [TDim; 2] = [input.rows(), self.targets.to_dim()];
        Ok(vec![Fact::new(DatumType::F32, shape)])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let (rows, columns) = input.matrix();
        self.linear.check(self.targets, columns)?;
        let mut scores = self.linear.scores(&input.f32s()?, columns, self.targets)?;
        self.linear.post_transform.apply(&mut scores, self.targets);
        Ok(vec![Array { shape: vec![rows, self.targets], data: Data::F32(scores) }])
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            array::{Data, Slice},
            testing::{Value, read, run},
        },
        read_classifier, read_regressor,
    };

    #[test]
    fn one_row_of_coefficients_tells_two_classes_apart_without_intercepts() {
        let coefficients = ("coefficients", Value::Floats(&[1.0, -1.0]));
        let labels = ("classlabels_strings", Value::Texts(&["no", "yes"]));
        let operator = read(read_classifier, &[coefficients, labels]).unwrap();
        let output = run(&operator, &[(&[2, 2], Slice::I32(&[3, 1, 1, 3]))]).unwrap();
        assert_eq!(output[0].data, Data::String(vec!["yes".to_owned(), "no".to_owned()]));
        assert_eq!(output[1].data, Data::F32(vec![-1.0, 2.0, 3.0, -2.0]));
        // Of one column these are two classes.
        let output = run(&operator, &[(&[1, 1], Slice::F32(&[2.0]))]).unwrap();
        assert_eq!(output[1].data, Data::F32(vec![2.0, -2.0]));
    }

    #[test]
    fn coefficients_that_do_not_fit_are_errors() {
        let coefficients = || ("coefficients", Value::Floats(&[1.0; 6]));
        let intercepts = ("intercepts", Value::Floats(&[0.0; 3]));
        let labels = ("classlabels_ints", Value::Ints(&[7, 8]));
        let operator = read(read_classifier, &[coefficients(), intercepts, labels]).unwrap();
        for columns in 0..5 {
            assert!(run(&operator, &[(&[1, columns], Slice::F32(&[1.0; 5][..columns]))]).is_err());
        }
        for targets in [0, -1, 7, i64::MAX] {
            assert!(read(read_regressor, &[coefficients(), ("targets", Value::Int(targets))]).is_err());
        }
        let operator = read(read_regressor, &[coefficients(), ("targets", Value::Int(4))]).unwrap();
        assert!(run(&operator, &[(&[1, 1], Slice::F32(&[1.0]))]).is_err());
    }
}
