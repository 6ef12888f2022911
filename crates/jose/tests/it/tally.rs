//! Counts the cases that tests walk, so that a number of them is proven and not claimed.

use std::{
    cell::RefCell,
    collections::HashSet,
    fmt::{Debug, Display},
    panic::Location,
};

thread_local! {
    /// Whether it was refused, where that was asserted, and which case it was.
    static CASES: RefCell<HashSet<(bool, String, String)>> = RefCell::default();
}

#[track_caller]
fn note(refused: bool, case: impl Display) {
    let place = Location::caller().to_string();
    CASES.with_borrow_mut(|cases| cases.insert((refused, place, case.to_string())));
}

/// Asserts that `got` is the refusal `why`, and counts the case.
#[track_caller]
pub(crate) fn refused<T: Debug, E: Debug + PartialEq>(case: impl Display, got: Result<T, E>, why: E) -> E {
    match got {
        Err(error) if error == why => {
            note(true, case);
            error
        }
        other => panic!("{case:.200} should be {why:?}, is {other:?}"),
    }
}

/// Asserts that `got` is a refusal of this kind, and counts the case.
#[track_caller]
pub(crate) fn refused_if<T: Debug, E: Debug>(
    case: impl Display,
    got: Result<T, E>,
    is_right: impl FnOnce(&E) -> bool,
) -> E {
    match got {
        Err(error) if is_right(&error) => {
            note(true, case);
            error
        }
        other => panic!("{case:.200} is {other:?}"),
    }
}

/// Asserts that `got` is no refusal, and counts the case.
#[track_caller]
pub(crate) fn accepted<T, E: Debug>(case: impl Display, got: Result<T, E>) -> T {
    match got {
        Ok(value) => {
            note(false, case);
            value
        }
        Err(error) => panic!("{case:.200} is refused: {error:?}"),
    }
}

/// How many different cases these tests found to be refused, and how many accepted. It runs them.
pub(crate) fn count(tests: &[fn()]) -> (usize, usize) {
    CASES.take();
    tests.iter().for_each(|test| test());
    let cases = CASES.take();
    let refused = cases.iter().filter(|(refused, ..)| *refused).count();
    (refused, cases.len() - refused)
}
