//! `cargo xtask bench`: how fast we are beside others, in one run. The measuring house is a workspace of its own, `bench/`.

mod issuer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::command::capture;
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::tools::{debian, node, on_path, python};

/// A package of the measuring house, the features it is built with, and the names of its program before and after: one
/// library chooses its back end for a whole process, so it is built twice.
const PROGRAMS: [(&str, &str, &str, &str); 6] = [
    ("ours", "", "ours", "ours"),
    ("layer", "", "layer", "layer"),
    ("peer-josekit", "", "josekit", "josekit"),
    ("peer-jwt-simple", "", "jwt-simple", "jwt-simple"),
    ("peer-jsonwebtoken", "aws_lc_rs", "jsonwebtoken", "jsonwebtoken-aws-lc"),
    ("peer-jsonwebtoken", "rust_crypto", "jsonwebtoken", "jsonwebtoken-rust-crypto"),
];

/// What can be measured by itself: the library beside others, the resource server's layer, and issuing tokens.
pub(crate) const PARTS: [&str; 3] = ["library", "layer", ISSUER];

const ISSUER: &str = "issuer";

/// Their headings in the results, in the same order.
const TITLES: [&str; 3] = ["# The library\n", "# The resource server's layer\n", "# Issuing tokens\n"];

const RESULTS_HEAD: &str = "\
# Results

Made by `cargo xtask bench`; [README.md](README.md) says how. Each part says on what and when it was measured.

";

/// The libraries whose versions stand above the tables, as Cargo.lock names them.
const LIBRARIES: [&str; 4] = ["aws-lc-rs", "jsonwebtoken", "josekit", "jwt-simple"];

/// Everything on a slow machine.
const LIMIT: Duration = Duration::from_secs(90 * 60);

/// Builds, measures and prints. `bench/RESULTS.md` gets what was measured, part by part, unless it was a `quick` look.
pub(crate) fn run(quick: bool, part: Option<&str>) -> Result<bool> {
    let places = Places::find()?;
    let mut runner = Runner::new(&places);
    let plan = Plan { part };
    let ready = runner.step("bench: programs that are needed", |step| needs(step, plan)).is_some()
        && runner.step("bench: build", |step| build(step, plan)).is_some()
        && (!plan.has_fixture() || runner.step("bench: fixture", fixture).is_some());
    if ready {
        let mut scripts = Vec::new();
        if plan.has("library") {
            scripts.extend(runner.step("bench: Python", |step| python_peers(step, quick)));
        }
        if plan.has("layer") {
            runner.step("bench: Node's packages", |step| node_packages(step).map(drop));
        }
        if plan.has("library") {
            scripts.extend(runner.step("bench: Node", |step| node_peers(step, quick)));
        }
        for part in PARTS.into_iter().filter(|part| plan.has(part)) {
            let name = format!("bench: measure the {part}");
            let measured = runner.step(&name, |step| match part {
                ISSUER => issuer::measure(step, quick),
                _ => measure(step, quick, part, &scripts),
            });
            if let Some(text) = measured {
                println!("{text}");
            }
        }
        if !quick {
            runner.step("bench: write bench/RESULTS.md", |step| keep(step, plan));
        }
    } else {
        runner.impossible("bench: measure", "there is nothing to be run");
    }
    Ok(runner.finish())
}

/// What one run measures.
#[derive(Clone, Copy)]
struct Plan<'a> {
    part: Option<&'a str>,
}

impl Plan<'_> {
    fn has(self, part: &str) -> bool {
        self.part.is_none_or(|only| only == part)
    }

    /// Whether it measures something on the tokens that `ours` makes.
    fn has_fixture(self) -> bool {
        self.part != Some(ISSUER)
    }
}

/// josekit links OpenSSL; jwt-simple builds BoringSSL; wrk asks the endpoint.
fn needs(step: &mut Step<'_>, plan: Plan<'_>) -> Result<()> {
    let mut missing = if plan.has("library") { missing_for_peers()? } else { Vec::new() };
    if (plan.has("layer") || plan.has(ISSUER)) && on_path("wrk").is_none() {
        missing.push("wrk");
    }
    if plan.has(ISSUER) {
        issuer::processors()?;
        if on_path("taskset").is_none() {
            missing.push("util-linux");
        }
    }
    if missing.is_empty() { Ok(()) } else { debian::install(step, &missing) }
}

fn missing_for_peers() -> Result<Vec<&'static str>> {
    let openssl = on_path("pkg-config").is_some()
        && capture(Command::new("pkg-config").args(["--exists", "openssl"]))?.success;
    let clang = ["/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib"];
    let libclang = std::env::var_os("LIBCLANG_PATH").is_some()
        || clang.iter().any(|folder| has_libclang(Path::new(folder)))
        || entries(Path::new("/usr/lib"))
            .iter()
            .any(|folder| starts_with(folder, "llvm-") && has_libclang(&folder.join("lib")));
    Ok([
        (openssl, "libssl-dev"),
        (openssl, "pkg-config"),
        (on_path("cmake").is_some(), "cmake"),
        (on_path("c++").is_some(), "g++"),
        (libclang, "libclang-dev"),
    ]
    .into_iter()
    .filter_map(|(there, package)| (!there).then_some(package))
    .collect())
}

