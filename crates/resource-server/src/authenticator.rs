//! From a request to an [`AccessToken`], or the reason why not.

mod builder;

pub use builder::AuthenticatorBuilder;

use crate::{
    AccessToken, Compat, KeySetStatus, Refusal, Request, Requirements, Revocation, Revocations,
    RevocationsFull, TokenError, VerifiedTokensStatus,
    explain::{Check, Unwatched, Witness},
    issuer::{
        MAX_TOKEN_BYTES,
        directory::Directory,
        trusted::{Fetched, Step, settle},
    },
    metrics::Decisions,
    request::{Credentials, Scheme, is_of_one_piece},
    sender::SenderPolicy,
    verified::{Fingerprint, Known, VerifiedCache},
};
use http::{HeaderMap, HeaderValue, request::Parts};
use std::{fmt, sync::Arc};
use tracing::{Span, field};

/// Decides about tokens; built once, shared by all requests, cheap to clone.
///
/// The [layer](crate::AuthLayer), the [extractor](crate::Token) and [`authorize`](Self::authorize) all decide by it,
/// in one and the same way.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

/// An authenticator for as long as somebody else has it.
#[cfg(feature = "metrics")]
pub(crate) struct WeakAuthenticator(std::sync::Weak<Inner>);

#[cfg(feature = "metrics")]
impl WeakAuthenticator {
    pub(crate) fn upgrade(&self) -> Option<Authenticator> {
        self.0.upgrade().map(Authenticator)
    }
}

#[cfg(feature = "metrics")]
impl fmt::Debug for WeakAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakAuthenticator")
    }
}

struct Inner {
    issuers: Directory,
    sender: SenderPolicy,
    verified: Option<VerifiedCache>,
    revocations: Revocations,
    decisions: Decisions,
    compat: Option<Compat>,
    resource_metadata: Option<String>,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Authenticator {
    /// Gathers what an authenticator is made of: the issuers that it trusts, and nobody else, to begin with.
    pub fn builder() -> AuthenticatorBuilder {
        AuthenticatorBuilder::new()
    }

    /// Decides about a request, at the time that the clock says: for whatever framework hands out the head of a
    /// request.
    ///
    /// # Errors
    ///
    /// The answer to send instead of the resource.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_resource_server::Authenticator;
    ///
    /// async fn hello(authenticator: &Authenticator, request: http::Request<String>) -> http::Response<String> {
    ///     let (parts, _body) = request.into_parts();
    ///     match authenticator.authorize(&parts).await {
    ///         Ok(token) => http::Response::new(format!("hello {}\n", token.subject())),
    ///         Err(refusal) => refusal.into_http().map(|body| String::from_utf8_lossy(&body).into_owned()),
    ///     }
    /// }
    /// ```
    pub async fn authorize(&self, parts: &Parts) -> Result<AccessToken, Refusal> {
        self.authorize_for(parts, &Requirements::none()).await
    }

    /// As [`authorize`](Self::authorize), for a request that needs more than a valid token.
    ///
    /// # Errors
    ///
    /// The answer to send instead of the resource.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::Signer};
    /// # use sealwright_resource_server::{Authenticator, IssuerConfig, Requirements};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = SigningKey::generate(Alg::Es256)?;
    /// # let claims = br#"{"iss":"https://id.example.com","sub":"alice","aud":"https://api.example.com",
    /// #     "client_id":"portal","jti":"1","iat":1800000000,"exp":1800000300,"scope":"orders:read"}"#;
    /// # let token = Signer::new(&key).typ("at+jwt").sign_compact(claims)?;
    /// # let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
    /// #     .fixed_keys([key.verifying_key()]);
    /// # let authenticator = Authenticator::builder().issuer(issuer).clock(|| 1_800_000_060).build()?;
    /// let request = http::Request::get("/orders").header("authorization", format!("Bearer {token}"));
    /// let (parts, ()) = request.body(())?.into_parts();
    ///
    /// let read = Requirements::none().scopes(["orders:read"]);
    /// assert_eq!(authenticator.authorize_for(&parts, &read).await.unwrap().subject(), "alice");
    ///
    /// let write = Requirements::none().scopes(["orders:write"]);
    /// let refusal = authenticator.authorize_for(&parts, &write).await.unwrap_err();
    /// assert_eq!((refusal.status().as_u16(), refusal.code()), (403, "scope_insufficient"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn authorize_for(
        &self,
        parts: &Parts,
        requirements: &Requirements,
    ) -> Result<AccessToken, Refusal> {
        let (request, span) = (Request::from(parts), decision_span());
        // The time is asked for anew after each wait, in which the token may have expired.
        settle(|fetched| self.admit(&request, requirements, self.now_s(), fetched, &span)).await
    }

