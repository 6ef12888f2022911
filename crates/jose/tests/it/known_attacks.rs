//! What other libraries have been hit by. Each test is named after the attack and walks a table of
//! inputs that must be refused, with the kind of the refusal. Signatures in the tables about
//! headers are genuine, so that nothing but the rule under test refuses them.

mod alg;
mod claims;
mod confusion;
mod critical;
mod curves;
mod encoding;
mod encrypted;
mod exhaustion;
mod injection;
mod json;
mod jwt;
mod key_numbers;
mod key_sets;
mod leaks;
mod mac_keys;
mod ml_dsa;
mod oracle;
mod policies;
mod producer;
mod rsa;
mod serialization;
mod several_signatures;
mod signature;
mod unencoded;

use std::sync::LazyLock;

use sealwright_jose::{Alg, SigningKey, VerifyingKey};
use serde_json::Value;

use crate::{
    support::{ED25519, ES256, RS256, generate},
    tally, unusual,
};

/// A key of each algorithm that has one; those of RSA are one key.
fn keys() -> &'static [SigningKey] {
    static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
        let key = |alg: Alg| match alg.name().as_bytes() {
            [b'R' | b'P', b'S', ..] => {
                SigningKey::from_pem(alg, &RS256.to_pem().unwrap()).unwrap().with_kid("k")
            }
            b"ES256" => ES256.clone(),
            b"Ed25519" => ED25519.clone(),
            _ => generate(alg),
        };
        Alg::ALL.iter().filter(|alg| !alg.is_mac()).map(|alg| key(*alg)).collect()
    });
    &KEYS
}

