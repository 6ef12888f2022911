//! The results as Markdown.

use std::fmt::Write;

use crate::{
    candidate,
    large::WAYS,
    layer,
    results::Results,
    targets::{self, FLOOR_THERE, Target, Verdict},
};

/// The operations of the table of verification, and their columns.
const VERIFY: [(&str, &str, &str); 12] = [
    ("ours", "primitive", "floor"),
    ("ours", "jws", "JWS, header seen"),
    ("ours", "jws-new-header", "JWS, new header"),
    ("ours", "jwt", "JWT, borrowed"),
    ("ours", "jwt-owned", "JWT, owned"),
    ("jsonwebtoken-aws-lc", "jws", "jsonwebtoken (aws-lc), unchecked claims"),
    ("jsonwebtoken-aws-lc", "jwt", "jsonwebtoken (aws-lc)"),
    ("jsonwebtoken-rust-crypto", "jwt", "jsonwebtoken (RustCrypto)"),
    ("josekit", "jws", "josekit, JWS"),
    ("josekit", "jwt", "josekit, JWT"),
    ("jwt-simple", "jwt", "jwt-simple"),
    ("ours", "primitive-several", "floor, many tokens"),
];

const SIGN: [(&str, &str, &str); 7] = [
    ("ours", "primitive", "floor"),
    ("ours", "jws", "Sealwright"),
    ("ours", "jws-into", "Sealwright, into a kept string"),
    ("jsonwebtoken-aws-lc", "jws", "jsonwebtoken (aws-lc)"),
    ("jsonwebtoken-rust-crypto", "jws", "jsonwebtoken (RustCrypto)"),
    ("josekit", "jws", "josekit"),
    ("jwt-simple", "jws", "jwt-simple"),
];

const ALGS: [&str; 8] = ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA", "ES256K", "ML-DSA-44"];

/// All tables.
pub(crate) fn markdown(results: &Results) -> String {
    let mut out = String::new();
    let targets = targets::all(results);
    let count = |verdict| targets.iter().filter(|target| target.verdict == verdict).count();
    section(&mut out, "Targets");
    let _ = writeln!(
        out,
        "{} of {} are met here, {} more would be met where the nanoseconds were set, {} are not met. \"There\" is \
         a machine on which the bare HMAC takes {FLOOR_THERE} ns; the overhead is scaled by what it takes here.\n",
        count(Verdict::Met),
        targets.len(),
        count(Verdict::MetThere),
        count(Verdict::NotMet),
    );
    write_targets(&mut out, &targets);
    if results.ours("verify/HS256/primitive").is_some() {
        library(&mut out, results);
    }
    if results.ns(candidate::LAYER, "hit/ES256/layer").is_some() {
        resource_server(&mut out, results);
    }
    section(&mut out, "How steady it was (ns)");
    steadiness(&mut out, results);
    out
}

fn library(out: &mut String, results: &Results) {
    section(out, "Verifying a compact token (ns; allocations in parentheses)");
    matrix(out, results, "verify", &VERIFY);
    section(out, "Signing a compact token with a parsed key (ns; allocations in parentheses)");
    matrix(out, results, "sign", &SIGN);
    section(out, "Everything else (µs; allocations in parentheses)");
    others(out, results);
    if !results.large.is_empty() {
        section(out, "1 GiB in pieces, HS256");
        large(out, results);
    }
    if !results.scripts.is_empty() {
        section(out, "Python and Node, JWT verify (µs)");
        scripts(out, results);
    }
}

fn resource_server(out: &mut String, results: &Results) {
    section(
        out,
        "The resource server's layer (ns that it adds to a service; its allocations in parentheses)",
    );
    layer::table(out, results);
    layer::remembering_line(out, results);
    layer::dpop_line(out, results);
    section(out, "The resource server's memory of verified tokens");
    layer::memory_table(out, &results.memory);
    if !results.http.is_empty() {
        section(out, "One endpoint over HTTP, 64 connections");
        layer::http_table(out, &results.http);
    }
}

/// The targets alone, for the terminal.
pub(crate) fn targets_only(results: &Results) -> String {
    let mut out = String::new();
    write_targets(&mut out, &targets::all(results));
    out
}

fn section(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n## {title}\n");
}

