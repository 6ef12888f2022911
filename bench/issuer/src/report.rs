//! The tables.

use std::fmt::Write;

use crate::{
    keys::Cost,
    load::Answered,
    rounds::{ALGS, Measured, Way, Whose},
    statistics::{least, median},
};

/// What a bare ES256 signature took, in ns, on the machine on which the targets a second were set. A second there holds as many
/// requests more as the signature is slower here, over seconds in both places.
const ES256_THERE: f64 = 12_800.0;

impl Measured {
    /// The median of the rounds of one way.
    fn of(&self, way: Way, what: impl Fn(&Answered) -> f64) -> f64 {
        median(self.ways.get(&way).into_iter().flatten().map(what).collect())
    }

    fn per_second(&self, way: Way) -> f64 {
        self.of(way, |answered| answered.per_second())
    }

    /// How often one way's requests fit the other's, in the median of the rounds.
    fn ratio(&self, way: Way, other: Way) -> f64 {
        let (Some(ours), Some(theirs)) = (self.ways.get(&way), self.ways.get(&other)) else {
            return f64::NAN;
        };
        median(
            ours.iter().zip(theirs).map(|(ours, theirs)| ours.per_second() / theirs.per_second()).collect(),
        )
    }

    fn cost(&self, alg: &str, what: impl Fn(&Cost) -> f64) -> f64 {
        median(self.costs.iter().filter_map(|costs| costs.get(alg)).map(what).collect())
    }

    /// Bare signatures a second, in the median of the rounds.
    fn bare_per_second(&self, alg: &str) -> f64 {
        median(self.bare.get(alg).cloned().unwrap_or_default())
    }

    /// What a round looks like that nothing else disturbed: noise makes pauses longer, never shorter, and what keys cause is in
    /// every round.
    fn undisturbed(&self, way: Way, what: impl Fn(&Answered) -> f64) -> f64 {
        least(self.ways.get(&way).into_iter().flatten().map(what).collect())
    }

    /// Tokens as a share of what the bare signature allows on that processor, in the median of the rounds.
    fn share(&self, alg: &'static str) -> f64 {
        let tokens = self.ways.get(&Way::Tokens(Whose::Ours, alg)).into_iter().flatten();
        let bare = self.bare.get(alg).into_iter().flatten();
        median(tokens.zip(bare).map(|(tokens, bare)| tokens.per_second() / bare).collect())
    }
}

/// What is wanted, and what came of it.
struct Target {
    what: String,
    wanted: &'static str,
    measured: String,
    verdict: &'static str,
}

impl Target {
    fn new(what: impl Into<String>, wanted: &'static str, measured: String, met: bool) -> Self {
        let verdict = if met { "met" } else { "**not met**" };
        Self { what: what.into(), wanted, measured, verdict }
    }

    /// So many a second.
    fn rate(what: &str, wanted: &'static str, here: f64, least: f64, slower: f64) -> Self {
        let there = here * slower;
        let measured = format!("{}/s ({}/s there)", thousands(here), thousands(there));
        let target = Self::new(what, wanted, measured, here >= least);
        if here < least && there >= least { Self { verdict: "met there", ..target } } else { target }
    }
}

pub(crate) fn markdown(measured: &Measured) -> String {
    let mut out = String::new();
    out.push_str("\n## Targets\n\n| what | target | measured | |\n|---|---|---|---|\n");
    for target in targets(measured) {
        let Target { what, wanted, measured, verdict } = target;
        let _ = writeln!(out, "| {what} | {wanted} | {measured} | {verdict} |");
    }
    keys(&mut out, measured);
    throughput(&mut out, measured);
    rotation(&mut out, measured);
    out
}

