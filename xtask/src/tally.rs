//! Reads how many tests a test runner says it ran.

/// How many checks held, and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests that a runner left out. We have none, so one is a failure.
    pub(crate) skipped: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Adds up the `test result:` lines of `cargo test`.
    pub(crate) fn of_cargo_test(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines().filter(|line| line.trim_start().starts_with("test result:")) {
            sum.add(Self {
                passed: number_before(line, "passed"),
                failed: number_before(line, "failed"),
                skipped: number_before(line, "ignored"),
            });
        }
        sum
    }

    /// Reads the `Summary` line of cargo-nextest.
    pub(crate) fn of_nextest(output: &str) -> Self {
        let line = output.lines().rev().find(|line| line.trim_start().starts_with("Summary ["));
        let line = line.unwrap_or_default();
        Self {
            passed: number_before(line, "passed"),
            failed: number_before(line, "failed")
                + number_before(line, "timed")
                + number_before(line, "exec"),
            skipped: number_before(line, "skipped"),
        }
    }
}

/// The number that stands before a word: 12 in `12 passed, 1 failed`.
fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> =
        line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn lines_of_cargo_test_are_added_up() {
        let output = "\
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(Tally::of_cargo_test(output), Tally { passed: 15, failed: 2, skipped: 1 });
    }

    #[test]
    fn the_summary_of_nextest_is_read() {
        let green = "     Summary [   0.123s] 12 tests run: 12 passed (1 slow), 0 skipped";
        assert_eq!(Tally::of_nextest(green), Tally { passed: 12, failed: 0, skipped: 0 });
        let red = "     Summary [   1.5s] 12 tests run: 9 passed, 2 failed, 1 timed out, 4 skipped";
        assert_eq!(Tally::of_nextest(red), Tally { passed: 9, failed: 3, skipped: 4 });
    }

    #[test]
    fn no_summary_is_no_test() {
        assert_eq!(Tally::of_nextest("error: no tests to run"), Tally::default());
    }
}
