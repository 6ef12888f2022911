//! Many tokens against one verifier.

use crate::{
    VerifyError, base64url,
    jws::{Scratch, Verified, Verifier},
};

impl Verifier {
    /// Verifies each of `tokens` as [`verify_compact`](Self::verify_compact) does, and returns the
    /// outcomes in the same order.
    ///
    /// All payloads lie in the one scratch buffer, which becomes as large as all of them together:
    /// how many tokens come at once is the caller's to limit. Nothing but the list is allocated.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Scratch, Signer, Verifier}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).build()?;
    /// let good = Signer::mac(&key).sign_compact(b"hello")?;
    ///
    /// let mut scratch = Scratch::new();
    /// let outcomes = verifier.verify_batch(&[&good, "not a token"], &mut scratch);
    /// assert_eq!(outcomes[0].as_ref().map(|verified| verified.payload()), Ok(&b"hello"[..]));
    /// assert!(outcomes[1].is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_batch<'t>(
        &'t self,
        tokens: &[&'t str],
        scratch: &'t mut Scratch,
    ) -> Vec<Result<Verified<'t>, VerifyError>> {
        let within = |token: &&&str| self.0.check_token(token).is_ok();
        let len = tokens.iter().filter(within).map(|token| base64url::decoded_len(token.len())).sum();
        let mut room = scratch.room(len);
        let verify = |token: &&'t str| {
            self.0.check_token(token)?;
            self.0.verify_compact(token, &mut room)
        };
        tokens.iter().map(verify).collect()
    }
}
