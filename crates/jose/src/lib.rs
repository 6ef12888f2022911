//! JSON Web Signature, Key and Token. CONTRACT SKELETON (bodies follow).
#![allow(missing_docs, unused_variables, clippy::todo, clippy::missing_errors_doc, dead_code)]

pub mod base64url {
    //! Strict base64url without padding (RFC 7515 §2): canonical trailing bits, no whitespace.
    #[derive(Debug, thiserror::Error)]
    #[error("not base64url")]
    pub struct DecodeError;
    pub fn encode(bytes: impl AsRef<[u8]>) -> String { todo!() }
    pub fn decode(text: &str) -> Result<Vec<u8>, DecodeError> { todo!() }
    pub fn decode_exact<const N: usize>(text: &str) -> Result<[u8; N], DecodeError> { todo!() }
}

mod alg {
    /// A fully specified signature algorithm.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum Alg { Hs256, Rs256, Ps256, Es256, Ed25519 }
    impl Alg {
        /// The IANA name, as in the `alg` header parameter.
        pub const fn name(self) -> &'static str { todo!() }
        pub fn from_name(name: &str) -> Option<Self> { todo!() }
        pub const fn is_mac(self) -> bool { todo!() }
    }
    // also Display, FromStr
}
pub use alg::Alg;

