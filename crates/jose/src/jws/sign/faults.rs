//! Signatures that come out wrong, and none of them is given out.

use crate::{
    Alg, MacKey, SignError, SigningKey,
    jws::sign::{DetachedSigner, Signer, sign_general, sign_general_detached, start_general_detached},
};

/// A key that signs otherwise than its public half verifies, as a fault of the machine would make it.
fn faulty(alg: Alg) -> SigningKey {
    let other = SigningKey::generate(alg).unwrap();
    SigningKey::generate(alg).unwrap().with_public_half_of(&other)
}

fn signers(alg: Alg) -> (Signer, Signer) {
    let faulty = Signer::new(&faulty(alg));
    (faulty.clone(), faulty.verify_after_signing())
}

#[test]
fn a_wrong_signature_is_not_given_out() {
    const ALGS: [Alg; 6] = [Alg::Rs256, Alg::Ps256, Alg::Es256, Alg::Es256k, Alg::Ed25519, Alg::MlDsa44];
    for alg in ALGS {
        let (careless, careful) = signers(alg);
        // Without the check it would leave the house.
        assert!(careless.sign_compact(b"x").is_ok(), "{alg}");
        let sound = Signer::new(&SigningKey::generate(Alg::Es256).unwrap());
        let both = [&sound, &careful];
        for signed in [
            careful.sign_compact(b"x"),
            careful.sign_detached(b"x"),
            careful.sign_flattened(b"x"),
            careful.sign_flattened_detached(b"x"),
            careful.clone().unencoded().sign_compact(b"x"),
            sign_general(&both, b"x"),
            sign_general_detached(&both, b"x"),
        ] {
            assert_eq!(signed, Err(SignError::Unverified), "{alg}");
        }
        let mut text = String::from("before");
        assert_eq!(careful.sign_compact_into(b"x", &mut text), Err(SignError::Unverified), "{alg}");
        assert_eq!(text, "before", "{alg}");
    }
}

#[test]
fn a_wrong_signature_of_pieces_is_not_given_out() {
    for alg in [Alg::Rs256, Alg::Ps256, Alg::Es256, Alg::Es512, Alg::Es256k] {
        let (careless, careful) = signers(alg);
        fn start(signer: &Signer) -> DetachedSigner<'_> {
            let mut stream = signer.start_detached().unwrap();
            stream.update(b"x");
            stream
        }
        assert!(start(&careless).finish_compact().is_ok(), "{alg}");
        assert_eq!(start(&careful).finish_compact(), Err(SignError::Unverified), "{alg}");
        assert_eq!(start(&careful).finish_flattened(), Err(SignError::Unverified), "{alg}");
        let sound = Signer::new(&SigningKey::generate(Alg::Es256).unwrap());
        let several = start_general_detached(&[&sound, &careful]).unwrap();
        assert_eq!(several.finish(), Err(SignError::Unverified), "{alg}");
    }
}

/// A tag cannot be told to be wrong by a public half: it is computed twice.
#[test]
fn a_wrong_tag_is_not_taken_for_the_right_one() {
    let key = MacKey::generate(Alg::Hs256).unwrap();
    let signer = Signer::mac(&key);
    let mut tag = key.sign(b"x").unwrap();
    assert!(signer.key.verifies(b"x", &tag));
    tag[31] ^= 1;
    assert!(!signer.key.verifies(b"x", &tag));
}
