//! Classes against each other: libsvm's way to tell more than two of them apart.

use std::ops::Range;

use super::{
    super::{
        attributes::Attributes,
        labels::highest,
        post_transform::{Other, PostTransform, logistic},
    },
    coupling::Coupling,
    kernel::Vectors,
};

/// A machine for each pair of classes; all share their support vectors.
#[derive(Debug)]
pub(super) struct Pairwise {
    pub vectors: Vectors,
    /// Which support vectors are those of a class.
    of_class: Vec<Range<usize>>,
    /// For each class but one a coefficient for each support vector: those of class `i` have theirs against class `j`
    /// in row `j - 1` if `j` comes after `i`, else in row `j`.
    coefficients: Vec<f32>,
    rho: Vec<f32>,
    /// Per pair, the slope and the shift that make a probability of its score; none if the scores shall stay.
    platt: Vec<(f32, f32)>,
}

/// Room for the work on one row, to use again for the next.
#[derive(Debug)]
pub(super) struct Room {
    kernels: Vec<f32>,
    votes: Vec<usize>,
    /// One for each pair: class 0 against 1, 0 against 2 and so on.
    scores: Vec<f32>,
    coupling: Coupling,
}

impl Pairwise {
    /// Reads a machine for so many classes; nothing if there are no support vectors.
    ///
    /// # Errors
    /// The attributes do not fit each other.
    pub(super) fn read(attributes: Attributes<'_>, classes: usize) -> Result<Option<Pairwise>, String> {
        let mut of_class = Vec::new();
        let mut count = 0usize;
        for vectors in attributes.ints("vectors_per_class")? {
            let end = usize::try_from(*vectors).ok().and_then(|vectors| count.checked_add(vectors));
            let end = end.ok_or("`vectors_per_class` makes no sense")?;
            of_class.push(count..end);
            count = end;
        }
        if count == 0 {
            return Ok(None);
        }
        if classes < 2 || of_class.len() != classes {
            return Err(format!("`vectors_per_class` has {} numbers for {classes} classes", of_class.len()));
        }
        let vectors = Vectors::read(attributes, count)?;
        let pairs = classes.checked_mul(classes - 1).ok_or("it has too many classes")? / 2;
        let coefficients = attributes.floats("coefficients")?.to_vec();
        let rho = attributes.floats("rho")?.to_vec();
        let (slopes, shifts) = (attributes.floats("prob_a")?, attributes.floats("prob_b")?);
        for (name, found, expected) in [
            ("coefficients", coefficients.len(), (classes - 1).saturating_mul(count)),
            ("rho", rho.len(), pairs),
            ("prob_a", slopes.len(), if shifts.is_empty() { 0 } else { pairs }),
            ("prob_b", shifts.len(), if slopes.is_empty() { 0 } else { pairs }),
        ] {
            if found < expected {
                return Err(format!("`{name}` has {found} numbers, not {expected}"));
            }
        }
        let platt = slopes.iter().copied().zip(shifts.iter().copied()).collect();
        Ok(Some(Pairwise { vectors, of_class, coefficients, rho, platt }))
    }

    /// Returns how many scores a row has: probabilities one for each class, others one for each pair, but never only
    /// one.
    pub(super) fn width(&self) -> usize {
        let classes = self.of_class.len();
        if self.platt.is_empty() && classes > 2 { classes * (classes - 1) / 2 } else { classes }
    }

    /// Returns room for the work.
    pub(super) fn room(&self) -> Room {
        let classes = self.of_class.len();
        Room {
            kernels: Vec::new(),
            votes: vec![0; classes],
            scores: Vec::new(),
            coupling: Coupling::new(if self.platt.is_empty() { 0 } else { classes }),
        }
    }

    /// Adds the scores of a row to others, and returns its class: the one with most votes, the first one of equals.
    pub(super) fn classify(
        &self,
        row: &[f32],
        room: &mut Room,
        post_transform: PostTransform,
        scores: &mut Vec<f32>,
    ) -> usize {
        self.vote(row, room);
        let start = scores.len();
        if !self.platt.is_empty() {
            scores.resize(start + self.of_class.len(), 0.0);
            self.couple(room, &mut scores[start..]);
            post_transform.apply(&mut scores[start..], self.of_class.len());
        } else if let [score] = room.scores[..] {
            // The positive score is that of the first class, but onnxruntime writes it second.
            let other = if post_transform == PostTransform::None { Other::Negation } else { Other::Complement };
            scores.extend(post_transform.both(score, other));
        } else {
            scores.extend_from_slice(&room.scores);
            post_transform.apply(&mut scores[start..], room.scores.len());
        }
        highest(&room.votes)
    }

    /// Lets each pair of classes vote.
    fn vote(&self, row: &[f32], room: &mut Room) {
        room.kernels.clear();
        room.kernels.extend(self.vectors.kernels(row));
        room.votes.fill(0);
        room.scores.clear();
        let sum = |row: usize, vectors: &Range<usize>| {
            let coefficients = &self.coefficients[row * room.kernels.len()..][vectors.clone()];
            let products = coefficients.iter().zip(&room.kernels[vectors.clone()]).map(|(a, b)| a * b);
            products.fold(0.0, |sum, product| sum + f64::from(product))
        };
        let mut rho = self.rho.iter();
        for (i, of_i) in self.of_class.iter().enumerate() {
            for (j, of_j) in self.of_class.iter().enumerate().skip(i + 1) {
                let score = sum(j - 1, of_i) + sum(i, of_j) + f64::from(*rho.next().unwrap_or(&0.0));
                room.scores.push(score as f32);
                room.votes[if score > 0.0 { i } else { j }] += 1;
            }
        }
    }

    /// Makes probabilities of the scores of pairs.
    fn couple(&self, room: &mut Room, probabilities: &mut [f32]) {
        /// No pair is certain.
        const LEAST: f32 = 1e-7;
        let classes = self.of_class.len();
        let mut pairs = room.scores.iter().zip(&self.platt);
        for i in 0..classes {
            for (j, (score, (slope, shift))) in (i + 1..classes).zip(&mut pairs) {
                let probability = (1.0 - logistic(score * slope + shift)).clamp(LEAST, 1.0 - LEAST);
                room.coupling.pairwise[i * classes + j] = probability;
                room.coupling.pairwise[j * classes + i] = 1.0 - probability;
            }
        }
        room.coupling.solve(probabilities);
    }
}
