//! The cryptographic back end. What the rest of the crate asks of it is the surface of [`aws_lc`];
//! it says yes or no and never why, and no algorithm is chosen in it.

mod aws_lc;

pub(crate) use aws_lc::{Digest, Hasher, Mac, MacContext, PrivateKey, PublicKey, random};