fn build(step: &mut Step<'_>, plan: Plan<'_>) -> Result<()> {
    if plan.has(ISSUER) {
        issuer::build(step)?;
    }
    if !plan.has_fixture() {
        return Ok(());
    }
    let places = step.places().clone();
    let programs = places.bench().join("programs");
    fs::create_dir_all(&programs).map_err(|error| format!("cannot make {}: {error}", programs.display()))?;
    for (package, features, built, name) in PROGRAMS {
        // Ours makes the fixture.
        let part = if package == "layer" { "layer" } else { "library" };
        if package != "ours" && !plan.has(part) {
            continue;
        }
        step.run_for(release(&places, package).args(["--features", features]), LIMIT)?;
        for kind in ["", "-allocations"] {
            let from = places.bench().join("release").join(format!("{built}{kind}"));
            let to = programs.join(format!("{name}{kind}"));
            fs::copy(&from, &to).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
        }
    }
    step.run(&mut release(&places, "measure")).map(drop)
}

/// `cargo build` of one package of the measuring house.
pub(crate) fn release(places: &Places, package: &str) -> Command {
    let mut command = places.cargo();
    command.env("CARGO_TARGET_DIR", places.bench());
    command.args(["build", "--release", "--locked", "--manifest-path", "bench/Cargo.toml"]);
    command.args(["--package", package]);
    command
}

fn fixture_folder(places: &Places) -> PathBuf {
    places.bench().join("fixture")
}

fn fixture(step: &mut Step<'_>) -> Result<()> {
    let folder = fixture_folder(step.places());
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let ours = step.places().bench().join("programs").join("ours");
    step.run(Command::new(ours).arg("fixture").arg(folder)).map(drop)
}

fn python_peers(step: &mut Step<'_>, quick: bool) -> Result<PathBuf> {
    let programs = python::environment(step, "python", "python/requirements.txt")?;
    let script = step.places().root().join("bench").join("python").join("measure.py");
    times_of(step, "python", Command::new(programs.join("python")).arg(script), quick)
}

fn node_packages(step: &mut Step<'_>) -> Result<PathBuf> {
    let source = step.places().root().join("bench").join("node");
    node::packages(step, "bench-node", &source)
}

fn node_peers(step: &mut Step<'_>, quick: bool) -> Result<PathBuf> {
    let folder = node_packages(step)?;
    let node = on_path("node").ok_or("node is missing")?;
    times_of(step, "node", Command::new(node).current_dir(&folder).arg("measure.mjs"), quick)
}

/// Runs a script on the fixture and keeps what it printed.
fn times_of(step: &mut Step<'_>, name: &str, command: &mut Command, quick: bool) -> Result<PathBuf> {
    let fixture = fixture_folder(step.places()).join("fixture.json");
    command.arg(fixture).arg(if quick { "0.3" } else { "2" });
    let text = step.run(command.env("PYTHONDONTWRITEBYTECODE", "1"))?;
    // A warning may stand above it.
    let json = text.lines().rfind(|line| line.starts_with('[')).ok_or("the script printed no times")?;
    let path = step.places().bench().join(format!("{name}.json"));
    fs::write(&path, json).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}

/// The file of one part's results.
fn results_of(places: &Places, part: &str) -> PathBuf {
    places.bench().join(format!("{part}.md"))
}

/// Measures one part and returns its tables.
fn measure(step: &mut Step<'_>, quick: bool, part: &str, scripts: &[PathBuf]) -> Result<String> {
    let places = step.places().clone();
    let (head, results) = (places.bench().join("head.md"), results_of(&places, part));
    // What a run before this one left must not be taken for this one's.
    let _ = fs::remove_file(&results);
    fs::write(&head, about(&places)?).map_err(|error| format!("cannot write {}: {error}", head.display()))?;
    let mut command = Command::new(places.bench().join("release").join("measure"));
    command.arg("--programs").arg(places.bench().join("programs"));
    command.arg("--fixture").arg(fixture_folder(&places).join("fixture.json"));
    command.arg("--part").arg(part).arg("--head").arg(head).arg("--out").arg(&results);
    for script in scripts {
        command.arg("--scripts").arg(script);
    }
    if part == "layer" {
        command.arg("--wrk").arg(on_path("wrk").ok_or("wrk is missing")?);
        command.arg("--load").arg(places.root().join("bench").join("wrk").join("load.lua"));
        command.arg("--node-server").arg(places.tool("bench-node").join("server.mjs"));
        command.arg("--node-cache").arg(places.tool("bench-node").join("cached.mjs"));
    }
    if quick {
        command.arg("--quick");
    }
    step.run_for(&mut command, LIMIT)?;
    fs::read_to_string(&results).map_err(|error| format!("cannot read {}: {error}", results.display()))
}

