//! The verifier: a policy built once, that a token can satisfy and not change.

use std::sync::Arc;

use crate::{
    Alg, VerifyError, VerifyErrorKind, base64url,
    jws::{
        Policy, Scratch, Verified, VerifiedSignature, VerifierBuilder, compact,
        json::{Entries, Envelope},
        rules::Rules,
        scratch::Room,
    },
};

/// Verifies by a policy that was built once: algorithms, keys, type, critical parameters, limits.
/// `Send`, `Sync`, and cheap to clone.
///
/// It remembers the first few protected headers that it found validly signed, by their exact text,
/// and does not decode and parse them again. That changes how long a token takes, never what is
/// decided about it.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let tokens = [Signer::mac(&key).sign_compact(b"one")?, Signer::mac(&key).sign_compact(b"two")?];
/// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).build()?;
/// let workers = tokens.map(|token| {
///     let verifier = verifier.clone(); // not a copy: what it knows is shared
///     std::thread::spawn(move || verifier.verify_compact(&token, &mut Scratch::new()).is_ok())
/// });
/// assert_eq!(workers.map(|worker| worker.join().unwrap_or(false)), [true, true]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier(pub(super) Arc<Rules>);

impl Verifier {
    /// A verifier for these algorithms and no other.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jws::{Scratch, Verifier}};
    ///
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(MacKey::generate(Alg::Hs256)?).build()?;
    /// let unsigned = "eyJhbGciOiJub25lIn0.aGVsbG8.";
    /// let error = verifier.verify_compact(unsigned, &mut Scratch::new()).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::AlgNotAllowed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// An empty list does not compile.
    ///
    /// ```compile_fail
    /// sealwright_jose::jws::Verifier::builder([]);
    /// ```
    pub fn builder<const N: usize>(algs: [Alg; N]) -> VerifierBuilder {
        const { assert!(N > 0, "a verifier needs at least one algorithm") };
        Self::builder_from(&algs)
    }

    /// As [`builder`](Self::builder), for a list that is known only at run time;
    /// [`VerifierBuilder::build`] refuses an empty one.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{BuildError, Verifier}};
    ///
    /// let from_config = ["HS256", "HS512"].iter().map(|name| name.parse());
    /// let algs = from_config.collect::<Result<Vec<Alg>, _>>()?;
    /// let key = MacKey::generate(Alg::Hs512)?;
    /// assert!(Verifier::builder_from(&algs).mac_key(&key).build().is_ok());
    /// assert_eq!(Verifier::builder_from(&[]).mac_key(&key).build().unwrap_err(), BuildError::NoAlgorithm);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder_from(algs: &[Alg]) -> VerifierBuilder {
        VerifierBuilder::new(algs)
    }

    /// A verifier that decides as joserfc 1.8.0 does: [`Policy::Joserfc`](super::Policy::Joserfc) with
    /// [`Alg::RECOMMENDED`], the algorithms that joserfc allows where the caller names none.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{BuildError, Verifier}};
    ///
    /// let short = MacKey::insecure_from_short_bytes(Alg::Hs256, b"secret")?;
    /// assert!(Verifier::joserfc().mac_key(&short).build().is_ok());
    /// let error = Verifier::builder([Alg::Hs256]).mac_key(&short).build().unwrap_err();
    /// assert_eq!(error, BuildError::WeakKey);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn joserfc() -> VerifierBuilder {
        Self::builder(Alg::RECOMMENDED).policy(Policy::Joserfc)
    }

    /// Verifies a compact JWS and lends its payload.
    ///
    /// The algorithms and keys are those that this verifier was built with; the token's `alg` and
    /// `kid` can choose among them, never widen them. Nothing of the token is returned unless the
    /// signature matches.
    ///
    /// # Errors
    ///
    /// One opaque [`VerifyError`], whatever was wrong, so that a caller who passes it on is no
    /// oracle; [`VerifyError::kind`] tells logs whether the token was malformed, its algorithm not
    /// allowed, its key unknown or its signature false.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).build()?;
    ///
    /// let mut scratch = Scratch::new();
    /// for payload in [&b"one"[..], b"two"] {
    ///     let token = Signer::mac(&key).sign_compact(payload)?;
    ///     assert_eq!(verifier.verify_compact(&token, &mut scratch)?.payload(), payload);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_compact<'t>(
        &'t self,
        jws: &'t str,
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        self.0.check_token(jws)?;
        let mut room = scratch.room(base64url::decoded_len(jws.len()));
        self.0.verify_compact(jws, &mut room)
    }

    /// Verifies a flattened JSON JWS and lends its payload. It takes the text, because a parsed
    /// value no longer shows what stood twice.
    ///
    /// `alg` counts only in the protected header, unless the [`Policy`](super::Policy) says
    /// otherwise. A `kid` in the unprotected one helps to find the key and is not reported.
    ///
    /// # Errors
    ///
    /// As [`verify_compact`](Self::verify_compact).
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = SigningKey::generate(Alg::Ed25519)?;
    /// let json = Signer::new(&key).sign_flattened(b"hello")?;
    /// let verifier = Verifier::builder([Alg::Ed25519]).key(key.verifying_key()).build()?;
    /// let mut scratch = Scratch::new();
    /// assert_eq!(verifier.verify_flattened(&json, &mut scratch)?.payload(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_flattened<'t>(
        &'t self,
        json: &'t str,
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        let envelope = self.0.envelope(json)?;
        self.0.verify_one(&envelope, None, scratch)
    }
}

