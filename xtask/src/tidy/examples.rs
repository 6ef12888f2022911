//! Who reads what a function does wants to see it done. Each public function and type of the library shows it, in code
//! that runs.

use std::fs;
use std::path::Path;

use crate::Result;

/// Whose items these are.
const LIBRARY: &str = "crates/jose/src/";

/// Every documented `pub fn`, `struct`, `enum` and `trait` of the library whose own comment has no example that runs.
pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.starts_with(LIBRARY) && file.ends_with(".rs")) {
        let text =
            fs::read_to_string(root.join(file)).map_err(|error| format!("cannot read {file}: {error}"))?;
        let bare = without_example(&text);
        problems.extend(bare.map(|(line, name)| format!("{file}:{line}: `{name}` has no example that runs")));
    }
    Ok(problems)
}

/// The public items that have a comment without such an example, each with its line, from 1.
fn without_example(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut doc = Vec::new();
    // Brackets of an attribute that are still open.
    let mut open = 0;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("///") {
            doc.push(comment.trim());
            return None;
        }
        // Attributes stand between the comment and the item, on one line or on several; so do comments for us.
        if open > 0 || line.starts_with("#[") {
            open += line.matches('[').count();
            open -= line.matches(']').count().min(open);
            return None;
        }
        if line.starts_with("//") {
            return None;
        }
        let comment = std::mem::take(&mut doc);
        let name = public_item(line)?;
        (!comment.is_empty() && !has_example(&comment)).then_some((index + 1, name))
    })
}

/// The name of the function or type that this line begins, if it is public.
fn public_item(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("pub ")?.split(' ');
    let kind = words.find(|word| !matches!(*word, "const" | "async" | "unsafe"))?;
    if !matches!(kind, "fn" | "struct" | "enum" | "trait") {
        return None;
    }
    words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// Whether there is a block of Rust that is run. One that must not compile shows what cannot be done; one that is only
/// compiled, or not even that, may be wrong.
fn has_example(comment: &[&str]) -> bool {
    let fences = comment.iter().filter_map(|line| line.strip_prefix("```"));
    let mut opening = fences.step_by(2);
    opening.any(|info| info.split([',', ' ']).all(|word| matches!(word, "" | "rust" | "should_panic")))
}

#[cfg(test)]
mod tests {
    use super::without_example;

    fn bare(text: &str) -> Vec<(usize, &str)> {
        without_example(text).collect()
    }

    #[test]
    fn an_item_with_a_comment_alone_is_named_with_its_line() {
        assert_eq!(bare("/// One.\npub fn one() {}\n"), [(2, "one")]);
        assert_eq!(bare("    /// One.\n    pub const fn one<const N: usize>(self) {}\n"), [(2, "one")]);
        assert_eq!(
            bare("/// One.\npub struct One(u8);\n/// Two.\npub enum Two {\n"),
            [(2, "One"), (4, "Two")]
        );
        assert_eq!(bare("/// One.\npub trait One<T>: Send {\n"), [(2, "One")]);
    }

    #[test]
    fn an_example_counts_for_the_item_below_it_only() {
        let one =
            "/// One.\n///\n/// ```\n/// assert_eq!(one(), 1);\n/// ```\npub fn one() -> u8 {\n    1\n}\n";
        assert_eq!(bare(one), []);
        assert_eq!(bare(&format!("{one}\n/// Two.\npub fn two() {{}}\n")), [(11, "two")]);
    }

    #[test]
    fn what_is_not_run_is_no_example() {
        for info in ["ignore", "text", "no_run", "compile_fail", "json", "rust,no_run"] {
            assert_eq!(
                bare(&format!("/// ```{info}\n/// one();\n/// ```\npub fn one() {{}}\n")),
                [(4, "one")]
            );
        }
        for info in ["", "rust", "should_panic"] {
            assert_eq!(bare(&format!("/// ```{info}\n/// one();\n/// ```\npub fn one() {{}}\n")), []);
        }
        // The fence that ends a block opens none.
        assert_eq!(bare("/// ```text\n/// 1\n/// ```\n///\n/// One.\npub fn one() {}\n"), [(6, "one")]);
        let second =
            "/// ```compile_fail\n/// one(1);\n/// ```\n/// ```\n/// one();\n/// ```\npub fn one() {}\n";
        assert_eq!(bare(second), []);
    }

    #[test]
    fn attributes_stand_between_comment_and_item() {
        assert_eq!(bare("/// One.\n#[must_use]\npub fn one() {}\n"), [(3, "one")]);
        let long = "/// One.\n#[expect(\n    clippy::x,\n    reason = \"y\"\n)]\npub fn one() {}\n";
        assert_eq!(bare(long), [(6, "one")]);
        assert_eq!(bare("/// One.\n#[must_use] // why\n// And more.\npub fn one() {}\n"), [(4, "one")]);
    }

    #[test]
    fn what_is_not_public_or_no_item_needs_none() {
        assert_eq!(bare("/// One.\nfn one() {}\n/// Two.\npub(crate) fn two() {}\n"), []);
        assert_eq!(bare("/// The first.\npub const ONE: u8 = 1;\n/// Things.\npub mod things;\n"), []);
        assert_eq!(bare("/// A variant.\nOne,\n}\npub use other::Two;\npub fn three() {}\n"), []);
    }
}