fn write_targets(out: &mut String, targets: &[Target]) {
    out.push_str("| operation | target | measured | |\n|---|---|---|---|\n");
    for target in targets {
        let verdict = match target.verdict {
            Verdict::Met => "met",
            Verdict::MetThere => "met there",
            Verdict::NotMet => "**not met**",
        };
        let _ = writeln!(out, "| {} | {} | {} | {verdict} |", target.what, target.wanted, target.measured);
    }
}

fn matrix(out: &mut String, results: &Results, group: &str, columns: &[(&str, &str, &str)]) {
    let titles: Vec<_> = columns.iter().map(|(_, _, title)| *title).collect();
    let _ = writeln!(out, "| | {} |\n|---|{}", titles.join(" | "), "---|".repeat(columns.len()));
    for alg in ALGS {
        let cells: Vec<_> = columns
            .iter()
            .map(|(candidate, what, _)| {
                let operation = format!("{group}/{alg}/{what}");
                cell(results.ns(candidate, &operation), results.allocations(candidate, &operation))
            })
            .collect();
        if cells.iter().any(|cell| cell != "–") {
            let _ = writeln!(out, "| {alg} | {} |", cells.join(" | "));
        }
    }
}

fn cell(ns: Option<f64>, allocations: Option<f64>) -> String {
    match (ns, allocations) {
        (Some(ns), Some(allocations)) => format!("{} ({allocations:.0})", thousands(ns)),
        (Some(ns), None) => thousands(ns),
        (None, _) => "–".into(),
    }
}

fn others(out: &mut String, results: &Results) {
    let groups = ["general/", "attached/", "batch/", "import/"];
    let mut operations: Vec<&str> = results.times.keys().map(|(_, operation)| operation.as_str()).collect();
    operations.retain(|operation| groups.iter().any(|group| operation.starts_with(group)));
    operations.sort_unstable();
    operations.dedup();
    let _ = writeln!(
        out,
        "| | {} |\n|---|{}",
        candidate::NAMES.join(" | "),
        "---|".repeat(candidate::NAMES.len())
    );
    for operation in operations {
        let cells = candidate::NAMES.map(|candidate| {
            cell(
                results.ns(candidate, operation).map(|ns| ns / 1000.0),
                results.allocations(candidate, operation),
            )
        });
        let _ = writeln!(out, "| {operation} | {} |", cells.join(" | "));
    }
}

fn large(out: &mut String, results: &Results) {
    out.push_str("| way | seconds | peak memory (MiB) |\n|---|---|---|\n");
    for way in WAYS {
        if let Some(large) = results.large.get(way) {
            let (seconds, mib) = (large.time.p10 / 1e9, large.peak_kib as f64 / 1024.0);
            let _ = writeln!(out, "| {way} | {seconds:.3} | {mib:.1} |");
        }
    }
}

fn scripts(out: &mut String, results: &Results) {
    const NAMES: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];
    let _ = writeln!(out, "| library | {} |\n|---|{}", NAMES.join(" | "), "---|".repeat(NAMES.len()));
    let mut line = |library: &str, ns: &dyn Fn(&str) -> Option<f64>| {
        let cells = NAMES.map(|alg| match ns(&format!("verify/{alg}/jwt")) {
            Some(ns) => format!("{:.2}", ns / 1000.0),
            None => "–".into(),
        });
        let _ = writeln!(out, "| {library} | {} |", cells.join(" | "));
    };
    line("Sealwright (from the run above)", &|operation| results.ns("ours", operation));
    for script in &results.scripts {
        line(&script.library, &|operation| script.times.get(operation).copied());
    }
}

fn steadiness(out: &mut String, results: &Results) {
    out.push_str("| candidate | operation | p10 | median |\n|---|---|---|---|\n");
    for ((candidate, operation), summary) in &results.times {
        let (p10, median) = (thousands(summary.p10), thousands(summary.median));
        let _ = writeln!(out, "| {candidate} | {operation} | {p10} | {median} |");
    }
}

/// A whole number with commas, as in 12,800.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        let shown = [0.4, 12.0, 999.6, 12_800.0, 1_234_567.0].map(thousands);
        assert_eq!(shown, ["0", "12", "1,000", "12,800", "1,234,567"]);
    }
}
