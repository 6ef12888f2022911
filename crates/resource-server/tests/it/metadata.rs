//! RFC 9728: where the document is, and what it says.

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
