//! Probabilities and what really happened, in a histogram of fixed size: memory stays flat however long a run is.

/// Fine enough that the AUC agrees with the exact one to far less than 0.0001, even where all probabilities are close.
const BINS: usize = 1 << 16;

/// Counts, per bin of probability, what did not happen and what did.
pub(crate) struct ScoreHistogram {
    bins: Box<[[u64; 2]]>,
}

impl ScoreHistogram {
    pub fn new() -> ScoreHistogram {
        ScoreHistogram { bins: vec![[0; 2]; BINS].into_boxed_slice() }
    }

    /// Returns the bin of a probability.
    pub fn bin(probability: f64) -> u16 {
        (probability.clamp(0.0, 1.0) * (BINS - 1) as f64).round() as u16
    }

    pub fn add(&mut self, bin: u16, happened: bool) {
        self.bins[usize::from(bin)][usize::from(happened)] += 1;
    }

    /// Returns how many are counted, and how many of them happened.
    pub fn count(&self) -> (u64, u64) {
        self.bins.iter().fold((0, 0), |(all, happened), [no, yes]| (all + no + yes, happened + yes))
    }

    /// Returns the area under the ROC curve: how often what happened was given a higher probability than what did not.
    /// Ties, which is what one bin holds, count half.
    pub fn auc(&self) -> Option<f64> {
        let (mut below, mut won) = (0.0, 0.0);
        for [no, yes] in &self.bins {
            won += *yes as f64 * (below + *no as f64 / 2.0);
            below += *no as f64;
        }
        let (all, happened) = self.count();
        let pairs = happened as f64 * (all - happened) as f64;
        (pairs > 0.0).then(|| won / pairs)
    }

    /// Returns how much of the share with the highest probabilities happened. The bin at the cut counts in proportion.
    pub fn precision_of_top(&self, share: f64) -> Option<f64> {
        let room = share * self.count().0 as f64;
        let (mut taken, mut happened) = (0.0, 0.0);
        for [no, yes] in self.bins.iter().rev().filter(|bin| **bin != [0, 0]) {
            let bin = (no + yes) as f64;
            let part = ((room - taken) / bin).min(1.0);
            if part <= 0.0 {
                break;
            }
            taken += bin * part;
            happened += *yes as f64 * part;
        }
        (taken > 0.0).then(|| happened / taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scores: &[(f64, bool)]) -> ScoreHistogram {
        let mut histogram = ScoreHistogram::new();
        scores.iter().for_each(|(probability, happened)| histogram.add(ScoreHistogram::bin(*probability), *happened));
        histogram
    }

    #[test]
    fn auc_is_the_share_of_pairs_in_order_and_ties_count_half() {
        assert_eq!(of(&[(0.1, false), (0.9, true)]).auc(), Some(1.0));
        assert_eq!(of(&[(0.9, false), (0.1, true)]).auc(), Some(0.0));
        assert_eq!(of(&[(0.4, false), (0.4, true)]).auc(), Some(0.5));
        assert_eq!(of(&[(0.1, false), (0.4, true), (0.4, false), (0.8, true)]).auc(), Some(0.875));
    }

    #[test]
    fn without_both_outcomes_there_is_no_auc() {
        assert_eq!(of(&[]).auc(), None);
        assert_eq!(of(&[(0.3, true), (0.4, true)]).auc(), None);
        assert_eq!(of(&[]).precision_of_top(0.05), None);
    }

    #[test]
    fn a_narrow_range_of_probabilities_is_still_told_apart() {
        // Exactly: every pair is in order but for those of equal probability.
        let scores: Vec<(f64, bool)> = (0..20_000).map(|n| (0.03 + f64::from(n) * 2.5e-5, n % 3 == 0)).collect();
        let mut exact = 0.0;
        let mut below = 0.0;
        for (_, happened) in &scores {
            if *happened { exact += below } else { below += 1.0 }
        }
        let happened = scores.iter().filter(|(_, happened)| *happened).count() as f64;
        exact /= happened * (scores.len() as f64 - happened);
        assert!((of(&scores).auc().unwrap() - exact).abs() < 1e-5);
    }

    #[test]
    fn the_bin_at_the_cut_counts_in_proportion() {
        // The top 50 % of four are the one at 0.9 and one of the three that tie, of which one happened.
        let histogram = of(&[(0.9, true), (0.5, true), (0.5, false), (0.5, false)]);
        let precision = histogram.precision_of_top(0.5).unwrap();
        assert!((precision - (1.0 + 1.0 / 3.0) / 2.0).abs() < 1e-12);
    }
}
