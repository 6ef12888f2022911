//! What we want to hold, and whether it did.

use crate::{layer, results::Results, statistics::Summary};

/// One line of the table of targets.
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    /// Nanoseconds were missed here, and would have been kept where the targets were set.
    MetThere,
    NotMet,
}

impl From<bool> for Verdict {
    fn from(met: bool) -> Self {
        if met { Self::Met } else { Self::NotMet }
    }
}

/// What verifying HS256 with the bare primitive took, in ns, on the machine on which the targets in nanoseconds were set.
/// A nanosecond there is as many here as the primitive is slower.
pub(crate) const FLOOR_THERE: f64 = 280.0;

/// The algorithms whose verification is held to the floor.
const ALGS: [&str; 6] = ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"];
const PEERS: [&str; 4] = ["jsonwebtoken-aws-lc", "jsonwebtoken-rust-crypto", "josekit", "jwt-simple"];

/// Every target that this run says something about.
pub(crate) fn all(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for alg in ALGS {
        targets.extend(verify(results, alg));
    }
    targets.extend(hs256(results));
    for alg in &ALGS[1..] {
        targets.extend(against_floor_and_peers(results, alg));
    }
    targets.extend(sign(results));
    targets.extend(general(results));
    targets.extend(large(results));
    targets.extend(attached(results));
    targets.extend(batch(results));
    targets.extend(import(results));
    targets.extend(layer::targets(results));
    targets
}

/// At most `most` ns over something.
pub(crate) fn nanoseconds(results: &Results, what: String, over: f64, most: f64) -> Target {
    let there = results.bare_hmac().map(|floor| over * FLOOR_THERE / floor.p10);
    let verdict = match (over <= most, there.is_some_and(|there| there <= most)) {
        (true, _) => Verdict::Met,
        (false, true) => Verdict::MetThere,
        (false, false) => Verdict::NotMet,
    };
    let there = there.map(|there| format!(" ({there:+.0} there)")).unwrap_or_default();
    Target { what, wanted: format!("≤ +{most} ns"), measured: format!("{over:+.0} ns{there}"), verdict }
}

/// At most `most` times the floor.
fn ratio(what: String, floor: Option<&Summary>, ours: Option<&Summary>, most: f64) -> Option<Target> {
    let ratio = ours?.ratio(floor?);
    Some(Target {
        what,
        wanted: format!("≤ {most} ×"),
        measured: format!("{ratio:.3} ×"),
        verdict: (ratio <= most).into(),
    })
}

/// At least `least` times as fast.
pub(crate) fn faster(what: String, times: Option<f64>, least: f64) -> Option<Target> {
    let times = times?;
    let wanted = if least > 1.0 { format!("≥ {least} ×") } else { "faster".into() };
    Some(Target { what, wanted, measured: format!("{times:.2} ×"), verdict: (times >= least).into() })
}

/// At most `most` allocations beyond those that the primitive makes itself.
fn allocations(results: &Results, what: &str, subject: &str, operation: &str, most: f64) -> Option<Target> {
    let of = |operation: &str| results.allocations("ours", &format!("{subject}/{operation}"));
    // A signature's encoding needs more room now and then, so that the numbers are means.
    let found = (of(operation)? - of("primitive")?).round();
    let what = format!("{what}: allocations beyond the primitive's");
    Some(Target {
        what,
        wanted: format!("≤ {most}"),
        measured: format!("{found}"),
        verdict: (found <= most).into(),
    })
}

