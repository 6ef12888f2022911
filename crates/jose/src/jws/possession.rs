//! Tokens that bring their own key along, to prove that whoever made them has it.

use std::{borrow::Cow, fmt, str};

use crate::{
    Alg, KeyError, VerifyError, VerifyErrorKind, VerifyingKey, base64url,
    header::{self, Header, HeaderRules},
    json,
    jwk::Jwk,
    jws::{
        BuildError, Limits, Policy, Scratch, compact, remembered::Remembered, rules::Rules, scratch::Room,
    },
};

/// Verifies proofs of possession: compact tokens whose `jwk` header parameter is the public half of
/// the key that signed them, as in DPoP (RFC 9449 §4.2).
///
/// It says that the sender has a private key and nothing else, since anybody can make a key. Who that
/// is, the caller knows from elsewhere: by the key's [thumbprint](VerifyingKey::thumbprint) in an
/// access token, for example. A [`Verifier`](super::Verifier) never takes a key from a token, and this
/// one takes no other; so that a token of one sort cannot pass for the other, `typ` must be named.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{PossessionVerifier, Scratch, Signer}};
///
/// let key = SigningKey::generate(Alg::Es256)?;
/// let jwk = serde_json::from_str(&key.verifying_key().to_jwk())?;
/// let proof = Signer::new(&key).typ("dpop+jwt").param("jwk", jwk).sign_compact(br#"{"htm":"GET"}"#)?;
///
/// let verifier = PossessionVerifier::new(&[Alg::Es256, Alg::Ed25519], "dpop+jwt")?;
/// let mut scratch = Scratch::new();
/// let proof = verifier.verify_compact(&proof, &mut scratch)?;
/// assert_eq!(proof.key().thumbprint(), key.verifying_key().thumbprint());
/// assert_eq!(proof.payload(), br#"{"htm":"GET"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PossessionVerifier(Rules);

impl PossessionVerifier {
    /// A verifier of proofs of this `typ`, compared as RFC 8725bis §3.11 says, made with one of these
    /// algorithms.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoAlgorithm`] for an empty list, and [`BuildError::MacProvesNothing`] for a
    /// symmetric algorithm: a key that the token shows is no secret.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::{BuildError, PossessionVerifier}};
    ///
    /// let error = PossessionVerifier::new(&[Alg::Es256, Alg::Hs256], "dpop+jwt").unwrap_err();
    /// assert_eq!(error, BuildError::MacProvesNothing);
    /// ```
    pub fn new(algs: &[Alg], typ: &str) -> Result<Self, BuildError> {
        if algs.is_empty() {
            return Err(BuildError::NoAlgorithm);
        }
        if algs.iter().any(|alg| alg.is_mac()) {
            return Err(BuildError::MacProvesNothing);
        }
        let limits = Limits::default();
        Ok(Self(Rules {
            header: HeaderRules::new(Policy::Strict, &limits),
            algs: algs.to_vec(),
            keys: Vec::new(),
            lone_key: false,
            signature_len: 0,
            typ: vec![typ.to_owned()],
            typ_optional: false,
            try_all: 1,
            limits,
            remembered: Remembered::new(),
        }))
    }