impl Rules {
    /// Verifies a token that is within the limit of its size.
    pub(super) fn verify_compact<'t>(
        &'t self,
        jws: &'t str,
        room: &mut Room<'t>,
    ) -> Result<Verified<'t>, VerifyError> {
        match self.verify_split(jws, room) {
            // That it has not three parts comes before anything else.
            Err(error) => Err(compact::check_dots(jws).err().map_or(error, Into::into)),
            verified => verified,
        }
    }

    #[inline(always)]
    fn verify_split<'t>(&'t self, jws: &'t str, room: &mut Room<'t>) -> Result<Verified<'t>, VerifyError> {
        let (parts, seen) = match self.remembered.find_compact(jws) {
            Some((dot, signature_len, decision)) => {
                (compact::split_after(jws, dot, signature_len)?, Some(decision))
            }
            None => (compact::split_outside(jws, self.signature_len)?, None),
        };
        self.check_compact(jws)?;
        let is_new = seen.is_none();
        let decision = match seen {
            Some(decision) => decision,
            None => self.read_new(parts.protected, room)?,
        };
        self.check_payload(parts.payload, decision.unencoded)?;
        self.check_signature(parts.signature)?;
        let payload =
            if decision.unencoded { compact::unencoded(parts.payload)? } else { room.decode(parts.payload)? };
        let signature = room.decode(parts.signature)?;
        let key = self.verify(&decision.fit, parts.signing_input.as_bytes(), signature)?;
        if is_new {
            self.remembered.add(parts.protected, parts.signature.len(), &decision);
        }
        Ok(Verified { payload, signature: VerifiedSignature::new(0, decision, key) })
    }

    pub(super) fn envelope<'a>(&self, json: &'a str) -> Result<Envelope<'a>, VerifyError> {
        self.check_token(json)?;
        Envelope::parse(json, self.policy(), &self.limits)
    }

    /// Verifies a flattened JSON JWS. Its payload is its own or, if one is given, `detached`.
    pub(super) fn verify_one<'t>(
        &'t self,
        envelope: &Envelope<'_>,
        detached: Option<&'t [u8]>,
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        let Entries::Flattened(entry) = &envelope.entries else {
            return Err(VerifyErrorKind::Malformed.into());
        };
        self.check_signature(&entry.signature)?;
        let source = self.source(envelope.payload.as_deref(), detached)?;
        let mut room = scratch.room(source.room(std::slice::from_ref(entry)));
        let decision = self.read(&entry.protected, entry.header, &mut room).decision?;
        let mut input = self.input(source, entry.protected.len(), decision.unencoded, &mut room)?;
        let signature = room.decode(&entry.signature)?;
        let key = self.verify(&decision.fit, input.with_header(&entry.protected)?, signature)?;
        if entry.header.is_none() {
            self.remembered.add(&entry.protected, entry.signature.len(), &decision);
        }
        Ok(Verified { payload: input.into_payload(), signature: VerifiedSignature::new(0, decision, key) })
    }
}
