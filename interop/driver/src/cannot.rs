//! What a peer cannot do, or what we refuse of it, and why. Each row is put to the test: a cell that goes through after all
//! fails the run, and so does one that is refused in other words, or a row that fits no cell.

use serde_json::Value;

use crate::report::{Cell, Direction, Report};

/// One row: cells that must fail, and how.
pub(crate) struct Cannot {
    peer: &'static str,
    directions: &'static [Direction],
    /// Forms or formats; a `*` at either end stands for any text.
    what: &'static [&'static str],
    algs: &'static [&'static str],
    /// One of these must stand in the words of whoever refuses.
    says: &'static [&'static str],
    /// For whoever reads this table.
    because: &'static str,
    /// A runtime that does it from that version on, whatever the library's own version is.
    until: Option<Runtime>,
}

/// A runtime's name among the versions that a process tells of itself, and the major and minor version that brings it.
type Runtime = (&'static str, (u32, u32));

const ANY: &[&str] = &["*"];

const SIGNS: &[Direction] = &[Direction::WeVerify];
const READS: &[Direction] = &[Direction::TheyReadPrivate, Direction::TheyReadPublic];
const WRITES: &[Direction] = &[Direction::WeReadPrivate, Direction::WeReadPublic];
const ALL: &[Direction] = &[
    Direction::TheyVerify,
    Direction::WeVerify,
    Direction::TheyReadPrivate,
    Direction::TheyReadPublic,
    Direction::WeReadPrivate,
    Direction::WeReadPublic,
];

const TABLE: &[Cannot] = &[
    Cannot {
        peer: "joserfc",
        directions: WRITES,
        what: &["traditional-*", "pkcs1-*", "certificate-*", "*openssh"],
        algs: ANY,
        says: &["no function writes"],
        because: "its as_pem and as_der write PKCS#8 and SPKI alone",
        until: None,
    },
    Cannot {
        peer: "jwcrypto",
        directions: WRITES,
        what: &["*-der", "traditional-*", "pkcs1-*", "certificate-*", "*openssh"],
        algs: ANY,
        says: &["no function writes"],
        because: "its export_to_pem writes PKCS#8 and SPKI in PEM alone",
        until: None,
    },
    Cannot {
        peer: "jwcrypto",
        directions: READS,
        what: &["*-der"],
        algs: ANY,
        says: &["no function reads DER"],
        because: "it reads PEM and JWK alone",
        until: None,
    },
    Cannot {
        peer: "jwcrypto",
        directions: SIGNS,
        what: &["*detached-flattened", "*detached-general"],
        algs: ANY,
        says: &["malformed"],
        because: "it writes an empty payload where RFC 7515 appendix F has none, and to us an empty payload is one",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: READS,
        what: &["encrypted-*"],
        algs: ANY,
        says: &["no function takes a password"],
        because: "it reads private keys without password alone",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: WRITES,
        what: &["*-pem", "*-der", "*openssh"],
        algs: ANY,
        says: &["keys are written as JWK only"],
        because: "its algorithms have to_jwk and no other way out",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: READS,
        what: &["*-der"],
        algs: ANY,
        says: &["Could not parse the provided public key", "Unable to load PEM file", "codec can't decode"],
        because: "it hands bytes to readers of PEM alone",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: &[Direction::TheyVerify],
        what: &["*flattened", "*general"],
        algs: ANY,
        says: &["Not enough segments"],
        because: "it has no JSON serialization",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: SIGNS,
        what: &["*flattened", "*general", "detached", "unencoded"],
        algs: ANY,
        says: &["no function writes the form"],
        because: "it writes the compact form, and unencoded payloads detached alone",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: &[Direction::TheyVerify],
        what: &["detached"],
        algs: ANY,
        says: &["only valid to pass \"detached_payload\" when the protected header has \"b64\""],
        because: "it takes a detached payload only if it is unencoded",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: &[Direction::TheyVerify],
        what: &["unencoded"],
        algs: ANY,
        says: &["Payload segment must be empty when 'b64' is false"],
        because: "it takes an unencoded payload only if it is detached",
        until: None,
    },
    Cannot {
        peer: "jwcrypto",
        directions: &[Direction::TheyVerify],
        what: &["unencoded"],
        algs: ANY,
        says: &["Verification failed for all signatures", "Invalid format"],
        because: "it decodes the unencoded payload of the compact form, and verifies something else",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: ALL,
        what: ANY,
        algs: &["Ed25519", "Ed448"],
        says: &["Ed25519", "Ed448"],
        because: "it knows the old name EdDSA alone (RFC 9864)",
        until: None,
    },
    Cannot {
        peer: "joserfc",
        directions: ALL,
        what: ANY,
        algs: &["ML-DSA-*"],
        says: &["Invalid key type: 'AKP'", "no key type for ML-DSA-"],
        because: "it has no ML-DSA and no AKP keys (RFC 9964)",
        until: None,
    },
    Cannot {
        peer: "PyJWT",
        directions: ALL,
        what: ANY,
        algs: &["ML-DSA-*"],
        says: &["Unable to find an algorithm for key: {", "no algorithm ML-DSA-"],
        because: "it has no ML-DSA and no AKP keys (RFC 9964)",
        until: None,
    },
    Cannot {
        peer: "jose",
        directions: ALL,
        what: ANY,
        algs: &["ES256K", "Ed448"],
        says: &["ERR_JOSE_NOT_SUPPORTED"],
        because: "Web Cryptography has neither secp256k1 nor Ed448, and the library nothing else",
        until: None,
    },
    Cannot {
        peer: "jose",
        directions: ALL,
        what: ANY,
        algs: &["ML-DSA-*"],
        says: &["Unrecognized algorithm name"],
        because: "Web Cryptography has ML-DSA from Node 24.7 on",
        until: Some(("node", (24, 7))),
    },
    Cannot {
        peer: "cryptography",
        directions: ALL,
        what: ANY,
        algs: &["HS*"],
        says: &["a symmetric key is bytes"],
        because: "it has no format for symmetric keys",
        until: None,
    },
    Cannot {
        peer: "jose",
        directions: READS,
        what: &["*-der"],
        algs: ANY,
        says: &["no function reads", "no function takes a password"],
        because: "it reads PEM and JWK alone",
        until: None,
    },
    Cannot {
        peer: "jose",
        directions: READS,
        what: &["encrypted-*"],
        algs: ANY,
        says: &["no function takes a password"],
        because: "it reads private keys without password alone",
        until: None,
    },
    Cannot {
        peer: "jose",
        directions: WRITES,
        what: &["*-der", "encrypted-*", "traditional-*", "pkcs1-*", "certificate-*", "*openssh"],
        algs: ANY,
        says: &["no function writes"],
        because: "its exportPKCS8 and exportSPKI write PEM alone",
        until: None,
    },
];

/// What came of a cell: nothing, if tokens and keys went through whole.
pub(crate) type Outcome = Result<(), Refusal>;

/// The rows that hold for the versions at hand.
pub(crate) struct Table(Vec<(usize, &'static Cannot)>);

impl Table {
    /// `versions` is what a process tells of itself.
    pub(crate) fn new(versions: &Value) -> Self {
        let reached = |(runtime, (major, minor)): &Runtime| {
            let mut numbers =
                versions[*runtime].as_str().unwrap_or_default().split('.').map(str::parse::<u32>);
            let (have_major, have_minor) = (numbers.next(), numbers.next());
            matches!((have_major, have_minor), (Some(Ok(a)), Some(Ok(b))) if (a, b) >= (*major, *minor))
        };
        let is_here = |row: &Cannot| versions[row.peer].is_string();
        let holds = |row: &Cannot| is_here(row) && !row.until.as_ref().is_some_and(reached);
        Self(TABLE.iter().enumerate().filter(|(_, row)| holds(row)).collect())
    }

    /// Judges a cell by what came of it.
    pub(crate) fn judge(&self, report: &mut Report, cell: &Cell<'_>, outcome: Outcome) {
        let rows: Vec<_> = self.0.iter().filter(|(_, row)| row.covers(cell)).collect();
        let foretold = |words: &str| {
            let row = rows.iter().find(|(_, row)| row.says.iter().any(|says| words.contains(says)));
            row.map(|(at, _)| *at)
        };
        match outcome {
            Ok(()) => match rows.first() {
                None => report.passed(cell),
                Some((_, row)) => {
                    let why = format!("it can do that now: take the row out that says \"{}\"", row.because);
                    report.failed(cell, &why);
                }
            },
            Err(Refusal::Theirs(words)) => match foretold(&words) {
                Some(row) => report.cannot(cell, row),
                None => report.failed(cell, &format!("the peer says: {words}")),
            },
            Err(Refusal::Ours(words)) => match foretold(&words) {
                Some(row) => report.cannot(cell, row),
                None => report.failed(cell, &format!("we say: {words}")),
            },
            Err(Refusal::Accepted(words)) => report.failed(cell, &words),
        }
    }

    /// Every row that no cell has met.
    pub(crate) fn unmet(&self, report: &Report) -> Vec<String> {
        let unmet = self.0.iter().filter(|(at, _)| !report.has_met(*at));
        unmet.map(|(_, row)| format!("{}: no cell is like the row \"{}\"", row.peer, row.because)).collect()
    }
}

/// Why a cell did not go through.
pub(crate) enum Refusal {
    /// The peer would not do its part.
    Theirs(String),
    /// We would not do ours.
    Ours(String),
    /// Something was accepted that must not be, or changed on its way.
    Accepted(String),
}

impl Cannot {
    fn covers(&self, cell: &Cell<'_>) -> bool {
        self.peer == cell.peer
            && self.directions.contains(&cell.direction)
            && self.what.iter().any(|pattern| fits(pattern, cell.what))
            && self.algs.iter().any(|pattern| fits(pattern, cell.alg))
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text_at_one_end() {
        assert!(fits("*", "ES256"));
        assert!(fits("ML-DSA-*", "ML-DSA-44"));
        assert!(fits("*-general", "detached-general"));
        assert!(!fits("ES256", "ES256K"));
        assert!(!fits("*general", "flattened"));
    }
}
