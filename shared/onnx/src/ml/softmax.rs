//! The softmax of many rows at once.

use super::exp::exp_all;

/// Turns the scores of rows of one width into probabilities, in place. A row is NaN where a score is NaN or infinitely high, or
/// all are infinitely low.
pub(super) fn of_rows(scores: &mut [f32], width: usize) {
    pulp::Arch::new().dispatch(Softmax { scores, width });
}

/// Turns the scores of rows of one width into logarithms of probabilities, in place.
pub(super) fn logarithms(scores: &mut [f32], width: usize) {
    let mut probabilities = scores.to_vec();
    for row in scores.chunks_exact_mut(width) {
        let max = max(row);
        row.iter_mut().for_each(|score| *score -= max);
    }
    of_rows(&mut probabilities, width);
    for (row, probabilities) in scores.chunks_exact_mut(width).zip(probabilities.chunks_exact(width)) {
        // That of the highest score is one part of the sum.
        let sum = 1.0 / max(probabilities);
        let logarithm = if probabilities.iter().any(|of| of.is_nan()) { f32::NAN } else { sum.ln() };
        row.iter_mut().for_each(|score| *score -= logarithm);
    }
}

/// Returns the highest score; scores that are NaN do not count.
#[inline(always)]
pub(super) fn max(scores: &[f32]) -> f32 {
    scores.iter().fold(f32::MIN, |max, score| if *score > max { *score } else { max })
}

/// Compiled for each kind of processor.
struct Softmax<'a> {
    scores: &'a mut [f32],
    width: usize,
}

impl pulp::NullaryFnOnce for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Softmax { scores, width } = self;
        // A block at a time, so that it is at hand still.
        for scores in scores.chunks_mut(width * 256_usize.div_ceil(width)) {
            for row in scores.chunks_exact_mut(width) {
                let max = max(row);
                row.iter_mut().for_each(|score| *score -= max);
            }
            exp_all(scores);
            for row in scores.chunks_exact_mut(width) {
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|score| *score /= sum);
            }
        }
    }
}
