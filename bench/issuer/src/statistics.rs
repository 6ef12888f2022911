//! What is said of several rounds.

/// The one in the middle; of none, not a number.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn one_outlier_does_not_matter() {
        assert_eq!(median(vec![3.0, 1.0, 1e9]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
