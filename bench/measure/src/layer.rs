//! The resource server's layer: what it adds to a request, what it remembers, and what that does to an endpoint.

use std::fmt::Write;

use crate::{
    candidate::{FAST_JWT, LAYER},
    http::Http,
    memory::Memory,
    results::Results,
    tables::thousands,
    targets::{Target, faster, nanoseconds},
};

/// The algorithms of the tables.
const ALGS: [&str; 7] = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "ES256K", "ML-DSA-44"];

/// Every target that this run says something about.
pub(crate) fn targets(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for alg in ALGS {
        targets.extend(hit(results, alg));
    }
    for (what, keys) in [("layer-jwks", "keys by `jwks_uri`"), ("layer-discovered", "keys discovered")] {
        let over = results.over("hit/ES256", what, "floor");
        let what = format!("ES256 token seen before, {keys}: layer over the token's digest");
        targets.extend(over.map(|over| nanoseconds(results, what, over, 200.0)));
    }
    targets.extend(fast_jwt(results));
    for alg in ALGS {
        targets.extend(miss(results, alg));
    }
    targets.extend(results.memory.iter().flat_map(memory));
    targets.extend(http(&results.http));
    targets
}

/// What the layer adds to a service, in nanoseconds.
fn added(results: &Results, subject: &str, what: &str) -> Option<f64> {
    let of = |what: &str| results.ns(LAYER, &format!("{subject}/{what}"));
    Some(of(what)? - of("bare")?)
}

fn hit(results: &Results, alg: &str) -> Vec<Target> {
    let subject = format!("hit/{alg}");
    let time = results.over(&subject, "layer", "floor").map(|over| {
        nanoseconds(results, format!("{alg} token seen before: layer over the token's digest"), over, 200.0)
    });
    let of = |what: &str| results.allocations(LAYER, &format!("{subject}/{what}"));
    let allocations = of("layer").zip(of("bare")).map(|(layer, bare)| {
        let found = (layer - bare).round();
        Target {
            what: format!("{alg} token seen before: allocations of the layer"),
            wanted: "≤ 2".into(),
            measured: format!("{found}"),
            verdict: (found <= 2.0).into(),
        }
    });
    time.into_iter().chain(allocations).collect()
}

/// Of the algorithms that both have.
fn fast_jwt(results: &Results) -> impl Iterator<Item = Target> {
    ALGS.iter().filter_map(|alg| {
        let theirs = results.ns(FAST_JWT, &format!("hit/{alg}/cached"))?;
        let times = theirs / added(results, &format!("hit/{alg}"), "layer")?;
        faster(format!("{alg} token seen before: against fast-jwt's cache"), Some(times), 7.0)
    })
}

fn miss(results: &Results, alg: &str) -> Option<Target> {
    let over = results.over(&format!("miss/{alg}"), "layer", "floor")?;
    let what = format!("{alg} token not seen before: layer over the JWT's verification");
    Some(nanoseconds(results, what, over, 700.0))
}

fn memory(memory: &Memory) -> Vec<Target> {
    let mut tokens = format!("{} tokens", thousands(memory.verified as f64));
    if memory.padding > 0 {
        let _ = write!(tokens, " with {} KiB more of claims", memory.padding / 1024);
    }
    [("allocated", memory.allocated), ("resident", memory.resident)]
        .map(|(what, bytes)| {
            let mib = bytes as f64 / (1024.0 * 1024.0);
            Target {
                what: format!("Memory after {tokens}, {what}"),
                wanted: "≤ 64 MiB".into(),
                measured: format!("{mib:.1} MiB ({} remembered)", thousands(memory.remembered as f64)),
                verdict: (mib <= 64.0).into(),
            }
        })
        .into()
}

