//! What is said of many rounds.

/// Nanoseconds of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    /// One round in ten was faster: what it costs when nothing else disturbs.
    pub(crate) p10: f64,
    pub(crate) median: f64,
    /// One round in ten was slower.
    pub(crate) p90: f64,
    /// In the order of the rounds.
    rounds: Vec<f64>,
}

impl Summary {
    /// Of at least one sample.
    pub(crate) fn of(rounds: Vec<f64>) -> Self {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        Self { p10: at(0.1), median: at(0.5), p90: at(0.9), rounds }
    }

    /// How many times as much as `floor` it took, in the median of the rounds.
    pub(crate) fn ratio(&self, floor: &Self) -> f64 {
        let pairs = self.rounds.iter().zip(&floor.rounds);
        Self::of(pairs.map(|(ours, floor)| ours / floor).collect()).median
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn order_and_outliers_do_not_matter() {
        let samples: Vec<f64> = (1..=41).rev().map(f64::from).collect();
        let summary = Summary::of(samples);
        assert_eq!((summary.p10, summary.median), (5.0, 21.0));
        let disturbed = Summary::of([vec![1e9; 10], (1..=31).map(f64::from).collect()].concat());
        assert_eq!(disturbed.p10, 5.0);
    }

    #[test]
    fn what_slows_both_in_a_round_does_not_count() {
        let floor = Summary::of(vec![100.0, 100.0, 900.0, 100.0, 100.0]);
        let ours = Summary::of(vec![110.0, 110.0, 990.0, 110.0, 500.0]);
        assert!((ours.ratio(&floor) - 1.1).abs() < 1e-9);
    }

    #[test]
    fn one_sample_is_enough() {
        let summary = Summary::of(vec![7.0]);
        assert_eq!((summary.p10, summary.median), (7.0, 7.0));
    }
}