    /// Replaces the [default limits](Limits::default).
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::{Limit, Limits, PossessionError, PossessionVerifier, Scratch}};
    ///
    /// let limits = Limits::default().token_bytes(2048);
    /// let verifier = PossessionVerifier::new(&[Alg::Es256], "dpop+jwt")?.limits(limits);
    /// let mut scratch = Scratch::new();
    /// let refused = verifier.verify_compact(&"A".repeat(2049), &mut scratch).map(drop);
    /// assert!(matches!(refused, Err(PossessionError::Token(error)) if error.limit() == Some(Limit::Token)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.0.header.nesting = limits.nesting;
        self.0.limits = limits;
        self
    }

    /// Verifies a compact JWS by the key in its own header, and lends its payload.
    ///
    /// The key is public, fits the algorithm, is not weak, and is not reserved for another use; if it
    /// names an algorithm, it is that of the header.
    ///
    /// # Errors
    ///
    /// [`KeyMissing`](PossessionError::KeyMissing) without a `jwk`, [`KeySecret`](PossessionError::KeySecret) for
    /// one that is private or symmetric, [`Key`](PossessionError::Key) for one that cannot be used, and
    /// [`Token`](PossessionError::Token) for all else, also a signature by another key. Nothing of the token is
    /// returned unless the signature matches.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind};
    /// use sealwright_jose::jws::{PossessionError, PossessionVerifier, Scratch, Signer};
    ///
    /// let (thief, victim) = (SigningKey::generate(Alg::Ed25519)?, SigningKey::generate(Alg::Ed25519)?);
    /// let jwk = serde_json::from_str(&victim.verifying_key().to_jwk())?;
    /// let forged = Signer::new(&thief).typ("dpop+jwt").param("jwk", jwk).sign_compact(b"{}")?;
    ///
    /// let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
    /// let error = verifier.verify_compact(&forged, &mut Scratch::new()).unwrap_err();
    /// assert!(matches!(error, PossessionError::Token(error) if error.kind() == VerifyErrorKind::Signature));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_compact<'t>(
        &'t self,
        jws: &'t str,
        scratch: &'t mut Scratch,
    ) -> Result<Possession<'t>, PossessionError> {
        let rules = &self.0;
        rules.check_token(jws).map_err(VerifyError::from)?;
        let parts = compact::split(jws).map_err(VerifyError::from)?;
        let mut room = scratch.room(base64url::decoded_len(jws.len()));
        let header = rules.header(parts.protected, &mut room)?;
        let algs = self.allowed(&header)?;
        let typ = header.typ.map(json::Str::decoded);
        let key = embedded_key(header.text, &algs)?;
        let (payload, signature) = decode(rules, &parts, &mut room)?;
        key.verify(parts.signing_input.as_bytes(), signature)?;
        Ok(Possession { key, payload, header: header.text, typ })
    }

    /// Which of the allowed algorithms the header means, after all else in it was checked: one, or for
    /// `EdDSA` those of its curves.
    fn allowed(&self, header: &Header<'_>) -> Result<Vec<Alg>, VerifyError> {
        let name = header.alg.ok_or(VerifyErrorKind::Malformed)?;
        let meant = self.0.meant(name)?.iter().filter(|alg| self.0.algs.contains(alg));
        header.check_critical(&self.0.header)?;
        self.0.check_typ(header)?;
        Ok(meant.copied().collect())
    }
}

fn embedded_key(header: &str, algs: &[Alg]) -> Result<VerifyingKey, PossessionError> {
    let jwk = json::member(header, "jwk").ok_or(PossessionError::KeyMissing)?;
    let jwk = Jwk::parse(jwk.raw())?;
    if jwk.is_secret() {
        return Err(PossessionError::KeySecret);
    }
    let (alg, _) = jwk.alg_among(algs)?;
    Ok(VerifyingKey::from_parsed(&jwk, alg)?)
}

fn decode<'t>(
    rules: &Rules,
    parts: &compact::Parts<'_>,
    room: &mut Room<'t>,
) -> Result<(&'t [u8], &'t [u8]), VerifyError> {
    rules.check_payload(parts.payload, false)?;
    rules.check_signature(parts.signature)?;
    Ok((room.decode(parts.payload)?, room.decode(parts.signature)?))
}

/// A token that was signed with the key that it carries. Only a [`PossessionVerifier`] can make one.
///
/// ```
/// # use sealwright_jose::{Alg, SigningKey, jws::{PossessionVerifier, Scratch, Signer}};
/// # let key = SigningKey::generate(Alg::Ed25519)?;
/// # let jwk: serde_json::Value = serde_json::from_str(&key.verifying_key().to_jwk())?;
/// # let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
/// # let mut scratch = Scratch::new();
/// let token = Signer::new(&key).typ("dpop+jwt").param("jwk", jwk).sign_compact(br#"{"htm":"GET"}"#)?;
/// let proof = verifier.verify_compact(&token, &mut scratch)?;
/// assert_eq!((proof.key(), proof.payload()), (&key.verifying_key(), &br#"{"htm":"GET"}"#[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Possession<'t> {
    key: VerifyingKey,
    payload: &'t [u8],
    header: &'t str,
    typ: Option<Cow<'t, str>>,
}

