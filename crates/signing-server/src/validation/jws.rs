//! One JWS with a certificate: JAdES B-B, or a plain JWS with `x5c`.

use sealwright_jose::{
    Alg, VerifyErrorKind, VerifyingKey, base64url,
    jws::{Limits, Policy, Scratch, Unverified, Verifier, VerifierBuilder},
};
use sealwright_service::clock::Timestamp;
use serde_json::Value;

use super::{
    Anchors, Report,
    certificate::ParsedCertificate,
    chain::{self, Chain},
    report::{Draft, SubIndication},
};

/// What signatures may be made with.
const ALGS: [Alg; 4] = [Alg::Es256, Alg::Rs256, Alg::Ps256, Alg::Ed25519];
const MAX_CERTIFICATES: usize = 8;

/// Validates `document` at `now` against `anchors`.
///
/// It decodes and hashes the whole document: not for a thread that serves.
pub(crate) fn validate(document: &[u8], anchors: &Anchors, now: Timestamp) -> Report {
    let mut draft = Draft::default();
    draft.signature.format = "jws";
    let Some(parsed) = Parsed::read(document) else {
        draft.check("format", Err(SubIndication::FormatFailure));
        return draft.finish();
    };
    draft.check("format", Ok(()));
    parsed.describe(&mut draft);

    let certificates = parsed.signing_certificates();
    draft.check("signing_certificate", certificates.as_ref().map(drop).map_err(|fault| *fault));
    match certificates.as_deref() {
        Ok([leaf, others @ ..]) => {
            draft.signature.signer = Some(leaf.subject());
            check_chain(&mut draft, chain::find(leaf, others, anchors), now);
            draft.check("signature", parsed.verify(leaf));
            draft.check("constraints", parsed.check_constraints(Some(leaf)));
        }
        Ok([]) | Err(_) => {
            for id in
                ["certificate_chain", "chain_constraints", "certificate_validity", "revocation", "signature"]
            {
                draft.skip(id);
            }
            draft.check("constraints", parsed.check_constraints(None));
        }
    }
    draft.finish()
}

fn check_chain(draft: &mut Draft, chain: Result<Chain<'_>, SubIndication>, now: Timestamp) {
    match chain {
        Ok(chain) => {
            draft.check("certificate_chain", Ok(()));
            draft.check("chain_constraints", chain.check_constraints());
            // Without a timestamp nothing proves when the signature was made, so only now counts.
            let in_time = if chain.is_valid_at(now) { Ok(()) } else { Err(SubIndication::OutOfBoundsNoPoe) };
            draft.check("certificate_validity", in_time);
            // One-time certificates are not revoked: they are over before anybody could.
            draft.skip("revocation");
        }
        Err(fault) => {
            draft.check("certificate_chain", Err(fault));
            draft.skip("chain_constraints");
            draft.skip("certificate_validity");
            draft.skip("revocation");
        }
    }
}

/// A JWS in one of the two forms, parsed and not believed.
struct Parsed<'d> {
    text: &'d str,
    flattened: bool,
    unverified: Unverified,
}

impl<'d> Parsed<'d> {
    fn read(document: &'d [u8]) -> Option<Self> {
        let text = std::str::from_utf8(document).ok()?.trim_ascii();
        let flattened = text.starts_with('{');
        let limits = limits(text);
        let unverified = if flattened {
            Unverified::peek_flattened_with(text, Policy::Strict, &limits)
        } else {
            Unverified::peek_compact_with(text, Policy::Strict, &limits)
        };
        Some(Self { text, flattened, unverified: unverified.ok()? })
    }

    /// What the signature says about itself.
    fn describe(&self, draft: &mut Draft) {
        if self.is_baseline() {
            draft.signature.format = "jades";
            draft.signature.level = Some("B-B");
        }
        draft.signature.alg = self.alg().map(Alg::name);
        draft.signature.signing_time = self.claimed_time().map(Timestamp::to_rfc3339);
    }

    fn alg(&self) -> Option<Alg> {
        Alg::from_name(self.unverified.header("alg")?.as_str()?)
    }

    /// `iat` (NumericDate), or the older `sigT` (RFC 3339): exactly one of them (clause 5.1.11).
    fn claimed_time(&self) -> Option<Timestamp> {
        match (self.unverified.header("iat"), self.unverified.header("sigT")) {
            (Some(iat), None) => iat.as_i64().filter(|seconds| *seconds >= 0).map(Timestamp::from_secs),
            (None, Some(sig_t)) => parse_sig_t(sig_t.as_str()?),
            _ => None,
        }
    }