fn http(http: &Http) -> Vec<Target> {
    // How many requests of the first are answered in the time of one of the second.
    let times = |of: &str, beside: &str| Some(http.get(beside)?.ratio(http.get(of)?));
    [
        ("Endpoint behind the layer, one token, against reading the header", "layer", "header", 0.93),
        (
            "Endpoint behind the layer, every token another, against checking the signature",
            "layer-different",
            "signature-different",
            0.95,
        ),
        (
            "Endpoint behind the layer, one token, against express + jsonwebtoken + jwks-rsa",
            "layer",
            "express",
            10.0,
        ),
    ]
    .into_iter()
    .filter_map(|(what, of, beside, least)| {
        let times = times(of, beside)?;
        Some(Target {
            what: what.into(),
            wanted: format!("≥ {least} ×"),
            measured: format!("{times:.3} ×"),
            verdict: (times >= least).into(),
        })
    })
    .collect()
}

/// In memory: what is added to a service that does nothing, beside what it cannot do without.
pub(crate) fn table(out: &mut String, results: &Results) {
    out.push_str("| | token's digest | layer, token seen before | JWT verify | layer, token not seen before | layer that remembers nothing |\n|---|---|---|---|---|---|\n");
    for alg in ALGS {
        let plain = |operation: String| results.ns(LAYER, &operation);
        let over_bare = |subject: &str, what: &str| {
            let of = |what: &str| results.allocations(LAYER, &format!("{subject}/{what}"));
            let allocations = of(what).zip(of("bare")).map(|(layer, bare)| layer - bare);
            match (added(results, subject, what), allocations) {
                (Some(ns), Some(allocations)) => format!("{} ({allocations:.0})", thousands(ns)),
                _ => "–".into(),
            }
        };
        let Some(digest) = plain(format!("hit/{alg}/digest")) else { continue };
        let jwt = plain(format!("miss/{alg}/jwt")).map_or("–".into(), thousands);
        let _ = writeln!(
            out,
            "| {alg} | {} | {} | {jwt} | {} | {} |",
            thousands(digest),
            over_bare(&format!("hit/{alg}"), "layer"),
            over_bare(&format!("miss/{alg}"), "layer"),
            over_bare(&format!("miss/{alg}"), "layer-off"),
        );
    }
}

/// For information: a request whose token is bound to a key, with a proof of its own.
pub(crate) fn dpop_line(out: &mut String, results: &Results) {
    let subject = "dpop/ES256";
    let layer = added(results, subject, "layer");
    if let (Some(layer), Some(primitive)) = (layer, results.ns(LAYER, &format!("{subject}/primitive"))) {
        let _ = writeln!(
            out,
            "\nA DPoP request (token seen before, a new proof of ES256 with its own key): {} ns, of which {} are the reading of \
             the proof's key and the check of its signature.",
            thousands(layer),
            thousands(primitive),
        );
    }
}

/// For information: what a miss costs more because its token is remembered.
pub(crate) fn remembering_line(out: &mut String, results: &Results) {
    let of = |alg: &&str| {
        let ns = results.over(&format!("miss/{alg}"), "remembering", "layer-off")?;
        Some(format!("{ns:.0} ns ({alg})"))
    };
    let found: Vec<_> = ALGS.iter().filter_map(of).collect();
    if !found.is_empty() {
        let _ = writeln!(out, "\nTo remember a token costs {}.", found.join(", "));
    }
}

/// Requests a second of each way.
pub(crate) fn http_table(out: &mut String, http: &Http) {
    out.push_str("| endpoint | requests/s, median | p10 |\n|---|---|---|\n");
    for (way, summary) in http {
        // The slowest rounds have the most nanoseconds.
        let per_s = |ns: f64| thousands(1e9 / ns);
        let _ = writeln!(out, "| {way} | {} | {} |", per_s(summary.median), per_s(summary.p90));
    }
}

pub(crate) fn memory_table(out: &mut String, memories: &[Memory]) {
    out.push_str(
        "| tokens verified | bytes more of claims | remembered | counted (MiB) | allocated (MiB) | resident (MiB) |\n|---|---|---|---|---|---|\n",
    );
    for memory in memories {
        let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.1} | {:.1} | {:.1} |",
            thousands(memory.verified as f64),
            thousands(memory.padding as f64),
            thousands(memory.remembered as f64),
            mib(memory.counted),
            mib(memory.allocated),
            mib(memory.resident),
        );
    }
}