fn targets(measured: &Measured) -> Vec<Target> {
    let jwks = measured.per_second(Way::Jwks(Whose::Ours));
    let times = measured.ratio(Way::Jwks(Whose::Ours), Way::Jwks(Whose::Node));
    let share = measured.share("RS256");
    let es256 = measured.per_second(Way::Tokens(Whose::Ours, "ES256"));
    let slower = 1e9 / ES256_THERE / measured.bare_per_second("ES256");
    let mut targets = vec![
        Target::rate("JWK set, a core", "≥ 40,000/s", jwks, 40_000.0, slower),
        Target::new("JWK set against oidc-provider", "≥ 4 ×", format!("{times:.1} ×"), times >= 4.0),
        Target::new(
            "RS256 tokens, of what the bare signature allows on a core",
            "≥ 75 %",
            format!("{:.0} %", share * 100.0),
            share >= 0.75,
        ),
        Target::rate("ES256 tokens, a core", "≥ 12,000/s", es256, 12_000.0, slower),
    ];
    for (alg, _) in ALGS {
        let over = measured.cost(alg, |cost| cost.path - cost.bare) / 1e3;
        let what = format!("{alg} key path, beyond the signature");
        targets.push(Target::new(what, "≤ 5 µs", format!("{over:.1} µs"), over <= 5.0));
    }
    for (alg, _) in ALGS {
        let p999 = |way| measured.undisturbed(way, |answered| answered.p999_us) / 1e3;
        let pause = p999(Way::Rotating(alg)) - p999(Way::Steady(alg));
        let what = format!("{alg} tokens while keys rotate, p99.9 beyond that without");
        targets.push(Target::new(what, "≤ 5 ms", format!("{pause:.1} ms"), pause <= 5.0));
    }
    targets
}

fn keys(out: &mut String, measured: &Measured) {
    out.push_str("\n## One signature (µs)\n\n| | aws-lc-rs alone | from claims to token, by the key's handle | a second, alone, for two seconds |\n|---|---|---|---|\n");
    for (alg, _) in ALGS {
        let (bare, path) = (measured.cost(alg, |c| c.bare), measured.cost(alg, |c| c.path));
        let a_second = thousands(measured.bare_per_second(alg));
        let _ = writeln!(out, "| {alg} | {:.1} | {:.1} | {a_second} |", bare / 1e3, path / 1e3);
    }
}

fn throughput(out: &mut String, measured: &Measured) {
    out.push_str(
        "\n## Requests a second on one core, 64 connections\n\n\
         | | Sealwright | p50, p99 (ms) | oidc-provider | p50, p99 (ms) | ratio | of the bare signature |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut line = |title: String, ours: Way, node: Way, share: String| {
        let cell = |way| {
            let at = |what: fn(&Answered) -> f64| measured.of(way, what) / 1e3;
            format!(
                "{} | {:.1}, {:.1}",
                thousands(measured.per_second(way)),
                at(|a| a.p50_us),
                at(|a| a.p99_us)
            )
        };
        let ratio = measured.ratio(ours, node);
        let _ = writeln!(out, "| {title} | {} | {} | {ratio:.1} × | {share} |", cell(ours), cell(node));
    };
    line("JWK set".into(), Way::Jwks(Whose::Ours), Way::Jwks(Whose::Node), "–".into());
    for (alg, _) in ALGS {
        let share = format!("{:.0} %", measured.share(alg) * 100.0);
        let (ours, node) = (Way::Tokens(Whose::Ours, alg), Way::Tokens(Whose::Node, alg));
        line(format!("{alg} tokens"), ours, node, share);
    }
}

fn rotation(out: &mut String, measured: &Measured) {
    out.push_str(
        "\n## Keys that change every six seconds, under load of 4 connections (ms, the least of the rounds)\n\n\
         | | p50 | p99 | p99.9 | longest |\n|---|---|---|---|---|\n",
    );
    for (alg, _) in ALGS {
        for (title, way) in [("steady", Way::Steady(alg)), ("rotating", Way::Rotating(alg))] {
            let at = |what: fn(&Answered) -> f64| measured.undisturbed(way, what) / 1e3;
            let (p50, p99) = (at(|a| a.p50_us), at(|a| a.p99_us));
            let (p999, max) = (at(|a| a.p999_us), at(|a| a.max_us));
            let _ = writeln!(out, "| {alg}, {title} | {p50:.2} | {p99:.2} | {p999:.2} | {max:.2} |");
        }
    }
}

/// A whole number with commas, as in 12,800.
fn thousands(number: f64) -> String {
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