    /// Time, and exactly one reference to the signing certificate that is understood here.
    fn is_baseline(&self) -> bool {
        let has = |name: &str| self.unverified.header(name).is_some();
        self.claimed_time().is_some() && has("x5t#S256") && !["x5t", "x5t#o", "sigX5ts"].into_iter().any(has)
    }

    /// `x5c`, leaf first; not empty, and beginning with the certificate that the signature names.
    fn signing_certificates(&self) -> Result<Vec<ParsedCertificate>, SubIndication> {
        let missing = SubIndication::NoSigningCertificateFound;
        let x5c = match self.unverified.header("x5c") {
            Some(Value::Array(x5c)) if x5c.len() <= MAX_CERTIFICATES => x5c,
            _ => return Err(missing),
        };
        let certificates: Result<Vec<_>, _> = x5c
            .iter()
            .map(|member| {
                ParsedCertificate::from_base64(member.as_str().ok_or(missing)?).map_err(|_| missing)
            })
            .collect();
        let certificates = certificates?;
        let leaf = certificates.first().ok_or(missing)?;
        // Without this another certificate for the same key could be put in its place.
        if let Some(named) = self.unverified.header("x5t#S256") {
            let named = named.as_str().and_then(|text| base64url::decode_exact::<32>(text).ok());
            if named != Some(leaf.sha256()) {
                return Err(missing);
            }
        }
        Ok(certificates)
    }

    fn verify(&self, leaf: &ParsedCertificate) -> Result<(), SubIndication> {
        // The certificate's key decides which algorithms are possible; the header can only agree.
        let keys = leaf.keys(&ALGS);
        if keys.is_empty() {
            return Err(SubIndication::CryptoConstraintsFailure);
        }
        let algs: Vec<Alg> = keys.iter().map(VerifyingKey::alg).collect();
        let builder = Verifier::builder_from(&algs).understands("sigT").limits(limits(self.text));
        let verifier = keys
            .into_iter()
            // The key stands for itself: a `kid` in the header names the certificate, not a key of ours.
            .fold(builder, VerifierBuilder::key)
            .build()
            .map_err(|_| SubIndication::CryptoConstraintsFailure)?;
        let mut scratch = Scratch::new();
        let verified = if self.flattened {
            verifier.verify_flattened(self.text, &mut scratch)
        } else {
            verifier.verify_compact(self.text, &mut scratch)
        };
        verified.map(drop).map_err(|error| match error.kind() {
            VerifyErrorKind::Signature => SubIndication::SigCryptoFailure,
            VerifyErrorKind::AlgNotAllowed | VerifyErrorKind::KeyUnknown => {
                SubIndication::CryptoConstraintsFailure
            }
            // Unknown critical parameters are refused, as RFC 7515 §4.1.11 wants.
            _ => SubIndication::FormatFailure,
        })
    }

    /// What a baseline signature must have, and that it claims a time at which its certificate was valid.
    fn check_constraints(&self, leaf: Option<&ParsedCertificate>) -> Result<(), SubIndication> {
        let in_time = match (leaf, self.claimed_time()) {
            (Some(leaf), Some(time)) => leaf.is_valid_at(time),
            _ => true,
        };
        if self.is_baseline() && in_time { Ok(()) } else { Err(SubIndication::SigConstraintsFailure) }
    }
}

/// A signed document is as long as its worker allows, which was looked at before.
fn limits(text: &str) -> Limits {
    Limits::default().token_bytes(text.len())
}

/// `YYYY-MM-DDTHH:MM:SSZ`, exactly (clause 5.2.1).
fn parse_sig_t(text: &str) -> Option<Timestamp> {
    let exact = text.len() == 20 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    let time: der::DateTime = text.parse().ok().filter(|_| exact)?;
    i64::try_from(time.unix_duration().as_secs()).ok().map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_time_has_one_form() {
        assert_eq!(parse_sig_t("2026-01-01T00:00:00Z"), Some(Timestamp::from_secs(1_767_225_600)));
        for text in ["2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z", "now", ""] {
            assert_eq!(parse_sig_t(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_jws_fails_by_its_format() {
        let anchors = Anchors::from_der([]).unwrap();
        for document in
            [&b""[..], b"hello", b"{}", b"\xff\xfe", br#"{"payload":"","signatures":[]}"#, b"a.b.c"]
        {
            let report = validate(document, &anchors, Timestamp::from_secs(0));
            assert_eq!(report.sub_indication, Some(SubIndication::FormatFailure));
        }
    }
}
