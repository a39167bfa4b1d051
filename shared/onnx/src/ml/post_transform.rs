//! `post_transform`: what classifiers and regressors do to the scores of a row at the very end.
//!
//! The formulas are onnxruntime's, with its constants and its order of operations, so that results agree to the last
//! digits and for infinite and missing scores.

use std::f32::consts::{PI, SQRT_2};

use super::softmax;

/// What is done to the scores of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PostTransform {
    None,
    Softmax,
    Logistic,
    SoftmaxZero,
    Probit,
}

/// How a binary classifier that has one score, that of the second class, gets the score of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Other {
    /// `1 - score`: the score is a probability, as onnxruntime takes it where no weight is negative.
    Complement,
    /// `-score`: the score is a distance from the border between the classes.
    Negation,
}

impl PostTransform {
    /// Reads the attribute; a missing one is `NONE`.
    ///
    /// # Errors
    /// There is no such transform. (onnxruntime takes any other text for `PROBIT`.)
    pub(super) fn read(text: Option<&str>) -> Result<PostTransform, String> {
        match text {
            None | Some("NONE") => Ok(PostTransform::None),
            Some("SOFTMAX") => Ok(PostTransform::Softmax),
            Some("LOGISTIC") => Ok(PostTransform::Logistic),
            Some("SOFTMAX_ZERO") => Ok(PostTransform::SoftmaxZero),
            Some("PROBIT") => Ok(PostTransform::Probit),
            Some(other) => Err(format!("there is no post_transform `{other}`")),
        }
    }

    /// Transforms the scores of rows of one width in place.
    ///
    /// As in onnxruntime, a row of one score is left as it is, but for `PROBIT`: a regressor with one target has no
    /// `LOGISTIC` and no `SOFTMAX`.
    pub(super) fn apply(self, scores: &mut [f32], width: usize) {
        match self {
            PostTransform::Probit => scores.iter_mut().for_each(|score| *score = probit(*score)),
            _ if width < 2 => {}
            PostTransform::None => {}
            PostTransform::Logistic => scores.iter_mut().for_each(|score| *score = logistic(*score)),
            PostTransform::Softmax => softmax::of_rows(scores, width),
            PostTransform::SoftmaxZero => scores.chunks_exact_mut(width).for_each(softmax_zero),
        }
    }

    /// Returns the scores of both classes of a binary classifier that has one score, that of the second class.
    ///
    /// As in onnxruntime, there is no `SOFTMAX` and no `SOFTMAX_ZERO` here, and `LOGISTIC` is the same for both ways (old
    /// versions left the scores as they were for the complement). For `PROBIT`, onnxruntime leaves one of the two
    /// numbers unset; here the first class gets the negated score, which is the probit of the complement.
    pub(super) fn both(self, score: f32, other: Other) -> [f32; 2] {
        match (self, other) {
            (PostTransform::Probit, _) => [-probit(score), probit(score)],
            (PostTransform::Logistic, _) => [logistic(-score), logistic(score)],
            (_, Other::Complement) => [1.0 - score, score],
            (_, Other::Negation) => [-score, score],
        }
    }
}

/// Returns `1 / (1 + exp(-score))`. The exponent is never positive, so it never overflows.
pub(super) fn logistic(score: f32) -> f32 {
    let positive = 1.0 / (1.0 + (-score.abs()).exp());
    if score < 0.0 { 1.0 - positive } else { positive }
}

/// Returns the quantile of the normal distribution, with Winitzki's approximation of the inverse error function.
fn probit(score: f32) -> f32 {
    const A: f32 = 0.147;
    let x = 2.0 * score - 1.0;
    let log = ((1.0 - x) * (1.0 + x)).ln();
    let half = 2.0 / (PI * A) + 0.5 * log;
    let root = (-half + (half * half - 1.0 / A * log).sqrt()).sqrt();
    SQRT_2 * if x < 0.0 { -root } else { root }
}

/// The softmax of all but the zeros, which stay zeros: a class that nothing voted for has no probability. A row of
/// zeros becomes NaN, as in onnxruntime.
fn softmax_zero(scores: &mut [f32]) {
    /// What is closer to zero than this is zero.
    const SMALL: f32 = 0.000_000_1;
    let max = softmax::max(scores);
    let shift = (-max).exp();
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        if *score > SMALL || *score < -SMALL {
            *score = (*score - max).exp();
            sum += *score;
        } else {
            *score *= shift;
        }
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

#[cfg(test)]
mod tests {
    use super::{Other, PostTransform, probit};

    #[test]
    fn one_score_stays_as_it_is_but_for_probit() {
        for (transform, expected) in [
            (PostTransform::Logistic, 0.25),
            (PostTransform::Softmax, 0.25),
            (PostTransform::SoftmaxZero, 0.25),
            (PostTransform::Probit, probit(0.25)),
        ] {
            let mut row = [0.25];
            transform.apply(&mut row, 1);
            assert_eq!(row, [expected]);
        }
        assert_eq!(PostTransform::Softmax.both(0.25, Other::Complement), [0.75, 0.25]);
        assert_eq!(PostTransform::Softmax.both(0.25, Other::Negation), [-0.25, 0.25]);
        assert_eq!(PostTransform::Logistic.both(0.0, Other::Complement), [0.5, 0.5]);
    }

    #[test]
    fn huge_scores_have_a_softmax() {
        let mut row = [1e30, 1e30, -1e30];
        PostTransform::Softmax.apply(&mut row, 3);
        assert_eq!(row, [0.5, 0.5, 0.0]);
        let mut row = [0.0, 2.0, 2.0];
        PostTransform::SoftmaxZero.apply(&mut row, 3);
        assert_eq!(row, [0.0, 0.5, 0.5]);
    }

    #[test]
    fn unknown_transforms_are_errors() {
        assert_eq!(PostTransform::read(None), Ok(PostTransform::None));
        assert!(PostTransform::read(Some("TANH")).is_err());
    }
}
