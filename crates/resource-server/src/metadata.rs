//! What an API says about itself (RFC 9728), so that a client finds out where to get a token.

use crate::sender::SenderConstraint;
use sealwright_jose::Alg;
use serde::Serialize;
use url::Url;

/// How long a client may keep the document: it changes with a deployment.
#[cfg(feature = "axum")]
const CACHE_CONTROL: &str = "public, max-age=3600";

/// The name under which the document is published.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata document of a protected resource.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::metadata::ProtectedResource;
///
/// let api = ProtectedResource::new("https://api.example.com/orders")?
///     .authorization_servers(["https://id.example.com"])
///     .scopes_supported(["orders:read"]);
/// assert_eq!(api.path(), "/.well-known/oauth-protected-resource/orders");
/// assert_eq!(api.url(), "https://api.example.com/.well-known/oauth-protected-resource/orders");
/// assert_eq!(
///     api.to_json(),
///     r#"{"resource":"https://api.example.com/orders","authorization_servers":["https://id.example.com"],"scopes_supported":["orders:read"],"bearer_methods_supported":["header"]}"#
/// );
/// # Ok::<(), sealwright_resource_server::metadata::MetadataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectedResource {
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details_types_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "is_false")]
    dpop_bound_access_tokens_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(skip)]
    origin: String,
    #[serde(skip)]
    path: String,
}

/// Why a resource identifier is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// It is not an absolute http or https URL.
    #[error("the resource is not an http or https URL")]
    NotAUrl,
    /// It has a fragment, which RFC 9728 §1.2 forbids.
    #[error("the resource has a fragment")]
    Fragment,
}

impl ProtectedResource {
    /// The document of `resource`, which is sent as it stands here, byte for byte.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if it is not a resource identifier (RFC 9728 §1.2). Plain http is allowed here: whether
    /// it is wise depends on who can listen.
    pub fn new(resource: impl Into<String>) -> Result<Self, MetadataError> {
        let resource = resource.into();
        let url = Url::parse(&resource).map_err(|_| MetadataError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(MetadataError::NotAUrl);
        }
        if url.fragment().is_some() {
            return Err(MetadataError::Fragment);
        }
        // RFC 9728 §3.1: the name goes between the host and the path, after a slash at the end is cut off.
        let mut path = format!("{WELL_KNOWN}{}", url.path().trim_end_matches('/'));
        if let Some(query) = url.query() {
            path.push('?');
            path.push_str(query);
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            path,
            resource,
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            bearer_methods_supported: ["header"],
            authorization_details_types_supported: Vec::new(),
            dpop_signing_alg_values_supported: Vec::new(),
            dpop_bound_access_tokens_required: false,
            tls_client_certificate_bound_access_tokens: false,
            resource_name: None,
        })
    }

    /// The issuers whose tokens it accepts.
    #[must_use]
    pub fn authorization_servers<T: Into<String>>(mut self, issuers: impl IntoIterator<Item = T>) -> Self {
        self.authorization_servers = issuers.into_iter().map(Into::into).collect();
        self
    }

    /// The scopes that a token for it may have.
    #[must_use]
    pub fn scopes_supported<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes_supported = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The types of authorization details (RFC 9396) that it understands.
    #[must_use]
    pub fn authorization_details_types_supported<T: Into<String>>(
        mut self,
        types: impl IntoIterator<Item = T>,
    ) -> Self {
        self.authorization_details_types_supported = types.into_iter().map(Into::into).collect();
        self
    }

    /// The algorithms of the DPoP proofs (RFC 9449) that it accepts: those of its
    /// [`DpopOptions`](crate::sender::dpop::DpopOptions), as the authenticator makes sure where they are named here.
    #[must_use]
    pub fn dpop_signing_alg_values_supported(mut self, algs: impl IntoIterator<Item = Alg>) -> Self {
        self.dpop_signing_alg_values_supported = algs.into_iter().map(Alg::name).collect();
        self
    }

    /// Whether it takes no token that is not bound to a key by DPoP: `true` beside [`SenderConstraint::Dpop`], and beside no
    /// other, as the authenticator makes sure.
    #[must_use]
    pub fn dpop_bound_access_tokens_required(self, required: bool) -> Self {
        Self { dpop_bound_access_tokens_required: required, ..self }
    }

    /// Whether it checks what client certificate a token is bound to (RFC 8705); needed beside
    /// [`SenderConstraint::Mtls`].
    #[must_use]
    pub fn tls_client_certificate_bound_access_tokens(self, checked: bool) -> Self {
        Self { tls_client_certificate_bound_access_tokens: checked, ..self }
    }

    /// What people call it.
    #[must_use]
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.resource_name = Some(name.into());
        self
    }

    /// The first member that says otherwise than an authenticator which asks this of senders. One that is left out says
    /// `false` (RFC 9728 §2); algorithms need not be named where tokens need not be bound.
    pub(crate) fn contradicted_by(&self, constraint: SenderConstraint, algs: &[Alg]) -> Option<&'static str> {
        let needs_dpop = constraint == SenderConstraint::Dpop;
        let named = &self.dpop_signing_alg_values_supported;
        let names_ours = named.len() == algs.len() && algs.iter().all(|alg| named.contains(&alg.name()));
        if needs_dpop != self.dpop_bound_access_tokens_required {
            Some("dpop_bound_access_tokens_required")
        } else if !names_ours && (needs_dpop || !named.is_empty()) {
            Some("dpop_signing_alg_values_supported")
        } else if constraint == SenderConstraint::Mtls && !self.tls_client_certificate_bound_access_tokens {
            Some("tls_client_certificate_bound_access_tokens")
        } else {
            None
        }
    }

    /// Where to serve the document: the path, and a query if the resource has one.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where clients find the document; the challenges of an authenticator that was told
    /// of it by [`AuthenticatorBuilder::resource`](crate::AuthenticatorBuilder::resource) point there.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// Scheme, host and port, as clients know them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The document at its place, for an axum service; anybody may read it.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::Router;
    /// use sealwright_resource_server::metadata::ProtectedResource;
    ///
    /// let orders = ProtectedResource::new("https://api.example.com/orders")?;
    /// let api: Router = Router::new().merge(orders.route());
    /// # Ok::<(), sealwright_resource_server::metadata::MetadataError>(())
    /// ```
    #[cfg(feature = "axum")]
    pub fn route<S: Clone + Send + Sync + 'static>(&self) -> axum::Router<S> {
        use http::{HeaderValue, StatusCode, Uri, header};

        let expected = self.path.clone();
        let document = bytes::Bytes::from(self.to_json());
        let serve = async move |uri: Uri| {
            // The router looks at no query, and at the unusual segments of `pattern` not closely enough.
            let path = uri.path_and_query().map_or(uri.path(), |path| match expected.contains('?') {
                true => path.as_str(),
                false => path.path(),
            });
            if path != expected {
                return Err(StatusCode::NOT_FOUND);
            }
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL)),
            ];
            Ok((headers, document))
        };
        axum::Router::new().route(&self.pattern(), axum::routing::get(serve))
    }

    /// The path for a router, which gives some characters at the beginning of a segment a meaning, or refuses them.
    #[cfg(feature = "axum")]
    fn pattern(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let segments = path.split('/').enumerate().map(|(index, segment)| {
            if segment.starts_with([':', '*']) { format!("{{segment{index}}}") } else { segment.to_owned() }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// The document, to be sent as `application/json`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| String::from("{}"))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