/// Puts what was measured in the place of what `bench/RESULTS.md` says of the same parts.
fn keep(step: &mut Step<'_>, plan: Plan<'_>) -> Result<()> {
    let places = step.places();
    let path = places.root().join("bench").join("RESULTS.md");
    let mut kept = parts_of(&fs::read_to_string(&path).unwrap_or_default());
    for (part, kept) in PARTS.iter().zip(&mut kept).filter(|(part, _)| plan.has(part)) {
        // A part that could not be measured keeps what it had.
        if let Ok(text) = fs::read_to_string(results_of(places, part)) {
            *kept = text;
        }
    }
    let parts = TITLES.iter().zip(&kept).filter(|(_, text)| !text.is_empty());
    let parts: Vec<String> = parts.map(|(title, text)| format!("{title}\n{}\n", text.trim())).collect();
    fs::write(&path, format!("{RESULTS_HEAD}{}", parts.join("\n")))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// The text below each of [`TITLES`], up to the next.
fn parts_of(results: &str) -> [String; TITLES.len()] {
    TITLES.map(|title| {
        let below = results.split_once(title).map_or("", |(_, below)| below);
        let end = TITLES.iter().filter_map(|title| below.find(title)).min();
        below[..end.unwrap_or(below.len())].trim().to_owned()
    })
}

/// What stands above the tables: machine, versions, date, commit.
fn about(places: &Places) -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map_or("an unknown CPU", |(_, model)| model.trim());
    let features: Vec<&str> = ["sha_ni", "avx2", "avx512ifma"]
        .into_iter()
        .filter(|feature| cpus.split_ascii_whitespace().any(|word| word == *feature))
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let lock_path = places.root().join("bench").join("Cargo.lock");
    let lock = fs::read_to_string(&lock_path)
        .map_err(|error| format!("cannot read {}: {error}", lock_path.display()))?;
    let versions = versions(&lock);
    let libraries: Vec<String> = LIBRARIES
        .iter()
        .map(|name| format!("{name} {}", versions.get(name).copied().unwrap_or("unknown")))
        .collect();
    let mut openssl = Command::new("pkg-config");
    let commit = first_line(Command::new("git").current_dir(places.root()).args([
        "describe",
        "--always",
        "--dirty=, with changes",
    ]));
    Ok(format!(
        "- machine: {model}, {cores} cores ({})\n\
         - date: {}; commit: {commit}; {}\n- {}; OpenSSL {}\n",
        features.join(", "),
        first_line(Command::new("date").args(["-u", "+%F"])),
        first_line(Command::new("rustc").current_dir(places.root()).arg("--version")),
        libraries.join(", "),
        first_line(openssl.args(["--modversion", "openssl"])),
    ))
}

fn first_line(command: &mut Command) -> String {
    let text = capture(command).map(|output| output.text).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// Name and version of every package in a Cargo.lock.
fn versions(lock: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
        if let Some(value) = value("name") {
            name = value;
        } else if let Some(value) = value("version") {
            found.insert(name, value);
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn starts_with(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

/// Whether the library is there that speaks C; `libclang-cpp`, which comes with other packages, is another one.
fn has_libclang(folder: &Path) -> bool {
    entries(folder).iter().any(|path| starts_with(path, "libclang") && !starts_with(path, "libclang-cpp"))
}

#[cfg(test)]
mod tests {
    use super::{RESULTS_HEAD, parts_of, versions};

    #[test]
    fn results_are_kept_by_part() {
        let library = "# The library\n\n- a\n\n## Targets\n\nb\n";
        let layer = "# The resource server's layer\n\nc\n";
        let issuer = "# Issuing tokens\n\nd\n";
        let [l, s, i] = ["- a\n\n## Targets\n\nb", "c", "d"];
        assert_eq!(parts_of(&format!("{RESULTS_HEAD}{library}\n{layer}\n{issuer}")), [l, s, i]);
        assert_eq!(parts_of(&format!("{RESULTS_HEAD}{layer}\n{issuer}")), ["", s, i]);
        assert_eq!(parts_of(&format!("{RESULTS_HEAD}{library}")), [l, "", ""]);
        assert_eq!(parts_of(""), ["", "", ""]);
    }

    #[test]
    fn versions_are_read_from_a_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\nsource = \"x\"\n\n[[package]]\nname = \"b\"\n\
                    version = \"0.1.0\"\ndependencies = [\n \"a\",\n]\n";
        let found = versions(lock);
        assert_eq!((found["a"], found["b"]), ("1.2.3", "0.1.0"));
    }
}
