//! "did you mean": the nearest of the known words, if one is near enough.

/// The word of `known` that `written` was probably meant to be.
pub(super) fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = written.to_lowercase();
    let distances = known.into_iter().map(|word| (strsim::osa_distance(&lower, &word.to_lowercase()), word));
    let (distance, word) = distances.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong; more is another word.
    (distance <= (written.chars().count() / 3).max(1)).then_some(word)
}

/// ", did you mean `x`?", or what the known words are, or nothing if there are none.
pub(super) fn hint(written: &str, known: &[&str]) -> String {
    if let Some(word) = nearest(written, known.iter().copied()) {
        return format!(", did you mean `{word}`?");
    }
    match known {
        [] => String::new(),
        _ => format!("; known are {}", list(known)),
    }
}

/// `a`, `b`, `c`.
pub(super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
