//! What signing allocates beside the back end, counted.

use allocation_counter::measure;
use sealwright_jose::{
    Alg, MacKey, SigningKey,
    jws::{Header, Signer, SigningInput, prepare},
};

const CLAIMS: &[u8] = &[b'x'; 200];

/// How often `work` allocates at the least. The back end first writes an ECDSA signature as DER,
/// and moves it if its numbers came out short.
fn count(mut work: impl FnMut()) -> u64 {
    (0..60).map(|_| measure(&mut work).count_total).min().unwrap_or_default()
}

#[test]
fn a_token_costs_one_allocation_and_none_where_there_is_room() {
    let mut room = String::with_capacity(16 * 1024);
    for alg in Alg::ALL.iter().copied() {
        // A few algorithms allocate in the back end itself, which is counted by signing alone.
        let (signer, bare) = if alg.is_mac() {
            (Signer::mac(&MacKey::generate(alg).expect("a key")), 0)
        } else {
            let key = SigningKey::generate(alg).expect("a key");
            let prepared = prepare(Header::new(alg), CLAIMS).expect("a header");
            let SigningInput::Message(message) = prepared.signing_input() else { unreachable!() };
            // The last one is for the signature that is returned.
            let bare = count(|| drop(key.sign(message).expect("a signature"))) - 1;
            (Signer::new(&key), bare)
        };
        // ML-DSA and RSA signatures are too long to lie on the stack twice.
        let long = u64::from(alg.signature_len().is_none_or(|len| len > 132));
        let whole = count(|| drop(signer.sign_compact(CLAIMS).expect("a token")));
        assert_eq!(whole, bare + 1 + long, "{alg}");
        let appended = count(|| {
            room.clear();
            signer.sign_compact_into(CLAIMS, &mut room).expect("a token");
        });
        assert_eq!(appended, bare + long, "{alg}");
    }
}
