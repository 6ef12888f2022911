//! Every algorithm that signs tokens.

use http::header;
use sealwright_jose::{
    Alg, JwkSet, base64url,
    jws::{Scratch, Verifier},
};
use sealwright_testkit::database::sqlite_storage;
use serde_json::Value;

use crate::world::{BACKEND_SECRET, World, basic, form, resources};

const PLANNED: &str = "algorithms: [ES256], keysDir: keys";

fn is_rsa(alg: &Alg) -> bool {
    alg.name().starts_with("RS") || alg.name().starts_with("PS")
}

fn algorithms() -> impl Iterator<Item = Alg> {
    Alg::ALL.iter().copied().filter(|alg| !alg.is_mac())
}

/// Has a token signed for `client`, which the set must verify, and by nothing but a key for `alg`.
async fn signs(world: &World, client: &str, alg: Alg) {
    let mut request = form("/oauth2/token", &[("grant_type", "client_credentials")]);
    request.headers_mut().insert(header::AUTHORIZATION, basic(client, BACKEND_SECRET).parse().unwrap());
    let answer = world.send(request).await;
    let token =
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{alg}: {}", answer.body)).to_owned();
    let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], alg.name());
    let set = JwkSet::parse(&world.get("/oauth2/jwks").await.body, &[alg]).unwrap();
    assert!(set.keys().iter().any(|key| key.kid() == header["kid"].as_str()), "{alg}: {header}");
    let verifier = Verifier::builder_from(&[alg]).keys(&set).build().unwrap();
    let mut scratch = Scratch::new();
    verifier.verify_compact(&token, &mut scratch).unwrap_or_else(|error| panic!("{alg}: {error}"));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{first}{}", &signature[1..]);
    assert!(verifier.verify_compact(&forged, &mut scratch).is_err(), "{alg}");
}

#[tokio::test]
async fn by_plan_all_sign_side_by_side_and_clients_choose() {
    // Large numbers for RSA keys take long to find: those are declared, below.
    let algorithms: Vec<Alg> = algorithms().filter(|alg| !is_rsa(alg)).collect();
    assert!(algorithms.len() >= 8, "{algorithms:?}");
    let storage = sqlite_storage();
    let names: Vec<&str> = algorithms.iter().map(|alg| alg.name()).collect();
    let planned = PLANNED.replace("ES256", &names.join(", "));
    let mut yaml = resources(&storage.yaml(), "").replace(PLANNED, &planned);
    for name in &names {
        yaml += &format!(
            "---\napiVersion: sealwright.dev/v1alpha1\nkind: ClientRegistration\nmetadata: {{name: {}}}\nspec:\n  \
             authServerSelector: {{matchLabels: {{env: test}}}}\n  authorizationGrantTypes: [client_credentials]\n  \
             clientSecret: {{file: backend.secret}}\n  audiences: [\"https://api.example.com\"]\n  \
             accessTokenSigningAlg: {name}\n",
            name.to_lowercase()
        );
    }
    let world = World::of(&yaml, storage).await;
    for alg in algorithms {
        signs(&world, &format!("default_{}", alg.name().to_lowercase()), alg).await;
    }
}

#[tokio::test]
async fn one_rsa_key_signs_as_it_is_declared() {
    let key: String = include_str!("keys/rsa.pem").lines().map(|line| format!("    {line}\n")).collect();
    let secret =
        format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: k}}\nstringData:\n  key.pem: |\n{key}");
    let algorithms: Vec<Alg> = algorithms().filter(is_rsa).collect();
    assert_eq!(algorithms.len(), 6);
    for alg in algorithms {
        let storage = sqlite_storage();
        let declared = format!("signAndVerifyKeyRef: {{name: k, alg: {}}}, keysDir: keys", alg.name());
        let yaml = resources(&storage.yaml(), "").replace(PLANNED, &declared) + &secret;
        signs(&World::of(&yaml, storage).await, "works_robot", alg).await;
    }
}
