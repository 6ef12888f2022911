//! What is said of many rounds.

/// Nanoseconds of one operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    /// One round in ten was faster: what it costs when nothing else disturbs.
    pub(crate) p10: f64,
    pub(crate) median: f64,
}

impl Summary {
    /// Of at least one sample.
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
        Self { p10: at(0.1), median: at(0.5) }
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
    fn one_sample_is_enough() {
        let summary = Summary::of(vec![7.0]);
        assert_eq!((summary.p10, summary.median), (7.0, 7.0));
    }
}