fn jwk_of(key: &VerifyingKey) -> Value {
    serde_json::from_str(&key.to_jwk()).unwrap()
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

type Class = (&'static str, &'static [fn()]);

/// The classes of attack, and the tests of each.
const CLASSES: [Class; 27] = [
    (
        "`alg` is none, or spelt in another way",
        &[alg::alg_none, alg::alg_none_by_every_policy_and_in_every_form, alg::alg_in_another_spelling],
    ),
    (
        "public key as HMAC secret",
        &[
            alg::public_key_as_hmac_secret,
            confusion::every_encoding_of_every_public_key_as_hmac_secret,
            confusion::every_encoding_of_every_public_key_as_mac_key,
        ],
    ),
    (
        "algorithm not bound to the key",
        &[
            alg::another_algorithm_for_the_same_key,
            alg::eddsa_names_no_other_key,
            alg::jwk_of_another_algorithm_or_use,
            alg::verifier_that_would_be_unsafe,
            confusion::key_under_every_other_algorithm,
            confusion::jwk_under_every_other_algorithm,
            confusion::key_for_another_use,
        ],
    ),
    (
        "psychic and degenerate signatures",
        &[
            curves::psychic_signature_on_every_curve,
            signature::rsa_of_another_length_or_no_padding,
            signature::mac_cut_or_extended,
        ],
    ),
    (
        "key in the header",
        &[
            injection::key_in_the_header,
            injection::key_in_the_unprotected_header,
            injection::certificate_in_the_header,
        ],
    ),
    (
        "`kid` that is more than a name",
        &[
            injection::kid_that_is_a_path_a_query_or_a_url,
            injection::token_that_does_not_say_which_of_several_keys,
        ],
    ),
    (
        "`crit` ignored or read laxly",
        &[
            critical::crit_that_breaks_its_rules,
            critical::crit_outside_the_protected_header,
            critical::a_standard_parameter_cannot_be_understood,
            policies::crit_under_every_policy,
        ],
    ),
    (
        "ambiguous JSON",
        &[
            json::one_name_twice,
            json::what_is_not_strict_json,
            json::what_is_not_utf8,
            json::registered_parameters_of_another_type,
            policies::json_under_every_policy,
        ],
    ),
    (
        "base64url in another spelling",
        &[
            encoding::base64url_in_another_spelling,
            encoding::white_space_around_the_token,
            encoding::length_one_over_a_multiple_of_four,
        ],
    ),
    (
        "one serialization taken for another",
        &[
            alg::alg_outside_the_protected_header,
            serialization::token_with_the_wrong_number_of_parts,
            serialization::json_given_to_the_compact_reader_and_the_reverse,
            serialization::json_that_says_two_things,
            serialization::one_name_in_both_headers,
            serialization::members_missing_or_of_another_type,
            serialization::unprotected_parameters_are_not_reported,
            several_signatures::any_taken_for_all,
            several_signatures::header_of_a_signature_that_is_not_valid,
            several_signatures::json_that_is_neither_form,
        ],
    ),
    (
        "`b64` misread",
        &[
            critical::b64_that_changes_what_is_signed,
            unencoded::b64_that_breaks_its_rules,
            unencoded::unencoded_payload_that_can_be_read_in_two_ways,
            unencoded::b64_unprotected_or_mixed,
            unencoded::payload_attached_and_detached,
            unencoded::unencoded_payload_around_a_limit_or_in_a_jwt,
        ],
    ),
    (
        "RSA keys and padding",
        &[
            key_numbers::rsa_of_a_bad_size_or_exponent,
            key_numbers::rsa_numbers_that_do_not_fit_each_other,
            rsa::forged_padding,
            rsa::modulus_that_can_be_factored_or_costs_too_much,
            rsa::private_numbers_that_would_leak_the_key,
            rsa::primes_that_are_close,
        ],
    ),
    (
        "HMAC keys that are no secrets",
        &[
            mac_keys::short_secret,
            mac_keys::key_of_another_kind_as_secret,
            mac_keys::symmetric_and_public_jwk_swapped,
        ],
    ),
    ("ECDSA in another form", &[curves::ecdsa_in_another_form_on_every_curve]),
    ("another curve", &[key_numbers::another_curve, curves::curve_of_another_algorithm]),
    (
        "points off the curve, keys that do not parse",
        &[
            key_numbers::point_off_the_curve,
            key_numbers::private_half_of_another_key,
            curves::no_point_of_any_curve,
            curves::der_that_is_cut_or_goes_on,
        ],
    ),
    (
        "EdDSA",
        &[
            signature::eddsa_degenerate_or_not_canonical,
            signature::eddsa_key_or_signature_of_another_length,
            key_numbers::ed25519_of_small_order_or_not_canonical,
            key_numbers::ed25519_off_the_curve,
        ],
    ),
    (
        "ML-DSA",
        &[
            ml_dsa::ml_dsa_signature_of_no_signer,
            ml_dsa::ml_dsa_key_of_a_wrong_length,
            ml_dsa::ml_dsa_under_another_name,
        ],
    ),
    (
        "oracles",
        &[
            leaks::the_caller_cannot_tell_refusals_apart,
            oracle::refusals_that_look_the_same,
            oracle::tag_bent_in_any_byte,
        ],
    ),
    ("encrypted token taken for a signed one", &[serialization::encrypted_token_taken_for_a_signed_one]),
    (
        "token of another type",
        &[jwt::token_of_another_type, jwt::optional_type_is_still_checked, claims::jwt_of_another_type],
    ),
    (
        "claims of another type",
        &[
            claims::claim_of_another_type,
            claims::claim_that_is_not_there_or_not_the_one,
            claims::payload_that_says_two_things,
        ],
    ),
    (
        "resource exhaustion",
        &[
            exhaustion::many_dots,
            exhaustion::large_header_or_token,
            exhaustion::deep_nesting,
            exhaustion::many_members,
            exhaustion::large_key,
            exhaustion::input_that_costs_more_to_refuse_than_to_send,
        ],
    ),
    (
        "encryption, which is recognised and refused",
        &[
            encrypted::jwe_in_every_serialization,
            encrypted::jwe_header_in_three_parts_under_every_policy,
            encrypted::key_to_encrypt_with,
        ],
    ),
    (
        "key sets",
        &[key_sets::key_that_spoils_no_set, key_sets::text_that_is_no_set, key_sets::one_kid_for_two_keys],
    ),
    (
        "leaks",
        &[
            leaks::input_in_an_error,
            leaks::secret_in_debug,
            leaks::token_in_debug,
            leaks::password_or_secret_in_an_error,
            leaks::private_number_in_any_debug,
        ],
    ),
    (
        "the producer's side",
        &[
            producer::header_that_lies_about_the_key,
            producer::header_that_says_two_things,
            producer::critical_parameter_that_breaks_the_rules,
            producer::header_that_gives_something_away,
            producer::signature_that_no_verifier_would_take,
        ],
    ),
];

#[test]
fn every_class_has_its_cases() {
    let mut all = 0;
    for (class, tests) in CLASSES {
        let (refused, _) = tally::count(tests);
        println!("{refused:5}  {class}");
        assert!(refused >= 5, "{class}: {refused}");
        all += refused;
    }
    println!("{all:5}  bad tokens, keys and sets");
    assert!(all >= 2000, "{all}");
    let (_, accepted) = tally::count(unusual::TESTS);
    println!("{accepted:5}  unusual good ones");
    assert!(accepted >= 60, "{accepted}");
}
