//! What is said of several rounds.

/// The one in the middle; of none, not a number.
pub(crate) fn median(samples: Vec<f64>) -> f64 {
    at(samples, |count| count / 2)
}

/// The one below which a tenth lie.
pub(crate) fn p10(samples: Vec<f64>) -> f64 {
    at(samples, |count| count / 10)
}

/// The least.
pub(crate) fn least(samples: Vec<f64>) -> f64 {
    at(samples, |_| 0)
}

fn at(mut samples: Vec<f64>, place: impl Fn(usize) -> usize) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(place(samples.len())).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::{least, median, p10};

    #[test]
    fn outliers_do_not_matter() {
        assert_eq!(median(vec![3.0, 1.0, 1e9]), 3.0);
        assert_eq!(p10((0..20).rev().map(f64::from).collect()), 2.0);
        assert_eq!(least(vec![3.0, 1.0, 1e9]), 1.0);
        assert!(median(Vec::new()).is_nan());
    }
}
