//! What a validation says: an indication, why, and which checks were made.

use serde::Serialize;

/// The main status (EN 319 102-1 §5.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Indication {
    #[serde(rename = "TOTAL-PASSED")]
    TotalPassed,
    #[serde(rename = "TOTAL-FAILED")]
    TotalFailed,
    #[serde(rename = "INDETERMINATE")]
    Indeterminate,
}

impl Indication {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TotalPassed => "TOTAL-PASSED",
            Self::TotalFailed => "TOTAL-FAILED",
            Self::Indeterminate => "INDETERMINATE",
        }
    }
}

/// Why it is not `TOTAL-PASSED` (EN 319 102-1 §5.1.3, tables 2 and 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SubIndication {
    /// It is not a signature of a form that is known here.
    FormatFailure,
    /// The signature does not match: document, header or signature were changed.
    SigCryptoFailure,
    /// The signing certificate is not there, or is not the one that was signed.
    NoSigningCertificateFound,
    /// No chain leads to an anchor.
    NoCertificateChainFound,
    /// A chain leads to an anchor and may not be used for this.
    ChainConstraintsFailure,
    /// An algorithm that is not accepted.
    CryptoConstraintsFailure,
    /// The signature lacks what a baseline signature must have.
    SigConstraintsFailure,
    /// The certificate is not valid now, and nothing proves that the signature is from when it was.
    OutOfBoundsNoPoe,
}

impl SubIndication {
    /// The indication that it comes with.
    pub(crate) fn indication(self) -> Indication {
        match self {
            Self::FormatFailure | Self::SigCryptoFailure => Indication::TotalFailed,
            Self::NoSigningCertificateFound
            | Self::NoCertificateChainFound
            | Self::ChainConstraintsFailure
            | Self::CryptoConstraintsFailure
            | Self::SigConstraintsFailure
            | Self::OutOfBoundsNoPoe => Indication::Indeterminate,
        }
    }

    /// A failed signature is final; everything else might be mended by more evidence, so it only counts
    /// when nothing is final.
    fn weight(self) -> u8 {
        match self.indication() {
            Indication::TotalFailed => 1,
            _ => 0,
        }
    }
}

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Passed,
    Failed,
    /// Something that it needs was not there.
    Skipped,
}

/// One check, by its stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) status: Status,
}

/// One signature of the document.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct SignatureReport {
    /// `jades` if it has what JAdES asks for, else `jws`.
    pub(crate) format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alg: Option<&'static str>,
    /// The subject of the certificate; believed only if `certificate_chain` and `signature` passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signer: Option<String>,
    /// What the signature claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing_time: Option<String>,
    pub(crate) checks: Vec<Check>,
}

/// The outcome for a document.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) indication: Indication,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sub_indication: Option<SubIndication>,
    pub(crate) signatures: Vec<SignatureReport>,
}

/// A report in the making: the first fault of the greatest weight decides.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) signature: SignatureReport,
    fault: Option<SubIndication>,
}

impl Draft {
    /// Notes a check that passed, or why it did not; says whether it passed.
    pub(super) fn check(&mut self, id: &'static str, outcome: Result<(), SubIndication>) -> bool {
        let status = if outcome.is_ok() { Status::Passed } else { Status::Failed };
        self.signature.checks.push(Check { id, status });
        if let Err(fault) = outcome
            && self.fault.is_none_or(|earlier| fault.weight() > earlier.weight())
        {
            self.fault = Some(fault);
        }
        outcome.is_ok()
    }

    pub(super) fn skip(&mut self, id: &'static str) {
        self.signature.checks.push(Check { id, status: Status::Skipped });
    }

    pub(super) fn finish(self) -> Report {
        Report {
            indication: self.fault.map_or(Indication::TotalPassed, SubIndication::indication),
            sub_indication: self.fault,
            signatures: vec![self.signature],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_fault_outweighs_an_open_question() {
        let mut draft = Draft::default();
        draft.check("certificate_chain", Err(SubIndication::NoCertificateChainFound));
        draft.check("signature", Err(SubIndication::SigCryptoFailure));
        draft.check("constraints", Err(SubIndication::SigConstraintsFailure));
        let report = draft.finish();
        assert_eq!(report.indication, Indication::TotalFailed);
        assert_eq!(report.sub_indication, Some(SubIndication::SigCryptoFailure));
    }

    #[test]
    fn names_on_the_wire() {
        let name = |sub| serde_json::to_value::<SubIndication>(sub).unwrap();
        assert_eq!(name(SubIndication::OutOfBoundsNoPoe), "OUT_OF_BOUNDS_NO_POE");
        assert_eq!(name(SubIndication::SigCryptoFailure), "SIG_CRYPTO_FAILURE");
        assert_eq!(serde_json::to_value(Indication::TotalPassed).unwrap(), "TOTAL-PASSED");
    }
}