fn verify(results: &Results, alg: &str) -> Vec<Target> {
    let subject = format!("verify/{alg}");
    let over = |what: &str, operation: &str, floor: &str, most| {
        let over = results.over(&subject, operation, floor)?;
        Some(nanoseconds(results, format!("{alg} {what}"), over, most))
    };
    [
        over("JWS verify, header seen", "jws", "primitive", 100.0),
        allocations(results, &format!("{alg} JWS verify, header seen"), &subject, "jws", 0.0),
        over("JWS verify, new header", "jws-new-header", "primitive-several", 300.0),
        over("JWT verify, borrowed", "jwt", "primitive", 450.0),
        allocations(results, &format!("{alg} JWT verify, borrowed"), &subject, "jwt", 0.0),
        over("JWT verify, owned", "jwt-owned", "primitive", 600.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn hs256(results: &Results) -> Vec<Target> {
    let (jws, jwt) = ("verify/HS256/jws", "verify/HS256/jwt");
    let mut targets: Vec<_> = [
        ("HS256 JWS verify against jsonwebtoken", jws, "jsonwebtoken-aws-lc", jws, 6.0),
        ("HS256 JWS verify against josekit", jws, "josekit", jws, 10.0),
        ("HS256 JWT verify against jsonwebtoken", jwt, "jsonwebtoken-aws-lc", jwt, 3.0),
    ]
    .into_iter()
    .filter_map(|(what, ours, peer, theirs, least)| {
        faster(what.to_owned(), results.times_faster(ours, peer, theirs), least)
    })
    .collect();
    if let (Some(joserfc), Some(ours)) = (results.script_ns("joserfc", jwt), results.ours(jwt)) {
        targets.extend(faster("HS256 JWT verify against joserfc".into(), Some(joserfc / ours.p10), 25.0));
    }
    targets
}

fn against_floor_and_peers(results: &Results, alg: &str) -> Vec<Target> {
    let (jws, jwt) = (format!("verify/{alg}/jws"), format!("verify/{alg}/jwt"));
    let floor = results.ours(&format!("verify/{alg}/primitive"));
    let held = ratio(format!("{alg} JWS verify"), floor, results.ours(&jws), 1.03);
    let rivals = PEERS.iter().flat_map(|peer| [(*peer, &jws), (*peer, &jwt)]);
    let fastest = rivals
        // Like against like: each of theirs against the same of ours.
        .filter_map(|(peer, operation)| results.times_faster(operation, peer, operation))
        .min_by(f64::total_cmp);
    held.into_iter().chain(faster(format!("{alg} verify against the fastest peer"), fastest, 1.0)).collect()
}

fn sign(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for alg in ["HS256", "ES256", "ES384", "EdDSA"] {
        let subject = format!("sign/{alg}");
        let over = results.over(&subject, "jws", "primitive");
        targets.extend(over.map(|over| nanoseconds(results, format!("{alg} sign"), over, 100.0)));
        targets.extend(allocations(results, &format!("{alg} sign"), &subject, "jws", 1.0));
    }
    for (alg, least) in [("RS256", 2.5), ("ES256", 1.6), ("EdDSA", 1.8)] {
        let operation = format!("sign/{alg}/jws");
        let times = results.times_faster(&operation, "jsonwebtoken-aws-lc", &operation);
        targets.extend(faster(format!("{alg} sign against jsonwebtoken"), times, least));
    }
    targets
}

fn general(results: &Results) -> Vec<Target> {
    let (floor, ours) = (results.ours("general/3/primitive"), results.ours("general/3/jws"));
    let times = results.times_faster("general/3/jws", "josekit", "general/3/jws");
    [
        ratio("JSON general, three signatures, all verified".into(), floor, ours, 1.05),
        faster("JSON general against josekit".into(), times, 1.8),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn large(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for (way, floor) in [
        ("verify-unencoded", "hash"),
        ("sign-unencoded", "hash"),
        ("verify-base64", "hash-base64"),
        ("sign-base64", "hash-base64"),
    ] {
        let what = format!("1 GiB detached HS256, {}", way.replace('-', ", "));
        targets.extend(ratio(what.clone(), results.large(floor), results.large(way), 1.1));
        if let Some(large) = results.large.get(way) {
            let mib = large.peak_kib as f64 / 1024.0;
            targets.push(Target {
                what: format!("{what}: memory"),
                wanted: "≤ 8 MiB".into(),
                measured: format!("{mib:.1} MiB"),
                verdict: (mib <= 8.0).into(),
            });
        }
    }
    targets
}

fn attached(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for mib in [1, 16, 64] {
        let operation = format!("attached/{mib}/jws");
        for (peer, least) in [("josekit", 1.5), ("jsonwebtoken-aws-lc", 2.0)] {
            let times = results.times_faster(&operation, peer, &operation);
            targets.extend(faster(format!("{mib} MiB attached HS256 verify against {peer}"), times, least));
        }
    }
    targets
}

fn batch(results: &Results) -> Vec<Target> {
    let target = |alg: &str| {
        let scaling = |what: &str| {
            let on = |threads| results.ours(&format!("batch/{alg}/{what}-{threads}"));
            // Two threads do twice the work of one.
            Some(2.0 / on(2)?.ratio(on(1)?))
        };
        let (floor, ours) = (scaling("primitive")?, scaling("jws")?);
        Some(Target {
            what: format!("{alg} batch on two threads"),
            wanted: "≥ 0.97 × the primitive's scaling".into(),
            measured: format!("{:.3} × ({ours:.2} of {floor:.2})", ours / floor),
            verdict: (ours / floor >= 0.97).into(),
        })
    };
    ["HS256", "RS256", "ES256", "EdDSA"].into_iter().filter_map(target).collect()
}

fn import(results: &Results) -> Vec<Target> {
    let target = |peer: &str| {
        let times = results.times_faster("import/100/set", peer, "import/100/set");
        faster(format!("JWK set of 100 keys against {peer}"), times, 2.0)
    };
    ["jsonwebtoken-aws-lc", "josekit"].into_iter().filter_map(target).collect()
}
