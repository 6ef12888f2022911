//! RFC 9728: where the document is, and what it says.

use crate::support::*;
use axum::Router;
use http::HeaderMap;
use sealwright_resource_server::metadata::{MetadataError, ProtectedResource};

#[test]
fn the_name_goes_between_host_and_path() {
    let base = "/.well-known/oauth-protected-resource";
    for (resource, origin, rest) in [
        ("https://api.example.com", "https://api.example.com", ""),
        ("https://api.example.com/", "https://api.example.com", ""),
        ("https://api.example.com/v1/orders", "https://api.example.com", "/v1/orders"),
        ("https://api.example.com/v1/", "https://api.example.com", "/v1"),
        ("https://api.example.com:8443/v1?k=1", "https://api.example.com:8443", "/v1?k=1"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081", ""),
    ] {
        let api = ProtectedResource::new(resource).unwrap();
        assert_eq!(api.path(), format!("{base}{rest}"), "{resource}");
        assert_eq!(api.url(), format!("{origin}{base}{rest}"), "{resource}");
    }
}

#[test]
fn the_document_holds_what_was_said_and_the_resource_byte_for_byte() {
    let api = ProtectedResource::new("http://127.0.0.1:8081").unwrap();
    insta::assert_snapshot!(api.to_json(), @r#"{"resource":"http://127.0.0.1:8081","bearer_methods_supported":["header"]}"#);
    let api = api
        .authorization_servers(["https://id.example.com"])
        .scopes_supported(["sign"])
        .authorization_details_types_supported(["https://cloudsignatureconsortium.org/2025/credential"])
        .resource_name("Contracts");
    insta::assert_snapshot!(api.to_json(), @r#"{"resource":"http://127.0.0.1:8081","authorization_servers":["https://id.example.com"],"scopes_supported":["sign"],"bearer_methods_supported":["header"],"authorization_details_types_supported":["https://cloudsignatureconsortium.org/2025/credential"],"resource_name":"Contracts"}"#);
}

#[test]
fn what_is_no_resource_is_refused() {
    for (resource, error) in [
        ("", MetadataError::NotAUrl),
        ("api", MetadataError::NotAUrl),
        ("/api", MetadataError::NotAUrl),
        ("urn:api", MetadataError::NotAUrl),
        ("file:///etc/passwd", MetadataError::NotAUrl),
        ("https://api.example.com/#a", MetadataError::Fragment),
    ] {
        assert_eq!(ProtectedResource::new(resource), Err(error), "{resource}");
    }
}

#[tokio::test]
async fn the_route_serves_it_to_anybody() {
    let name = "/.well-known/oauth-protected-resource";
    for (resource, found, not_found) in [
        ("https://api.example.com", "", "/orders"),
        ("https://api.example.com/v1/orders", "/v1/orders", "/v1"),
        ("https://api.example.com/v1?k=1", "/v1?k=1", "/v1?k=2"),
        // Older routers took these for parameters.
        ("https://api.example.com/:id/*rest", "/:id/*rest", "/a/b"),
        ("https://api.example.com/{id}", "/%7Bid%7D", "/a"),
    ] {
        let api = ProtectedResource::new(resource).unwrap();
        let router: Router = Router::new().merge(api.route());
        let shown = ask(router.clone(), &format!("{name}{found}"), HeaderMap::new()).await;
        let expected = format!(
            "200\ncontent-type: application/json\ncache-control: public, max-age=3600\n\n{}",
            api.to_json()
        );
        assert_eq!(shown, expected, "{resource}");
        let shown = ask(router, &format!("{name}{not_found}"), HeaderMap::new()).await;
        assert!(shown.starts_with("404"), "{resource}: {shown}");
    }
}
