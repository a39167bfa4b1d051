//! The probabilities of classes, from those of each class against each other one.
//!
//! The second method of Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise Coupling",
//! JMLR 2004, in 32-bit floats as in onnxruntime.

/// How often the probabilities are made better at most.
const ROUNDS: usize = 100;

/// Room for the work on one row, to use again for the next.
#[derive(Debug)]
pub(super) struct Coupling {
    classes: usize,
    /// Where `pairwise[i * classes + j]` is the probability of class `i` if it can only be `i` or `j`.
    pub pairwise: Vec<f32>,
    /// The matrix Q of the paper, and its product with the probabilities.
    matrix: Vec<f32>,
    product: Vec<f32>,
}

impl Coupling {
    pub(super) fn new(classes: usize) -> Coupling {
        let square = vec![0.0; classes * classes];
        Coupling { classes, pairwise: square.clone(), matrix: square, product: vec![0.0; classes] }
    }

    /// Sets the probability of each class: minimizes p'Qp for p that add up to 1, by one class at a time.
    pub(super) fn solve(&mut self, probabilities: &mut [f32]) {
        let classes = self.classes;
        self.fill_matrix();
        probabilities.fill(1.0 / classes as f32);
        let close = 0.005 / classes as f32;
        for _ in 0..ROUNDS {
            // Computed anew each round, for what follows adds up rounding errors.
            for (product, row) in self.product.iter_mut().zip(self.matrix.chunks_exact(classes)) {
                *product = row.iter().zip(&*probabilities).fold(0.0, |sum, (q, p)| sum + q * p);
            }
            let mut value = probabilities.iter().zip(&self.product).fold(0.0, |sum, (p, product)| sum + p * product);
            let error = self.product.iter().fold(0.0f32, |error, product| error.max((product - value).abs()));
            if error < close {
                break;
            }
            for class in 0..classes {
                let row = &self.matrix[class * classes..][..classes];
                let step = (value - self.product[class]) / row[class];
                probabilities[class] += step;
                value = (value + step * (step * row[class] + 2.0 * self.product[class])) / (1.0 + step) / (1.0 + step);
                for ((product, probability), q) in self.product.iter_mut().zip(&mut *probabilities).zip(row) {
                    *product = (*product + step * q) / (1.0 + step);
                    *probability /= 1.0 + step;
                }
            }
        }
    }

    fn fill_matrix(&mut self) {
        let classes = self.classes;
        for i in 0..classes {
            let mut diagonal = 0.0;
            for j in (0..classes).filter(|j| *j != i) {
                let (ours, theirs) = (self.pairwise[i * classes + j], self.pairwise[j * classes + i]);
                diagonal += theirs * theirs;
                self.matrix[i * classes + j] = -theirs * ours;
            }
            self.matrix[i * classes + i] = diagonal;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Coupling;

    #[test]
    fn consistent_pairs_give_their_probabilities() {
        let expected = [0.2f32, 0.5, 0.3];
        let mut coupling = Coupling::new(3);
        for i in 0..3 {
            for j in 0..3 {
                coupling.pairwise[i * 3 + j] = expected[i] / (expected[i] + expected[j]);
            }
        }
        let mut found = [0.0; 3];
        coupling.solve(&mut found);
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 0.02), "{found:?}");
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
