//! Opens sealed keys by what is documented of them, since the server's own code gives no private key away.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sealwright_jose::{Alg, SigningKey, VerifyingKey, base64url};
use serde_json::Value;

pub(crate) fn open(text: &str, kek: &[u8; 32]) -> SigningKey {
    let kept: Value = serde_json::from_str(text).expect("a sealed key is JSON");
    let part = |name: &str| kept[name].as_str().expect("a text").to_owned();
    let public = VerifyingKey::from_jwk(&kept["public_jwk"].to_string()).expect("a public key");
    let mut covered = b"sealwright sealed key\0".to_vec();
    covered.extend(1_u32.to_be_bytes());
    for text in [part("kid"), part("alg"), part("kek")] {
        covered.extend((text.len() as u64).to_be_bytes());
        covered.extend(text.as_bytes());
    }
    covered.extend(public.thumbprint());
    let nonce = Nonce::assume_unique_for_key(base64url::decode_exact(&part("nonce")).expect("a nonce"));
    let mut sealed = base64url::decode(&part("sealed")).expect("base64url");
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, kek).expect("a key"));
    let der = cipher.open_in_place(nonce, Aad::from(covered), &mut sealed).expect("the seal opens");
    SigningKey::from_pkcs8_der(Alg::from_name(&part("alg")).expect("an algorithm"), der)
        .expect("a private key")
}
