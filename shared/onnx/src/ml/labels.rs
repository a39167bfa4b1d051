//! The labels of a classifier's classes, and how the class of a row is chosen.

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data},
    attributes::Attributes,
};

/// The label of each class.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Labels {
    Ints(Vec<i64>),
    Strings(Vec<String>),
}

impl Labels {
    /// Reads `classlabels_strings`, or the attribute of that name for whole numbers if there are no strings.
    ///
    /// # Errors
    /// An attribute is of another type.
    pub(super) fn read(attributes: Attributes<'_>, ints: &str) -> Result<Labels, String> {
        let strings = attributes.strings("classlabels_strings")?;
        if strings.is_empty() {
            Ok(Labels::Ints(attributes.ints(ints)?.to_vec()))
        } else {
            Ok(Labels::Strings(strings))
        }
    }

    /// Returns the labels 0 and 1, of the type of these.
    pub(super) fn zero_and_one(&self) -> Labels {
        match self {
            Labels::Ints(_) => Labels::Ints(vec![0, 1]),
            Labels::Strings(_) => Labels::Strings(vec!["0".to_owned(), "1".to_owned()]),
        }
    }

    /// Returns the number of classes.
    pub(super) fn len(&self) -> usize {
        match self {
            Labels::Ints(labels) => labels.len(),
            Labels::Strings(labels) => labels.len(),
        }
    }

    /// Returns the element type of labels.
    pub(super) fn dtype(&self) -> DatumType {
        match self {
            Labels::Ints(_) => DatumType::I64,
            Labels::Strings(_) => DatumType::String,
        }
    }

    /// Returns the labels of rows, by their classes. Every class is less than [`Labels::len`].
    pub(super) fn of(&self, classes: &[usize]) -> Array {
        let data = match self {
            Labels::Ints(labels) => Data::I64(classes.iter().map(|class| labels[*class]).collect()),
            Labels::Strings(labels) => Data::String(classes.iter().map(|class| labels[*class].clone()).collect()),
        };
        Array { shape: vec![classes.len()], data }
    }
}

/// Returns the class with the highest score; the first one of equals. What is NaN is not higher than anything.
pub(super) fn highest<T: Copy + PartialOrd>(scores: &[T]) -> usize {
    let mut class = 0;
    for (other, score) in scores.iter().enumerate() {
        if *score > scores[class] {
            class = other;
        }
    }
    class
}