    /// Reads the one `Authorization` header of a request and decides. `now_s`: seconds since the epoch.
    ///
    /// # Errors
    ///
    /// [`TokenError::Missing`] without the header, or with one of another scheme; [`TokenError::RequestMalformed`]
    /// with two of them or an unreadable one; otherwise as [`authenticate_token`](Self::authenticate_token), and
    /// last what is wrong with the proof of its sender.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::Signer};
    /// # use sealwright_resource_server::{Authenticator, IssuerConfig, Request, TokenError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = SigningKey::generate(Alg::Es256)?;
    /// # let claims = br#"{"iss":"https://id.example.com","sub":"alice","aud":"https://api.example.com",
    /// #     "client_id":"portal","jti":"1","iat":1800000000,"exp":1800000300,"scope":"orders:read"}"#;
    /// # let token = Signer::new(&key).typ("at+jwt").sign_compact(claims)?;
    /// # let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
    /// #     .fixed_keys([key.verifying_key()]);
    /// # let authenticator = Authenticator::builder().issuer(issuer).build()?;
    /// use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
    ///
    /// let (method, uri) = (Method::GET, Uri::from_static("/orders"));
    /// let mut headers = HeaderMap::new();
    /// headers.insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
    /// let request = Request::new(&method, &uri, &headers);
    ///
    /// let passed = authenticator.authenticate(&request, 1_800_000_060).await?;
    /// assert_eq!(passed.subject(), "alice");
    /// // Its last second and one minute of clock skew are over.
    /// let refused = authenticator.authenticate(&request, 1_800_000_360).await;
    /// assert_eq!(refused.map(drop), Err(TokenError::Expired));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn authenticate(&self, request: &Request<'_>, now_s: i64) -> Result<AccessToken, TokenError> {
        let span = decision_span();
        let decided =
            settle(|fetched| span.in_scope(|| self.decide(request, now_s, fetched, &mut Unwatched))).await;
        self.count(&span, decided.as_ref().map_err(TokenError::code));
        decided
    }

    /// Decides about a token that came in another way than in a header.
    ///
    /// Its signature is verified by the keys of the issuer that it names, if that is trusted; then its type, time,
    /// audience and claims are checked. One that is bound to a key of its holder is refused, since nothing can
    /// show here that it came from there.
    ///
    /// # Errors
    ///
    /// [`TokenError`], the first thing that is wrong in this order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey, jws::Signer};
    /// # use sealwright_resource_server::{Authenticator, IssuerConfig, TokenError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = SigningKey::generate(Alg::Es256)?;
    /// # let claims = br#"{"iss":"https://id.example.com","sub":"alice","aud":"https://api.example.com",
    /// #     "client_id":"portal","jti":"1","iat":1800000000,"exp":1800000300,"scope":"orders:read"}"#;
    /// # let token = Signer::new(&key).typ("at+jwt").sign_compact(claims)?;
    /// # let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
    /// #     .fixed_keys([key.verifying_key()]);
    /// # let authenticator = Authenticator::builder().issuer(issuer).build()?;
    /// // From the first message of a WebSocket, for example.
    /// let passed = authenticator.authenticate_token(&token, 1_800_000_060).await?;
    /// assert_eq!(passed.scopes(), ["orders:read"]);
    ///
    /// let refused = authenticator.authenticate_token("not.a.token", 1_800_000_060).await;
    /// assert_eq!(refused.map(drop), Err(TokenError::Malformed));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn authenticate_token(&self, token: &str, now_s: i64) -> Result<AccessToken, TokenError> {
        let span = decision_span();
        let decided =
            settle(|fetched| span.in_scope(|| self.decide_token(token, now_s, fetched, &mut Unwatched)))
                .await;
        self.count(&span, decided.as_ref().map_err(TokenError::code));
        decided
    }

    /// Whether a token that passed meets the requirements that show only further in, such as in a handler.
    ///
    /// It is counted as a refusal if it does not, although the request was counted as accepted before.
    ///
    /// # Errors
    ///
    /// The answer to send instead of the resource: that of [`Requirements::check`], with all that the answers of this
    /// authenticator have.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::extract::State;
    /// use sealwright_resource_server::{Authenticator, Refusal, Requirements, Token};
    ///
    /// async fn purge(State(authenticator): State<Authenticator>, Token(token): Token) -> Result<String, Refusal> {
    ///     authenticator.check(&token, &Requirements::none().scopes(["orders:write"]))?;
    ///     Ok(format!("purged by {}\n", token.subject()))
    /// }
    /// # let _ = axum::Router::<Authenticator>::new().route("/purge", axum::routing::post(purge));
    /// ```
    pub fn check(&self, token: &AccessToken, requirements: &Requirements) -> Result<(), Refusal> {
        self.meets(requirements, token, self.now_s(), &decision_span())
    }

    /// The answer to a request whose token is wrong in a way that only the application knows, such as one that was
    /// used before; counted as a refusal. In place of `Refusal::from(error)`, it has all that the answers of this
    /// authenticator have.
    pub fn refuse(&self, error: TokenError) -> Refusal {
        self.count(&decision_span(), Err(error.code()));
        self.answer(error, None, self.now_s())
    }

    /// The remote key sets, by issuer: for a health page.
    pub fn key_sets(&self) -> Vec<KeySetStatus> {
        self.0.issuers.key_sets()
    }

    /// How the memory of verified tokens is used; all zero without one.
    pub fn verified_tokens(&self) -> VerifiedTokensStatus {
        self.0.verified.as_ref().map(VerifiedCache::status).unwrap_or_default()
    }

    /// Refuses a token from now on, until it has expired: [`TokenError::Revoked`].
    ///
    /// It holds for every authenticator with the same [`Revocations`], for as long as any of them could let the token
    /// pass. One that is revoked for the second time is remembered for the longer of the two times.
    ///
    /// # Errors
    ///
    /// [`RevocationsFull`] where there is no room for it; the token is not revoked then.
    ///
    /// # Examples
    ///
    /// An introspection endpoint (RFC 7662) said that a token is not active any more:
    ///
    /// ```
    /// use sealwright_resource_server::{AccessToken, Authenticator, Revocation, RevocationsFull};
    ///
    /// fn inactive(authenticator: &Authenticator, token: &AccessToken) -> Result<(), RevocationsFull> {
    ///     authenticator.revoke(Revocation::of_token(token))
    /// }
    /// ```
    pub fn revoke(&self, revocation: Revocation) -> Result<(), RevocationsFull> {
        self.0.revocations.revoked().add(revocation, self.now_s())
    }

    /// The tokens that were revoked.
    pub fn revocations(&self) -> &Revocations {
        &self.0.revocations
    }

    /// The `DPoP-Nonce` header that the answer to a request that passed should have (RFC 9449 §8.2), so that the
    /// next one need not be refused; `None` while the nonce of its proof is current, or none is required.
    ///
    /// [`AuthLayer`](crate::AuthLayer) sends it. Who does without the layer sends it with `Cache-Control: no-store`.
    pub fn next_nonce(&self, request: &Request<'_>, now_s: i64) -> Option<HeaderValue> {
        self.0.sender.next_nonce(request, now_s)
    }

    pub(crate) fn knows_dpop(&self) -> bool {
        self.0.sender.knows_dpop()
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn downgrade(&self) -> WeakAuthenticator {
        WeakAuthenticator(Arc::downgrade(&self.0))
    }

    pub(crate) fn now_s(&self) -> i64 {
        (self.0.clock)()
    }

    /// Whether this authenticator let the token pass.
    pub(crate) fn admitted(&self, token: &AccessToken) -> bool {
        self.0.issuers.holds(token.trusted())
    }

    /// The way that the layer, the extractor and the plain function share: a decision about a request, and what to
    /// answer if it may not pass. `span` is the request's own, through all its steps.
    pub(crate) fn admit(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
        now_s: i64,
        fetched: Option<Fetched>,
        span: &Span,
    ) -> Step<Result<AccessToken, Refusal>> {
        let _entered = span.enter();
        let decided = match self.decide(request, now_s, fetched, &mut Unwatched) {
            Step::Wait(wait) => return Step::Wait(wait),
            Step::Done(decided) => decided,
        };
        if let Err(error) = &decided {
            self.count(span, Err(error.code()));
        }
        let admitted = match decided {
            Err(error) => {
                let credentials = self.credentials(request.headers());
                Err(self.answer(error, credentials.ok().map(|credentials| credentials.scheme), now_s))
            }
            Ok(token) => self.meets(requirements, &token, now_s, span).map(|()| token),
        };
        if let Ok(token) = &admitted {
            self.count(span, Ok(token));
        }
        Step::Done(admitted)
    }

    /// The answer about a token, to a request whose token came under a scheme.
    fn answer(&self, error: TokenError, sent_under: Option<Scheme>, now_s: i64) -> Refusal {
        let about_scheme = error.class().is_about_scheme();
        let offer = |challenge| self.0.sender.offer(challenge, sent_under, about_scheme, now_s);
        self.complete(Refusal::from(error).with_challenge(offer))
    }

    /// Whether a token that passed also meets the requirements.
    #[inline]
    fn meets(
        &self,
        requirements: &Requirements,
        token: &AccessToken,
        now_s: i64,
        span: &Span,
    ) -> Result<(), Refusal> {
        requirements.check(token, now_s).map_err(|refusal| {
            record_issuer(span, token);
            self.count(span, Err(refusal.code()));
            let scheme = Some(SenderPolicy::scheme_of(token));
            let offer = |challenge| self.0.sender.offer(challenge, scheme, false, now_s);
            self.complete(refusal.with_challenge(offer))
        })
    }

    /// Counts a decision, and notes it in its span: of a token that is valid the issuer, and of a refusal the reason.
    /// Nothing of it was written by a stranger.
    #[inline]
    fn count(&self, span: &Span, decided: Result<&AccessToken, &'static str>) {
        match decided {
            Ok(token) => {
                self.0.decisions.accept();
                record_issuer(span, token);
            }
            Err(code) => {
                self.0.decisions.refuse(code);
                span.record("code", code);
                tracing::debug!(parent: span, code, "request refused");
            }
        }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn decisions(&self) -> &Decisions {
        &self.0.decisions
    }

    /// Adds to an answer of the application's own what all answers of this authenticator have: the pointer to the
    /// resource's metadata (RFC 9728 §5.1), or the form of a [`Compat`] profile. It is not counted.
    pub fn complete(&self, refusal: Refusal) -> Refusal {
        let refusal = match &self.0.resource_metadata {
            None => refusal,
            Some(url) => refusal.with_challenge(|challenge| challenge.param_of_all("resource_metadata", url)),
        };
        refusal.in_the_way_of(self.0.compat)
    }

    /// A request's token, and then whether its sender may use it.
    pub(crate) fn decide<W: Witness>(
        &self,
        request: &Request<'_>,
        now_s: i64,
        fetched: Option<Fetched>,
        witness: &mut W,
    ) -> Step<Result<AccessToken, TokenError>> {
        // A dry run tells everything in its order.
        let credentials = match W::DRY_RUN {
            true => self.credentials(request.headers()),
            false => self.sent(request.headers()),
        };
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(error) => {
                return Step::Done(Err(witness.failed(Check::Request, error, || error.to_string())));
            }
        };
        witness.passed(Check::Request);
        let decided = self
            .validate(credentials.token, now_s, fetched, witness)
            .and_then(|token| self.check_sender(token, Some((request, &credentials)), now_s, witness));
        match decided {
            Step::Done(Ok(token)) => Step::Done(Ok(token)),
            // That the request is malformed comes before all that is wrong with the token, and nobody waits for it.
            decided => match self.credentials(request.headers()) {
                Ok(_) => decided,
                Err(error) => Step::Done(Err(error)),
            },
        }
    }

    /// What was sent as a token, in the one header and under a scheme that is understood.
    #[inline]
    fn sent<'h>(&self, headers: &'h HeaderMap) -> Result<Credentials<'h>, TokenError> {
        match self.0.compat {
            None => Credentials::read(headers).and_then(|sent| match sent.scheme {
                // As good as none (RFC 6750 §3.1), where it is not set up.
                Scheme::Dpop if !self.0.sender.knows_dpop() => {
                    sent.of_one_piece().and(Err(TokenError::Missing))
                }
                _ => Ok(sent),
            }),
            Some(Compat::TutorialPair) => Credentials::read_bare(headers),
        }
    }

    /// As [`sent`](Self::sent), if it could be a token at all.
    fn credentials<'h>(&self, headers: &'h HeaderMap) -> Result<Credentials<'h>, TokenError> {
        let sent = self.sent(headers)?;
        match self.0.compat {
            None => sent.of_one_piece(),
            Some(Compat::TutorialPair) => Ok(sent),
        }
    }

    /// A token that came without a request.
    pub(crate) fn decide_token<W: Witness>(
        &self,
        token: &str,
        now_s: i64,
        fetched: Option<Fetched>,
        witness: &mut W,
    ) -> Step<Result<AccessToken, TokenError>> {
        self.validate(token.as_bytes(), now_s, fetched, witness)
            .and_then(|token| self.check_sender(token, None, now_s, witness))
    }

    /// Whether a token is valid, whoever sent it. What is remembered of tokens ends here: all that depends on the
    /// request is looked at each time.
    #[inline]
    fn validate<W: Witness>(
        &self,
        token: &[u8],
        now_s: i64,
        fetched: Option<Fetched>,
        witness: &mut W,
    ) -> Step<Result<AccessToken, TokenError>> {
        let revoked = self.0.revocations.revoked();
        // What is too long to pass is not even hashed, and a dry run looks at everything.
        let may_be_known = token.len() <= MAX_TOKEN_BYTES && !W::DRY_RUN;
        let cache = self.0.verified.as_ref().filter(|_| may_be_known);
        let cache = cache.map(|cache| (cache, Fingerprint::of(token)));
        if let Some((cache, fingerprint)) = &cache
            && fetched.is_none()
            && let Some(known) = cache.find(fingerprint, revoked, now_s)
        {
            return Step::Done(Ok(known.into_token()));
        }
        // What a request sent may be anything here; if its header is malformed, that is said in place of this.
        let Ok(token) = str::from_utf8(token) else { return Step::Done(Err(TokenError::Malformed)) };
        let access = match self.0.issuers.decide(token, now_s, fetched, witness) {
            Step::Done(Ok(access)) => access,
            Step::Done(Err(error)) => {
                if let Some((cache, _)) = cache.filter(|_| is_of_one_piece(token.as_bytes())) {
                    cache.missed();
                }
                return Step::Done(Err(error));
            }
            wait => return wait,
        };
        if let Some((cache, _)) = &cache {
            cache.missed();
        }
        let known = Known::new(access);
        let may_pass = !known.is_revoked(revoked);
        let why = || "it was revoked and has not expired";
        if let Err(error) = witness.check(Check::Revocation, may_pass, TokenError::Revoked, why) {
            return Step::Done(Err(error));
        }
        if let Some((cache, fingerprint)) = cache {
            cache.insert(fingerprint, known.clone(), now_s);
        }
        Step::Done(Ok(known.into_token()))
    }

    /// The last check, which is made with each request; what is remembered of it are proofs, so that each passes once.
    #[inline]
    fn check_sender<W: Witness>(
        &self,
        token: AccessToken,
        sent: Option<(&Request<'_>, &Credentials<'_>)>,
        now_s: i64,
        witness: &mut W,
    ) -> Result<AccessToken, TokenError> {
        let sender = &self.0.sender;
        let proof = match sender.check(&token, sent, now_s) {
            Ok(proof) => proof,
            Err(error) => return Err(witness.failed(Check::Sender, error, || error.to_string())),
        };
        witness.passed(Check::Sender);
        match proof.map(|proof| sender.pass_once(&proof, now_s, W::DRY_RUN)) {
            None => witness.waived(Check::Replay, "there is no proof"),
            Some(Ok(())) => witness.passed(Check::Replay),
            Some(Err(error)) => return Err(witness.failed(Check::Replay, error, || error.to_string())),
        }
        Ok(token)
    }
}

/// The span of one decision, however long it waits; how it ended is recorded in it.
pub(crate) fn decision_span() -> Span {
    tracing::debug_span!("authorize", issuer = field::Empty, code = field::Empty)
}

fn record_issuer(span: &Span, token: &AccessToken) {
    span.record("issuer", token.trusted().terms().issuer.as_str());
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.issuers.iter().map(|trusted| trusted.terms().issuer.as_str()).collect();
        f.debug_struct("Authenticator")
            .field("issuers", &names)
            .field("sender", &self.0.sender)
            .field("resource_metadata", &self.0.resource_metadata)
            .field("compat", &self.0.compat)
            .finish_non_exhaustive()
    }
}