mod key {
    use super::Alg;
    use zeroize::Zeroizing;
    /// A private asymmetric key with exactly one algorithm. Debug redacted, not Clone unless cheap (Arc).
    #[derive(Clone)]
    pub struct SigningKey(());
    impl SigningKey {
        pub fn generate(alg: Alg) -> Result<Self, KeyError> { todo!() }
        /// The JWK must carry `alg`.
        pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> { todo!() }
        /// For a JWK without `alg`; one with another `alg` is refused.
        pub fn from_jwk_as(alg: Alg, jwk: &str) -> Result<Self, KeyError> { todo!() }
        /// PKCS#8, PKCS#1 or SEC1 PEM.
        pub fn from_pem(alg: Alg, pem: &str) -> Result<Self, KeyError> { todo!() }
        pub fn from_pkcs8_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> { todo!() }
        #[must_use]
        pub fn with_kid(self, kid: impl Into<String>) -> Self { todo!() }
        pub fn alg(&self) -> Alg { todo!() }
        pub fn kid(&self) -> Option<&str> { todo!() }
        pub fn verifying_key(&self) -> VerifyingKey { todo!() }
        /// The signature in its JWS form (ECDSA: r‖s, RFC 7518 §3.4).
        pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, SignError> { todo!() }
        pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> { todo!() }
        /// Private JWK with `alg` and, if there is one, `kid`.
        pub fn to_jwk(&self) -> Result<Zeroizing<String>, KeyError> { todo!() }
    }
    #[derive(Clone, Debug)]
    pub struct VerifyingKey(());
    impl VerifyingKey {
        pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> { todo!() }
        pub fn from_jwk_as(alg: Alg, jwk: &str) -> Result<Self, KeyError> { todo!() }
        /// SPKI or X.509 certificate PEM.
        pub fn from_pem(alg: Alg, pem: &str) -> Result<Self, KeyError> { todo!() }
        pub fn from_spki_der(alg: Alg, der: &[u8]) -> Result<Self, KeyError> { todo!() }
        #[must_use]
        pub fn with_kid(self, kid: impl Into<String>) -> Self { todo!() }
        pub fn alg(&self) -> Alg { todo!() }
        pub fn kid(&self) -> Option<&str> { todo!() }
        /// Public JWK: `kty`, members, `use`, `alg`, `kid`.
        pub fn to_jwk(&self) -> String { todo!() }
        pub fn to_spki_der(&self) -> Vec<u8> { todo!() }
        /// RFC 7638, SHA-256.
        pub fn thumbprint(&self) -> [u8; 32] { todo!() }
        /// Verifies a bare signature in its JWS form.
        pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> { todo!() }
    }
    /// A symmetric key (HMAC), at least as long as the hash; never made from public-key bytes.
    #[derive(Clone)]
    pub struct MacKey(());
    impl MacKey {
        pub fn generate(alg: Alg) -> Result<Self, KeyError> { todo!() }
        pub fn from_bytes(alg: Alg, secret: &[u8]) -> Result<Self, KeyError> { todo!() }
        pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> { todo!() }
    }
    /// Public keys of a JWK set. A key that we don't know is skipped and listed, never fatal.
    #[derive(Clone, Debug)]
    pub struct JwkSet(());
    impl JwkSet {
        /// A key without `alg` gets the one algorithm of `allowed` that fits it; two that fit skip the key.
        pub fn parse(json: &str, allowed: &[Alg]) -> Result<Self, KeyError> { todo!() }
        pub fn from_keys(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeyError> { todo!() }
        pub fn keys(&self) -> &[VerifyingKey] { todo!() }
        pub fn skipped(&self) -> &[(usize, KeyError)] { todo!() }
        pub fn to_json(&self) -> String { todo!() }
    }
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum KeyError { #[error("…")] Todo }
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum SignError { #[error("…")] Todo }
    use super::VerifyError;
    /// ECDSA r‖s (JWS) to DER (X.509) and back.
    pub mod ecdsa {
        use super::SignError;
        pub fn fixed_to_der(fixed: &[u8]) -> Result<Vec<u8>, SignError> { todo!() }
        pub fn der_to_fixed(der: &[u8], coordinate_len: usize) -> Result<Vec<u8>, SignError> { todo!() }
    }
}
pub use key::{ecdsa, JwkSet, KeyError, MacKey, SignError, SigningKey, VerifyingKey};

/// One opaque error for callers; [`VerifyError::kind`] for logs.
#[derive(Debug, thiserror::Error)]
#[error("the signature is not valid")]
pub struct VerifyError(VerifyErrorKind);
impl VerifyError {
    pub fn kind(&self) -> VerifyErrorKind { self.0 }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyErrorKind { Malformed, TooLarge, AlgNotAllowed, Critical, TypMismatch, KeyUnknown, KeyAmbiguous, Signature }

pub mod jws {
    use super::*;
    /// A protected header under construction: written compactly, in the order of the calls, `alg` first.
    #[derive(Clone, Debug)]
    pub struct Header(());
    impl Header {
        pub fn new(alg: Alg) -> Self { todo!() }
        #[must_use]
        pub fn kid(self, kid: &str) -> Self { todo!() }
        #[must_use]
        pub fn typ(self, typ: &str) -> Self { todo!() }
        #[must_use]
        pub fn cty(self, cty: &str) -> Self { todo!() }
        /// Any other parameter. `alg`, `kid`, `typ`, `cty`, `crit`, `b64` and a second of the same name are refused at `prepare`.
        #[must_use]
        pub fn param(self, name: &str, value: serde_json::Value) -> Self { todo!() }
    }
    /// What is to be signed, by a key that may live elsewhere.
    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub enum SigningInput<'a> { Message(&'a [u8]) }
    /// First phase of signing: header and payload fixed.
    pub struct Prepared(());
    pub fn prepare(header: Header, payload: &[u8]) -> Result<Prepared, SignError> { todo!() }
    impl Prepared {
        pub fn alg(&self) -> Alg { todo!() }
        pub fn signing_input(&self) -> SigningInput<'_> { todo!() }
        /// Second phase; checks the signature's length for the algorithm.
        pub fn finish_compact(self, signature: &[u8]) -> Result<String, SignError> { todo!() }
        pub fn finish_flattened(self, signature: &[u8]) -> Result<String, SignError> { todo!() }
    }
    /// Signs with a key at hand: `alg` and `kid` come from the key.
    pub struct Signer(());
    impl Signer {
        pub fn new(key: &SigningKey) -> Self { todo!() }
        pub fn with_mac(key: &MacKey) -> Self { todo!() }
        #[must_use]
        pub fn typ(self, typ: &str) -> Self { todo!() }
        #[must_use]
        pub fn param(self, name: &str, value: serde_json::Value) -> Self { todo!() }
        pub fn sign_compact(&self, payload: &[u8]) -> Result<String, SignError> { todo!() }
        pub fn sign_flattened(&self, payload: &[u8]) -> Result<String, SignError> { todo!() }
    }

    /// The policy, built once, shared by all requests.
    #[derive(Clone, Debug)]
    pub struct Verifier(());
    impl Verifier {
        /// `algs` must not be empty.
        pub fn builder<const N: usize>(algs: [Alg; N]) -> VerifierBuilder { todo!() }
        pub fn builder_from(algs: &[Alg]) -> VerifierBuilder { todo!() }
        pub fn verify_compact<'t>(&self, jws: &'t str, scratch: &'t mut Scratch) -> Result<Verified<'t>, VerifyError> { todo!() }
        pub fn verify_flattened<'t>(&self, json: &'t str, scratch: &'t mut Scratch) -> Result<Verified<'t>, VerifyError> { todo!() }
    }
    pub struct VerifierBuilder(());
    impl VerifierBuilder {
        #[must_use]
        pub fn key(self, key: VerifyingKey) -> Self { todo!() }
        #[must_use]
        pub fn keys(self, set: &JwkSet) -> Self { todo!() }
        #[must_use]
        pub fn mac_key(self, key: MacKey) -> Self { todo!() }
        /// Accepted `typ` values (RFC 8725bis §3.11 comparison); none named: `typ` is not looked at.
        #[must_use]
        pub fn typ(self, typ: &str) -> Self { todo!() }
        #[must_use]
        pub fn typ_optional(self, optional: bool) -> Self { todo!() }
        /// A critical parameter that the application understands and will process itself.
        #[must_use]
        pub fn understands(self, name: &str) -> Self { todo!() }
        #[must_use]
        pub fn limits(self, limits: Limits) -> Self { todo!() }
        pub fn build(self) -> Result<Verifier, BuildError> { todo!() }
    }
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum BuildError { #[error("…")] Todo }
    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub struct Limits { pub header_bytes: usize, pub token_bytes: usize, pub signatures: usize, pub nesting: usize }
    impl Default for Limits { fn default() -> Self { todo!() } }
    impl Limits { #[must_use] pub fn token_bytes(self, n: usize) -> Self { todo!() } }
    /// Buffers that the caller keeps, so that verifying does not allocate.
    #[derive(Default)]
    pub struct Scratch(Vec<u8>);
    impl Scratch { pub fn new() -> Self { Self::default() } }
    /// What only verification can make.
    #[derive(Debug)]
    pub struct Verified<'t>(std::marker::PhantomData<&'t ()>);
    impl<'t> Verified<'t> {
        pub fn payload(&self) -> &'t [u8] { todo!() }
        pub fn alg(&self) -> Alg { todo!() }
        pub fn kid(&self) -> Option<&str> { todo!() }
        pub fn typ(&self) -> Option<&str> { todo!() }
        /// A protected header parameter as JSON.
        pub fn header(&self, name: &str) -> Option<serde_json::Value> { todo!() }
        /// The key that verified it; `None` for a MAC.
        pub fn key(&self) -> Option<&VerifyingKey> { todo!() }
    }
    /// What was only parsed: nothing in it may be believed.
    #[derive(Debug)]
    pub struct Unverified(());
    impl Unverified {
        pub fn peek_compact(jws: &str) -> Result<Self, VerifyError> { todo!() }
        pub fn peek_flattened(json: &str) -> Result<Self, VerifyError> { todo!() }
        /// The protected header's JSON.
        pub fn protected_header(&self) -> &str { todo!() }
        pub fn header(&self, name: &str) -> Option<serde_json::Value> { todo!() }
        pub fn dangerous_payload(&self) -> &[u8] { todo!() }
    }
}

pub mod jwt {
    //! Claims with strict types (RFC 7519 §4.1); time is an argument.
    use super::*;
    /// A claims set: one JSON object, no duplicate names, registered claims of the right type.
    #[derive(Clone, Debug)]
    pub struct Claims(());
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum ClaimsError { #[error("…")] Todo }
    impl Claims {
        pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> { todo!() }
        pub fn iss(&self) -> Option<&str> { todo!() }
        pub fn sub(&self) -> Option<&str> { todo!() }
        pub fn jti(&self) -> Option<&str> { todo!() }
        pub fn aud(&self) -> impl Iterator<Item = &str> { std::iter::empty() }
        /// Seconds since the epoch, as are the others; a fraction is cut off.
        pub fn exp(&self) -> Option<i64> { todo!() }
        pub fn nbf(&self) -> Option<i64> { todo!() }
        pub fn iat(&self) -> Option<i64> { todo!() }
        pub fn get(&self, name: &str) -> Option<&serde_json::Value> { todo!() }
        pub fn as_map(&self) -> &serde_json::Map<String, serde_json::Value> { todo!() }
    }
}