impl<'t> Possession<'t> {
    /// The key that the sender has, which proves nothing until it is compared with one that is known.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, jws::{PossessionVerifier, Scratch}};
    /// # let verifier = PossessionVerifier::new(&[Alg::Es256], "dpop+jwt")?;
    /// # let token = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    /// // The proof of RFC 9449 §7.1, and what the access token beside it says of the key (§6.1).
    /// let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    /// let mut scratch = Scratch::new();
    /// let proof = verifier.verify_compact(token, &mut scratch)?;
    /// assert_eq!(proof.key().thumbprint_base64url(), jkt);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The bytes that were signed as payload, decoded.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::{PossessionVerifier, Scratch, Signer}};
    /// # let key = SigningKey::generate(Alg::Ed25519)?;
    /// # let jwk: serde_json::Value = serde_json::from_str(&key.verifying_key().to_jwk())?;
    /// # let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
    /// # let mut scratch = Scratch::new();
    /// let signer = Signer::new(&key).typ("dpop+jwt").param("jwk", jwk);
    /// let token = signer.sign_compact(br#"{"htm":"POST","htu":"https://api.example/pay"}"#)?;
    /// let proof = verifier.verify_compact(&token, &mut scratch)?;
    /// let claims: serde_json::Value = serde_json::from_slice(proof.payload())?;
    /// assert_eq!(claims["htu"], "https://api.example/pay", "the caller knows which it is");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn payload(&self) -> &'t [u8] {
        self.payload
    }

    /// The protected header's JSON, byte for byte as it was signed; the key stands in it as it was sent.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::{PossessionVerifier, Scratch, Signer}};
    /// # let key = SigningKey::generate(Alg::Ed25519)?;
    /// # let jwk: serde_json::Value = serde_json::from_str(&key.verifying_key().to_jwk())?;
    /// # let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
    /// # let mut scratch = Scratch::new();
    /// let signer = Signer::new(&key).typ("dpop+jwt").param("jwk", jwk.clone());
    /// let token = signer.sign_compact(b"{}")?;
    /// let proof = verifier.verify_compact(&token, &mut scratch)?;
    /// let header: serde_json::Value = serde_json::from_str(proof.protected_header())?;
    /// assert_eq!(header, serde_json::json!({"alg": "Ed25519", "typ": "dpop+jwt", "jwk": jwk}));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn protected_header(&self) -> &'t str {
        self.header
    }

    /// A parameter of the protected header as JSON, if it is there.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::{PossessionVerifier, Scratch, Signer}};
    /// # let key = SigningKey::generate(Alg::Ed25519)?;
    /// # let jwk: serde_json::Value = serde_json::from_str(&key.verifying_key().to_jwk())?;
    /// # let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
    /// # let mut scratch = Scratch::new();
    /// let signer = Signer::new(&key).typ("dpop+jwt").param("jwk", jwk).param("nonce", "n-1".into());
    /// let token = signer.sign_compact(b"{}")?;
    /// let proof = verifier.verify_compact(&token, &mut scratch)?;
    /// assert_eq!((proof.header("nonce"), proof.header("kid")), (Some("n-1".into()), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<serde_json::Value> {
        header::parameter(self.header, name)
    }

    /// The `typ` of the protected header, as it is spelt there. It is the one that the verifier was made for.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::{PossessionVerifier, Scratch, Signer}};
    /// # let key = SigningKey::generate(Alg::Ed25519)?;
    /// # let jwk: serde_json::Value = serde_json::from_str(&key.verifying_key().to_jwk())?;
    /// # let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
    /// # let mut scratch = Scratch::new();
    /// let token = Signer::new(&key).typ("application/DPoP+jwt").param("jwk", jwk).sign_compact(b"{}")?;
    /// assert_eq!(verifier.verify_compact(&token, &mut scratch)?.typ(), Some("application/DPoP+jwt"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }
}

impl fmt::Debug for Possession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Possession").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a token proves nothing.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{PossessionError, PossessionVerifier, Scratch, Signer}};
///
/// let key = SigningKey::generate(Alg::Ed25519)?;
/// let token = Signer::new(&key).typ("dpop+jwt").sign_compact(b"{}")?;
/// let verifier = PossessionVerifier::new(&[Alg::Ed25519], "dpop+jwt")?;
/// let error = verifier.verify_compact(&token, &mut Scratch::new()).unwrap_err();
/// assert_eq!(error, PossessionError::KeyMissing);
/// assert_eq!(error.to_string(), "the token brings no key");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PossessionError {
    /// The token is malformed, of another type, for another algorithm, or its signature is not one of
    /// the key in it.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// There is no `jwk` in its header.
    #[error("the token brings no key")]
    KeyMissing,
    /// Its `jwk` is private or symmetric: a secret that was sent is none any more.
    #[error("the token brings a secret key")]
    KeySecret,
    /// Its `jwk` is broken, weak, or not for that algorithm and use.
    #[error("the token's key cannot be used")]
    Key(#[from] KeyError),
}
