//! A compact token taken apart, for the primitive, which gets exactly the bytes that it works on.

use sealwright_jose::base64url;

pub(crate) struct Token {
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Token {
    pub(crate) fn new(jws: &str) -> Self {
        let (message, signature) = jws.rsplit_once('.').expect("a compact JWS");
        Self {
            message: message.into(),
            signature: base64url::decode(signature).expect("a signature in base64url"),
        }
    }
}
