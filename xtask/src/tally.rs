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

impl Tally {
    /// Reads the last line `N passed, M failed` of a program of ours.
    pub(crate) fn of_our_own(output: &str) -> Self {
        let is_ours = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            matches!(words.as_slice(), [_, "passed,", _, "failed"])
        };
        let line = output.lines().rev().find(is_ours).unwrap_or_default();
        Self { passed: number_before(line, "passed"), failed: number_before(line, "failed"), skipped: 0 }
    }
}

/// The names of the tests that failed, as either runner lists them.
pub(crate) fn failed_tests(output: &str) -> Vec<String> {
    let mut names: Vec<String> = output
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let by_cargo = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"));
            // `FAIL [   0.660s] ( 3/583) crate::binary module::test`
            let by_nextest = ["FAIL [", "TIMEOUT ["].iter().find_map(|mark| line.strip_prefix(mark));
            let by_nextest =
                by_nextest.and_then(|rest| rest.rsplit_once(") ").or_else(|| rest.rsplit_once("] ")));
            by_nextest.map(|(_, name)| name).or(by_cargo).map(str::to_owned)
        })
        .collect();
    names.sort();
    names.dedup();
    // What nextest names by crate and module, the captured output of the test itself names by module alone.
    let whole = names.clone();
    names.retain(|name| !whole.iter().any(|other| other.ends_with(&format!(" {name}"))));
    names
}

/// The number that stands before a word: 12 in `12 passed, 1 failed`.
fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> =
        line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Tally, failed_tests};

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
    fn failed_tests_are_named_once() {
        let output = "\
test configuration::faults ... FAILED
        FAIL [   0.660s] (106/583) server::it configuration::faults
   SIGNAL [   0.1s] unrelated
        FAIL [   0.660s] server::it other::rule
        FAIL [   0.660s] (106/583) server::it configuration::faults";
        assert_eq!(failed_tests(output), ["server::it configuration::faults", "server::it other::rule"]);
        assert_eq!(failed_tests("test a::b ... FAILED\ntest c ... ok"), ["a::b"]);
    }

    #[test]
    fn our_own_line_stands_alone() {
        let output = "peer passed, failed\n12 passed, 3 failed\n";
        assert_eq!(Tally::of_our_own(output), Tally { passed: 12, failed: 3, skipped: 0 });
        assert_eq!(Tally::of_our_own("test result: 12 passed, 3 failed"), Tally::default());
    }

    #[test]
    fn no_summary_is_no_test() {
        assert_eq!(Tally::of_nextest("error: no tests to run"), Tally::default());
    }
}
