//! Dependencies are named once, in the workspace's manifest, with the reason they are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// Every dependency that a crate names by itself, and every one that the workspace names and no crate uses.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for manifest in manifests(root)? {
        let text = read(&manifest)?;
        let shown = manifest.strip_prefix(root).unwrap_or(&manifest).display().to_string();
        for dependency in dependencies(&text, "") {
            if !dependency.inherited {
                problems.push(format!(
                    "{shown}:{}: {} must be `{0}.workspace = true`",
                    dependency.line, dependency.name
                ));
            }
            used.insert(dependency.name);
        }
        if !text.contains("[lints]\nworkspace = true") {
            problems.push(format!("{shown}: the workspace's lints are not inherited"));
        }
    }
    let text = read(&root.join("Cargo.toml"))?;
    for dependency in dependencies(&text, "workspace.") {
        if !used.contains(&dependency.name) {
            problems
                .push(format!("Cargo.toml:{}: {} is named and not used", dependency.line, dependency.name));
        }
    }
    Ok(problems)
}

#[derive(Debug, PartialEq, Eq)]
struct Dependency {
    name: String,
    line: usize,
    inherited: bool,
}

/// The entries of the dependency tables of one manifest. A TOML parser would need a dependency of its own to read what we
/// write in one form only, a line each.
fn dependencies(manifest: &str, prefix: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let known = ["dependencies", "dev-dependencies", "build-dependencies"];
            let (own, target) = match table.rsplit_once("\".").filter(|_| table.starts_with("target.")) {
                Some((_, own)) => (own, true),
                None => (table.strip_prefix(prefix).unwrap_or_default(), false),
            };
            inside = known.contains(&own) && (prefix.is_empty() || !target);
            if let Some((_, name)) = own.split_once("dependencies.") {
                // `[dependencies.name]`: a form that we do not use, so that one rule reads all.
                found.push(Dependency { name: name.to_owned(), line: index + 1, inherited: false });
            }
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            let name = key.strip_suffix(".workspace").unwrap_or(key).to_owned();
            let inherited =
                (key.ends_with(".workspace") && value == "true") || value.contains("workspace = true");
            found.push(Dependency { name, line: index + 1, inherited });
        }
    }
    found
}

fn manifests(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in ["crates", "examples"].map(|folder| root.join(folder)) {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        found.extend(entries.flatten().map(|entry| entry.path().join("Cargo.toml")));
    }
    found.extend(["interop/driver", "xtask"].map(|folder| root.join(folder).join("Cargo.toml")));
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::dependencies;

    fn own(manifest: &str) -> Vec<String> {
        dependencies(manifest, "")
            .into_iter()
            .filter(|found| !found.inherited)
            .map(|found| found.name)
            .collect()
    }

    #[test]
    fn what_is_inherited_is_fine() {
        let manifest =
            "[dependencies]\nserde.workspace = true\nhttp = { workspace = true, optional = true }\n";
        assert_eq!(own(manifest), Vec::<String>::new());
    }

    #[test]
    fn a_version_of_its_own_is_found_in_every_table() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\n[dev-dependencies]\nb = { version = \"1\" }\n\
                        [target.\"cfg(unix)\".dependencies]\nc = \"1\"\n[dependencies.d]\nversion = \"1\"\n[features]\ne = []\n";
        assert_eq!(own(manifest), ["a", "b", "c", "d"]);
    }

    #[test]
    fn the_workspaces_table_is_read_by_its_prefix() {
        let found =
            dependencies("[workspace.dependencies]\na = \"1\"\n[profile.dev]\ndebug = 1\n", "workspace.");
        assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
