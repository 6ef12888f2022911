//! Pages rot: what they point at moves. Each relative link and each path in `ARCHITECTURE.md` must lead somewhere.

use std::fs;
use std::path::Path;

use crate::Result;

/// Every link of our Markdown that leads nowhere, and every path in `ARCHITECTURE.md` that does not exist.
pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        let text = read(root, file)?;
        let folder = root.join(file).parent().unwrap_or(root).to_path_buf();
        for (line, link) in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { root.join(file) } else { folder.join(path) };
            if !target.exists() {
                problems.push(format!("{file}:{line}: `{link}` does not exist"));
            } else if !anchor.is_empty() && target.extension().is_some_and(|extension| extension == "md") {
                let page = fs::read_to_string(&target).unwrap_or_default();
                if !headings(&page).any(|heading| heading == anchor) {
                    problems.push(format!("{file}:{line}: `{link}` names no heading of its page"));
                }
            }
        }
        if file == "ARCHITECTURE.md" {
            problems.extend(missing_paths(root, file, &text));
        }
    }
    Ok(problems)
}

/// Every page of the book that its summary does not list.
pub(super) fn check_summary(root: &Path, files: &[String]) -> Result<Vec<String>> {
    const BOOK: &str = "docs/src/";
    const SUMMARY: &str = "docs/src/SUMMARY.md";
    let summary = read(root, SUMMARY)?;
    let listed: Vec<&str> = links(&summary).map(|(_, link)| link.trim_start_matches("./")).collect();
    let pages =
        files.iter().filter(|file| file.starts_with(BOOK) && file.ends_with(".md") && *file != SUMMARY);
    let lost = pages.filter(|page| !listed.contains(&&page[BOOK.len()..]));
    Ok(lost.map(|page| format!("{page} is not in {SUMMARY}")).collect())
}

/// The relative links of a page, with their lines; code is left out.
fn links(page: &str) -> impl Iterator<Item = (usize, &str)> {
    prose(page).flat_map(|(line, text)| {
        text.match_indices("](").filter_map(move |(at, _)| {
            let rest = &text[at + 2..];
            let link = rest[..rest.find(')')?].split(' ').next()?;
            let elsewhere = link.contains("://") || link.starts_with("mailto:") || link.starts_with('<');
            (!elsewhere && !link.is_empty()).then_some((line, link))
        })
    })
}

/// Lines outside fenced code, numbered from 1.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    page.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((index + 1, line))
    })
}

/// The anchors that a page's headings get: lower case, no punctuation, hyphens for spaces.
fn headings(page: &str) -> impl Iterator<Item = String> {
    prose(page).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// Code spans that are paths of ours, such as `crates/jose`, and lead nowhere.
fn missing_paths(root: &Path, file: &str, text: &str) -> Vec<String> {
    const ROOMS: [&str; 9] =
        ["crates/", "docs/", "xtask/", "interop/", "examples/", "bench/", "fuzz/", "deploy/", ".ci/"];
    let mut problems = Vec::new();
    for (line, text) in prose(text) {
        for span in text.split('`').skip(1).step_by(2) {
            let ours = ROOMS.iter().any(|room| span.starts_with(room) || span == &room[..room.len() - 1]);
            let is_path = !span.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '{' | '<'));
            let there = || root.join(span).exists() || root.join(format!("{span}.rs")).exists();
            if ours && is_path && !there() {
                problems.push(format!("{file}:{line}: there is no `{span}`"));
            }
        }
    }
    problems
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).map_err(|error| format!("cannot read {file}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{headings, links, missing_paths};

    #[test]
    fn links_outside_code_are_found_with_their_line() {
        let page =
            "see [a](a.md#x)\n```\n[b](b.md)\n```\nand [c](c/d.md \"title\"), [web](https://example.org/)";
        assert_eq!(links(page).collect::<Vec<_>>(), [(1, "a.md#x"), (5, "c/d.md")]);
    }

    #[test]
    fn a_heading_becomes_an_anchor() {
        assert_eq!(headings("## Who uses it, and why?\n").collect::<Vec<_>>(), ["who-uses-it-and-why"]);
    }

    #[test]
    fn a_path_that_is_gone_is_found() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let text =
            "`xtask/src` is here as `crates/jose` and `crates/nowhere/at/all`, and `a/b` is none of ours";
        let problems = missing_paths(root.parent().expect("the workshop is in the workspace"), "A.md", text);
        assert_eq!(problems, ["A.md:1: there is no `crates/nowhere/at/all`"]);
    }
}
