//! From files and folders to resources.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Fault, Report, Resource,
    tree::{self, Misplaced},
};

/// Far more than a person writes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads files and folders (`*.yaml` and `*.yml` in the order of their names, not the folders below).
///
/// What cannot be read, is not YAML, lacks its envelope or stands twice (kind, namespace and name) is a fault; what is left
/// is returned, so that its specs can be checked too. A file that is named twice is read once.
pub fn load(paths: &[PathBuf], report: &mut Report) -> Vec<Resource> {
    let mut resources = Vec::new();
    let mut seen = HashSet::new();
    for file in files(paths, report) {
        if !seen.insert(fs::canonicalize(&file).unwrap_or_else(|_| file.clone())) {
            continue;
        }
        match read(&file) {
            Ok(text) => documents(&file, &text, &mut resources, report),
            Err(message) => about_file(&file, message, report),
        }
    }
    refuse_doubles(resources, report)
}

/// Reads the documents of `text` as if they stood in `file`.
pub fn parse(file: &Path, text: &str, report: &mut Report) -> Vec<Resource> {
    let mut resources = Vec::new();
    documents(file, text, &mut resources, report);
    refuse_doubles(resources, report)
}

fn documents(file: &Path, text: &str, resources: &mut Vec<Resource>, report: &mut Report) {
    let name: Arc<Path> = file.into();
    let (nodes, faults) = tree::read(text);
    let broken = !faults.is_empty();
    for Misplaced { at, message } in faults {
        report.faults.push(Fault { file: file.to_owned(), line: at.line, column: at.column, message });
    }
    // Between two `---` there may be nothing but a comment.
    let mut nodes = nodes.into_iter().filter(|node| !matches!(node.value, tree::Value::Null)).peekable();
    if nodes.peek().is_none() && !broken {
        about_file(file, "there is no resource in this file".to_owned(), report);
    }
    resources.extend(nodes.filter_map(|node| Resource::read(&name, node, report)));
}

fn files(paths: &[PathBuf], report: &mut Report) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match in_folder(path) {
            Ok(found) if found.is_empty() => {
                about_file(path, "there is no *.yaml or *.yml file in this folder".to_owned(), report);
            }
            Ok(found) => files.extend(found),
            Err(error) => about_file(path, format!("this folder cannot be read: {error}"), report),
        }
    }
    files
}

fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("this file cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("this file is larger than 1 MiB; split it".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        format!("this file is not UTF-8 text, from line {line} on")
    })
}

fn about_file(file: &Path, message: String, report: &mut Report) {
    report.faults.push(Fault { file: file.to_owned(), line: 0, column: 0, message });
}

/// Keeps the first of each name.
fn refuse_doubles(resources: Vec<Resource>, report: &mut Report) -> Vec<Resource> {
    let mut first = HashMap::new();
    let mut kept = Vec::with_capacity(resources.len());
    for resource in resources {
        let place = format!("{}:{}", resource.file().display(), resource.line());
        // A missing name was reported; two of them are not the same name.
        if !resource.name.is_empty()
            && let Some(place) = first.insert(resource.key(), place.clone())
        {
            resource.fault("metadata.name", format!("this resource is declared already, at {place}"), report);
            first.insert(resource.key(), place);
            continue;
        }
        kept.push(resource);
    }
    kept
}
