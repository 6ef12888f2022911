//! A client's certificate on its whole way: from the TLS handshake, by rustls on both sides, to the check of a token that is
//! bound to it (RFC 8705 §3).

use crate::support::*;
use axum::Router;
use http::{StatusCode, header};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use sealwright_jose::{Alg, SigningKey};
use sealwright_resource_server::{
    AuthLayer, Authenticator,
    sender::{ClientCertificate, SenderConstraint},
};
use serde_json::json;
use std::{net::SocketAddr, str::FromStr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
        server::WebPkiClientVerifier,
    },
};
use x509_cert::{
    Certificate, TbsCertificate, Version,
    der::{
        Decode, Encode,
        asn1::{BitString, Ia5String},
    },
    ext::{
        AsExtension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    spki::SubjectPublicKeyInfoOwned,
    time::Validity,
};

const HOST: &str = "api.example.com";

/// A certificate that its own key has signed, and that key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn new(host: &str) -> Self {
        let key = SigningKey::generate(Alg::Ed25519).unwrap();
        let spki = key.verifying_key().to_spki_der();
        let subject_public_key_info = SubjectPublicKeyInfoOwned::from_der(&spki).unwrap();
        // RFC 8410 §3: Ed25519 is the name of the key's algorithm and of the signature's.
        let signature_algorithm = subject_public_key_info.algorithm.clone();
        let subject = Name::from_str(&format!("CN={host}")).unwrap();
        let name = SubjectAltName(vec![GeneralName::DnsName(Ia5String::new(host).unwrap())]);
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(&[1]).unwrap(),
            signature: signature_algorithm.clone(),
            issuer: subject.clone(),
            validity: Validity::from_now(Duration::from_secs(3600)).unwrap(),
            extensions: Some(vec![name.to_extension(&subject, &[]).unwrap()]),
            subject,
            subject_public_key_info,
            issuer_unique_id: None,
            subject_unique_id: None,
        };
        let signature = key.sign(&tbs_certificate.to_der().unwrap()).unwrap();
        let signature = BitString::from_bytes(&signature).unwrap();
        let certificate = Certificate { tbs_certificate, signature_algorithm, signature };
        let pkcs8 = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().unwrap().to_vec());
        Self { certificate: certificate.to_der().unwrap().into(), key: pkcs8.into() }
    }

    /// A token that is bound to it.
    fn token(&self) -> String {
        let x5t = ClientCertificate::from_der(&self.certificate).thumbprint().to_string();
        token(json!({}), json!({"cnf": {"x5t#S256": x5t}}))
    }
}

fn trust(identities: &[&Identity]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for identity in identities {
        roots.add(identity.certificate.clone()).unwrap();
    }
    roots
}

/// An API behind TLS, which knows these clients and lets others connect without a certificate.
pub(crate) async fn serve(api: Router, server: &Identity, clients: &[&Identity]) -> SocketAddr {
    let clients = WebPkiClientVerifier::builder(trust(clients).into()).allow_unauthenticated().build();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(clients.unwrap())
        .with_single_cert(vec![server.certificate.clone()], server.key.clone_key());
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (acceptor, api) = (acceptor.clone(), api.clone());
            tokio::spawn(async move {
                let Ok(connection) = acceptor.accept(connection).await else { return };
                let shown = connection.get_ref().1.peer_certificates().and_then(<[_]>::first);
                // The same for every request of the connection.
                let api = match shown.map(|certificate| ClientCertificate::from_der(certificate)) {
                    Some(certificate) => api.layer(axum::Extension(certificate)),
                    None => api,
                };
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), TowerToHyperService::new(api));
                let _ = served.await;
            });
        }
    });
    address
}

/// The status of the answer, and its challenge; `None` if there was none, because the handshake failed.
async fn ask(
    address: SocketAddr,
    server: &Identity,
    client: Option<&Identity>,
    token: &str,
) -> Option<(StatusCode, String)> {
    let config = ClientConfig::builder().with_root_certificates(trust(&[server]));
    let config = match client {
        Some(client) => {
            config.with_client_auth_cert(vec![client.certificate.clone()], client.key.clone_key()).unwrap()
        }
        None => config.with_no_client_auth(),
    };
    let connection = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut connection = connector.connect(ServerName::try_from(HOST).unwrap(), connection).await.ok()?;
    let request = format!(
        "GET /hello HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.ok()?;
    let head = answer.split("\r\n\r\n").next()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let name = header::WWW_AUTHENTICATE.as_str();
    let challenge = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some((status, challenge.unwrap_or_default().to_owned()))
}

fn api(authenticator: Authenticator) -> Router {
    Router::new().route("/hello", axum::routing::get(async || "hello")).layer(AuthLayer::new(authenticator))
}

#[tokio::test]
async fn a_token_passes_in_the_connection_of_its_certificate_alone() {
    let (server, alice, mallory, stranger) =
        (Identity::new(HOST), Identity::new("alice"), Identity::new("mallory"), Identity::new("stranger"));
    for constraint in [SenderConstraint::IfBound, SenderConstraint::Mtls] {
        let authenticator = builder(terms()).sender(constraint).build().unwrap();
        let address = serve(api(authenticator), &server, &[&alice, &mallory]).await;
        let bound = alice.token();
        let unbound = match constraint {
            SenderConstraint::Mtls => 401,
            _ => 200,
        };
        for (name, client, token, status) in [
            ("the right one", Some(&alice), &bound, Some(200)),
            ("the right one again, by a token that is remembered", Some(&alice), &bound, Some(200)),
            ("another one", Some(&mallory), &bound, Some(401)),
            ("none", None, &bound, Some(401)),
            ("one that the server does not know", Some(&stranger), &bound, None),
            ("another one, and a token of its own", Some(&mallory), &mallory.token(), Some(200)),
            ("a token that is bound to nothing", Some(&alice), &good(), Some(unbound)),
            ("the same without a certificate", None, &good(), Some(unbound)),
        ] {
            let answer = ask(address, &server, client, token).await;
            let found = answer.as_ref().map(|(status, _)| status.as_u16());
            assert_eq!(found, status, "{constraint:?}: {name}: {answer:?}");
            if let Some((StatusCode::UNAUTHORIZED, challenge)) = answer {
                assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{name}: {challenge}");
            }
        }
    }
}
