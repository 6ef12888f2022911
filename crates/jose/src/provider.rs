//! The cryptographic back end. What the rest of the crate asks of it is the surface of [`aws_lc`];
//! it says yes or no and never why, and no algorithm is chosen in it.

mod aws_lc;
mod password;

pub(crate) use aws_lc::{Digest, Hasher, Mac, MacContext, PrivateKey, PublicKey, random};
pub(crate) use password::{
    Chaining, Prf, aes_256_cbc_encrypt_padded, aes_cbc_decrypt_padded, aes_decrypt, pbkdf2,
};
