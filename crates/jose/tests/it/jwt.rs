//! Validating tokens: every check at its boundary, and a decision about every check.

use sealwright_jose::{
    VerifyErrorKind, base64url,
    jws::{Limit, Limits, Scratch, VerifierBuilder},
    jwt::{Check, Claims, ClaimsError, JwtErrorKind as Kind, Validator, ValidatorBuilder, ValidatorError},
};

use crate::support::{ES256, es256_verifier, signed};

const NOW: i64 = 1_764_547_200;

/// Everything is waived; tests expect what they are about instead.
fn waiving(expected: &[Check]) -> ValidatorBuilder {
    let waive = |builder: ValidatorBuilder, check| match check {
        Check::Typ => builder.waive_typ(),
        Check::Issuer => builder.waive_issuer(),
        Check::Audience => builder.waive_audience(),
        Check::Expiry => builder.waive_expiry(),
        Check::NotBefore => builder.waive_not_before(),
        _ => builder.waive_max_age(),
    };
    ALL.into_iter().filter(|check| !expected.contains(check)).fold(Validator::builder(), waive)
}

const ALL: [Check; 6] =
    [Check::Typ, Check::Issuer, Check::Audience, Check::Expiry, Check::NotBefore, Check::MaxAge];

fn build(builder: ValidatorBuilder) -> Validator {
    builder.build().unwrap()
}

/// What a validator says to a token of this header and payload, which is signed properly.
fn validate_token(validator: &Validator, header: &str, payload: &str, now: i64) -> Result<(), Kind> {
    let verifier = es256_verifier().build().unwrap();
    let token = signed(header, payload.as_bytes());
    let mut scratch = Scratch::new();
    verifier.verify_jwt(&token, validator, now, &mut scratch).map(drop).map_err(|error| error.kind())
}

fn validate(validator: &Validator, payload: &str, now: i64) -> Result<(), Kind> {
    validate_token(validator, r#"{"alg":"ES256","typ":"at+jwt"}"#, payload, now)
}

#[test]
fn a_token_that_passes_lends_its_claims() {
    let validator = build(
        Validator::builder()
            .expect_typ("at+jwt")
            .expect_issuer("https://id.example")
            .expect_audience("https://api.example")
            .expect_expiry()
            .expect_not_before()
            .expect_max_age(60),
    );
    let payload = format!(
        r#"{{"iss":"https:\/\/id.example","aud":["x","https://api.example"],"sub":"alice","exp":{},"nbf":{NOW},"iat":{NOW}}}"#,
        NOW + 1
    );
    let verifier = es256_verifier().build().unwrap();
    let token = signed(r#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#, payload.as_bytes());
    let mut scratch = Scratch::new();
    let token = verifier.verify_jwt(&token, &validator, NOW, &mut scratch).unwrap();
    assert_eq!(token.claims().sub(), Some("alice"));
    assert_eq!(token.claims().iss(), Some("https://id.example"));
    assert_eq!(token.verified().kid(), Some("k"));
    let claims = token.into_claims().into_owned();
    drop(scratch);
    assert_eq!(claims.exp(), Some(NOW + 1));
    assert_eq!(claims.aud().collect::<Vec<_>>(), ["x", "https://api.example"]);
}

#[test]
fn each_check_is_expected_or_waived_and_not_both() {
    assert_eq!(Validator::builder().build().unwrap_err(), ValidatorError::Undecided(ALL.to_vec()));
    for check in ALL {
        assert_eq!(waiving(&[check]).build().unwrap_err(), ValidatorError::Undecided(vec![check]));
        let both = match check {
            Check::Typ => waiving(&[]).expect_typ("JWT"),
            Check::Issuer => waiving(&[]).expect_issuer("i"),
            Check::Audience => waiving(&[]).expect_audience("a"),
            Check::Expiry => waiving(&[]).expect_expiry(),
            Check::NotBefore => waiving(&[]).expect_not_before(),
            _ => waiving(&[]).expect_max_age(1),
        };
        assert_eq!(both.build().unwrap_err(), ValidatorError::Contradictory(vec![check]));
    }
    for (check, empty) in [
        (Check::Typ, waiving(&[Check::Typ]).expect_typ("JWT").expect_typ("")),
        (Check::Issuer, waiving(&[Check::Issuer]).expect_issuer("")),
        (Check::Audience, waiving(&[Check::Audience]).expect_audience("").expect_audience("a")),
    ] {
        assert_eq!(empty.build().unwrap_err(), ValidatorError::Empty(check));
    }
    assert!(waiving(&[]).leeway(600).build().is_ok());
    for leeway in [601, u64::MAX] {
        assert_eq!(waiving(&[]).leeway(leeway).build().unwrap_err(), ValidatorError::Leeway);
    }
}

#[test]
fn type_is_compared_as_a_media_type() {
    let one = build(waiving(&[Check::Typ]).expect_typ("at+jwt"));
    let several = build(waiving(&[Check::Typ]).expect_typ("JWT").expect_typ("application/AT+jwt"));
    for (header, by_one, by_several) in [
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, true, true),
        (r#"{"alg":"ES256","typ":"At+Jwt"}"#, true, true),
        (r#"{"alg":"ES256","typ":"application/at+jwt"}"#, true, true),
        (r#"{"alg":"ES256","typ":"APPLICATION/at+JWT"}"#, true, true),
        (r#"{"alg":"ES256","typ":"at\u002bjwt"}"#, true, true),
        (r#"{"alg":"ES256","typ":"jwt"}"#, false, true),
        (r#"{"alg":"ES256"}"#, false, false),
        (r#"{"alg":"ES256","typ":""}"#, false, false),
        (r#"{"alg":"ES256","typ":"at+jwt "}"#, false, false),
        (r#"{"alg":"ES256","typ":"text/at+jwt"}"#, false, false),
        (r#"{"alg":"ES256","typ":"application/application/at+jwt"}"#, false, false),
        (r#"{"alg":"ES256","typ":"dpop+jwt"}"#, false, false),
    ] {
        let expected = |good: bool| if good { Ok(()) } else { Err(Kind::TypMismatch) };
        assert_eq!(validate_token(&one, header, "{}", NOW), expected(by_one), "{header}");
        assert_eq!(validate_token(&several, header, "{}", NOW), expected(by_several), "{header}");
        assert_eq!(validate_token(&build(waiving(&[])), header, "{}", NOW), Ok(()), "{header}");
    }
}

#[test]
fn issuer_is_one_of_the_expected_to_the_letter() {
    let validator = build(waiving(&[Check::Issuer]).expect_issuer("https://a").expect_issuer("https://b"));
    for (payload, outcome) in [
        (r#"{"iss":"https://a"}"#, Ok(())),
        (r#"{"iss":"https://b"}"#, Ok(())),
        (r#"{"iss":"https:\/\/\u0062"}"#, Ok(())),
        (r#"{"iss":"https://a/"}"#, Err(Kind::IssuerMismatch)),
        (r#"{"iss":"HTTPS://a"}"#, Err(Kind::IssuerMismatch)),
        (r#"{"iss":""}"#, Err(Kind::IssuerMismatch)),
        (r#"{"iss":" https://a"}"#, Err(Kind::IssuerMismatch)),
        (r#"{"sub":"https://a","x":{"iss":"https://a"}}"#, Err(Kind::Missing("iss"))),
        (r#"{"iss":["https://a"]}"#, Err(Kind::Claims(ClaimsError::Type("iss")))),
        (r#"{"iss":"https://c","iss":"https://a"}"#, Err(Kind::Claims(ClaimsError::NotAnObject))),
    ] {
        assert_eq!(validate(&validator, payload, NOW), outcome, "{payload}");
    }
    assert_eq!(validate(&build(waiving(&[])), r#"{"iss":"anybody"}"#, NOW), Ok(()));
}

#[test]
fn audience_holds_one_of_the_expected_to_the_letter() {
    let validator = build(waiving(&[Check::Audience]).expect_audience("a").expect_audience("b"));
    for (payload, outcome) in [
        (r#"{"aud":"a"}"#, Ok(())),
        (r#"{"aud":["x","b"]}"#, Ok(())),
        (r#"{"aud": [ "x" , "\u0062" ] }"#, Ok(())),
        (r#"{"aud":"x"}"#, Err(Kind::AudienceMismatch)),
        (r#"{"aud":"A"}"#, Err(Kind::AudienceMismatch)),
        (r#"{"aud":"a b"}"#, Err(Kind::AudienceMismatch)),
        (r#"{"aud":""}"#, Err(Kind::AudienceMismatch)),
        // What stands between strings is no audience, nor are two of them one.
        (r#"{"aud":["x","y,a"]}"#, Err(Kind::AudienceMismatch)),
        (r#"{"aud":["x\",\"a"]}"#, Err(Kind::AudienceMismatch)),
        (r#"{"aud":[]}"#, Err(Kind::Missing("aud"))),
        ("{}", Err(Kind::Missing("aud"))),
        (r#"{"aud":["a",1]}"#, Err(Kind::Claims(ClaimsError::Type("aud")))),
        (r#"{"aud":[["a"]]}"#, Err(Kind::Claims(ClaimsError::Type("aud")))),
    ] {
        assert_eq!(validate(&validator, payload, NOW), outcome, "{payload}");
    }
    assert_eq!(validate(&build(waiving(&[])), r#"{"aud":"somebody"}"#, NOW), Ok(()));
}

#[test]
fn times_hold_at_their_boundaries() {
    // With a leeway of ten seconds, as offsets to now.
    let expecting = |check| match check {
        Check::Expiry => build(waiving(&[check]).expect_expiry().leeway(10)),
        Check::NotBefore => build(waiving(&[check]).expect_not_before().leeway(10)),
        _ => build(waiving(&[check]).expect_max_age(100).leeway(10)),
    };
    for (check, claim, offset, outcome) in [
        (Check::Expiry, "exp", -9, Ok(())),
        (Check::Expiry, "exp", -10, Err(Kind::Expired)),
        (Check::NotBefore, "nbf", 10, Ok(())),
        (Check::NotBefore, "nbf", 11, Err(Kind::NotYetValid)),
        (Check::MaxAge, "iat", 10, Ok(())),
        (Check::MaxAge, "iat", 11, Err(Kind::IssuedInFuture)),
        (Check::MaxAge, "iat", -110, Ok(())),
        (Check::MaxAge, "iat", -111, Err(Kind::TooOld)),
    ] {
        let payload = format!(r#"{{"{claim}":{}}}"#, NOW + offset);
        assert_eq!(validate(&expecting(check), &payload, NOW), outcome, "{claim} {offset}");
        assert_eq!(validate(&expecting(check), "{}", NOW), Err(Kind::Missing(claim)));
        assert_eq!(validate(&build(waiving(&[])), "{}", NOW), Ok(()));
    }
    // Without leeway: on its second a token has expired, and has become valid.
    let none = build(waiving(&[]));
    for (payload, outcome) in [
        (format!(r#"{{"exp":{NOW}}}"#), Err(Kind::Expired)),
        (format!(r#"{{"exp":{NOW}.9}}"#), Err(Kind::Expired)),
        (format!(r#"{{"exp":{}}}"#, NOW + 1), Ok(())),
        (format!(r#"{{"nbf":{NOW}}}"#), Ok(())),
        (format!(r#"{{"nbf":{}}}"#, NOW + 1), Err(Kind::NotYetValid)),
        (format!(r#"{{"iat":{NOW}}}"#), Ok(())),
        // Waived, and still what is there holds.
        (format!(r#"{{"iat":{}}}"#, NOW + 1), Err(Kind::IssuedInFuture)),
        (r#"{"exp":0}"#.to_owned(), Err(Kind::Expired)),
    ] {
        assert_eq!(validate(&none, &payload, NOW), outcome, "{payload}");
    }
}

#[test]
fn no_clock_overflows() {
    const LATEST: i64 = 253_402_300_799;
    let lasting = build(waiving(&[Check::MaxAge]).expect_max_age(u64::MAX).leeway(600));
    let day = build(waiving(&[Check::MaxAge]).expect_max_age(86_400).leeway(600));
    let payload = format!(r#"{{"exp":{LATEST},"nbf":0,"iat":0}}"#);
    for (now, by_lasting, by_day) in [
        (i64::MIN, Err(Kind::NotYetValid), Err(Kind::NotYetValid)),
        (-601, Err(Kind::NotYetValid), Err(Kind::NotYetValid)),
        (-600, Ok(()), Ok(())),
        (87_000, Ok(()), Ok(())),
        (87_001, Ok(()), Err(Kind::TooOld)),
        (LATEST + 599, Ok(()), Err(Kind::TooOld)),
        (LATEST + 600, Err(Kind::Expired), Err(Kind::Expired)),
        (i64::MAX, Err(Kind::Expired), Err(Kind::Expired)),
    ] {
        assert_eq!(validate(&lasting, &payload, now), by_lasting, "{now}");
        assert_eq!(validate(&day, &payload, now), by_day, "{now}");
    }
    assert_eq!(validate(&lasting, r#"{"iat":0}"#, i64::MAX), Ok(()));
    assert_eq!(validate(&day, r#"{"iat":0}"#, i64::MAX), Err(Kind::TooOld));
    assert_eq!(validate(&day, r#"{"iat":0}"#, i64::MIN), Err(Kind::IssuedInFuture));
}

#[test]
fn what_the_verifier_refuses_is_told_apart_for_logs_only() {
    let validator = build(waiving(&[]));
    let verifier = es256_verifier().build().unwrap();
    let token = signed(r#"{"alg":"ES256"}"#, b"{}");
    let input = token.rsplit_once('.').unwrap().0;
    let false_signature = base64url::encode(ES256.sign(b"other").unwrap());
    for (token, kind) in [
        (format!("{input}.{false_signature}"), Kind::Jws(VerifyErrorKind::Signature)),
        ("e30.e30".to_owned(), Kind::Jws(VerifyErrorKind::Malformed)),
        (signed(r#"{"alg":"none"}"#, b"{}"), Kind::Jws(VerifyErrorKind::AlgNotAllowed)),
        (signed(r#"{"alg":"ES256"}"#, b"[]"), Kind::Claims(ClaimsError::NotAnObject)),
        (signed(r#"{"alg":"ES256"}"#, br#"{"exp":1}"#), Kind::Expired),
    ] {
        let mut scratch = Scratch::new();
        let error = verifier.verify_jwt(&token, &validator, NOW, &mut scratch).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.to_string(), "the token is not valid");
    }
}

/// RFC 7797 §7: a JWT has no unencoded payload, whatever the verifier understands.
#[test]
fn an_unencoded_payload_is_no_jwt() {
    let validator = build(waiving(&[]));
    let verifier = es256_verifier().unencoded().build().unwrap();
    for (header, outcome) in [
        (r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, Err(Kind::Unencoded)),
        (r#"{"alg":"ES256","\u0062\u00364":false,"crit":["b64"]}"#, Err(Kind::Unencoded)),
        (r#"{"alg":"ES256","b64":true,"crit":["b64"]}"#, Ok(())),
    ] {
        let payload = if outcome.is_ok() { base64url::encode("{}") } else { "{}".to_owned() };
        let input = format!("{}.{payload}", base64url::encode(header));
        let signature = base64url::encode(ES256.sign(input.as_bytes()).unwrap());
        let token = format!("{input}.{signature}");
        let mut scratch = Scratch::new();
        assert!(verifier.verify_compact(&token, &mut scratch).is_ok(), "{header}");
        let said = verifier.verify_jwt(&token, &validator, NOW, &mut scratch).map(drop);
        assert_eq!(said.map_err(|error| error.kind()), outcome, "{header}");
    }
}

#[test]
fn claims_are_read_as_a_type_of_the_caller() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Access<'a> {
        client_id: &'a str,
        #[serde(default)]
        groups: Vec<String>,
    }
    let read = |payload: &str| -> Result<Vec<String>, ClaimsError> {
        let claims = Claims::parse(payload.as_bytes()).unwrap();
        let access: Access<'_> = claims.deserialize()?;
        assert_eq!(access.client_id, "portal");
        Ok(access.groups)
    };
    assert_eq!(read(r#"{"client_id":"portal","groups":["a"],"x":1}"#), Ok(vec!["a".into()]));
    assert_eq!(read("{\"x\":1,\n\"client_id\":7}"), Err(ClaimsError::Shape { line: 2, column: 13 }));
    assert!(matches!(read(r#"{"groups":[]}"#), Err(ClaimsError::Shape { .. })));
    let secret = Claims::parse(br#"{"client_id":"portal","groups":"hunter2"}"#).unwrap();
    let error = secret.deserialize::<Access<'_>>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn owned_claims_say_the_same() {
    for payload in [
        r#"{"iss":"i\/j","sub":"s","aud":["\u0061","b"],"exp":1,"nbf":2.5,"x":[1,-0,1e3,{"y":null}]}"#,
        r#" {"jti":"j","aud":"a","iat":3} "#,
        "{}",
    ] {
        let borrowed = Claims::parse(payload.as_bytes()).unwrap();
        let owned = borrowed.clone().into_owned();
        assert_eq!(owned, borrowed);
        assert_eq!((owned.iss(), owned.sub(), owned.jti()), (borrowed.iss(), borrowed.sub(), borrowed.jti()));
        assert!(owned.aud().eq(borrowed.aud()));
        assert_eq!((owned.exp(), owned.nbf(), owned.iat()), (borrowed.exp(), borrowed.nbf(), borrowed.iat()));
        let by_serde: serde_json::Value = serde_json::from_str(payload).unwrap();
        assert_eq!(Some(owned.as_map()), by_serde.as_object());
        assert_eq!(owned.as_json(), payload);
        // Another order and other escapes mean the same.
        let again = serde_json::to_vec(owned.as_map()).unwrap();
        assert_eq!(Claims::parse(&again).unwrap(), owned);
    }
    let one = Claims::parse(br#"{"sub":"a"}"#).unwrap();
    assert_ne!(one, Claims::parse(br#"{"sub":"b"}"#).unwrap());
}

#[test]
fn the_depth_of_claims_and_the_limit_that_a_token_exceeds() {
    let deep = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    let says = |builder: ValidatorBuilder, depth| validate(&build(builder), &deep(depth), NOW);
    let too_deep = Err(Kind::Claims(ClaimsError::TooDeep));
    assert_eq!(says(waiving(&[]), 32), Ok(()));
    assert_eq!(says(waiving(&[]), 33), too_deep);
    assert_eq!(says(waiving(&[]).nesting(2), 2), Ok(()));
    assert_eq!(says(waiving(&[]).nesting(2), 3), too_deep);
    assert_eq!(says(waiving(&[]).nesting(usize::MAX), 64), Ok(()));
    assert_eq!(says(waiving(&[]).nesting(usize::MAX), 65), too_deep);

    let limit = |verifier: VerifierBuilder, token: &str| {
        let verifier = verifier.build().unwrap();
        let error =
            verifier.verify_jwt(token, &build(waiving(&[])), NOW, &mut Scratch::new()).map(drop).unwrap_err();
        error.limit()
    };
    let token = signed(r#"{"alg":"ES256"}"#, b"{}");
    let small = |limits: Limits| limit(es256_verifier().limits(limits), &token);
    assert_eq!(small(Limits::default().token_bytes(20)), Some(Limit::Token));
    assert_eq!(small(Limits::default().header_bytes(3)), Some(Limit::Header));
    assert_eq!(small(Limits::default().signature_bytes(3)), Some(Limit::Signature));
    assert_eq!(small(Limits::default().payload_bytes(1)), Some(Limit::Payload));
    let claims = signed(r#"{"alg":"ES256"}"#, deep(33).as_bytes());
    assert_eq!(limit(es256_verifier(), &claims), Some(Limit::Nesting));
    assert_eq!(limit(es256_verifier(), "a.b.c"), None);
    let names: Vec<_> =
        [Limit::Header, Limit::Payload, Limit::Signature, Limit::Token, Limit::Signatures, Limit::Nesting]
            .map(Limit::name)
            .into();
    assert_eq!(names, ["header", "payload", "signature", "token", "signatures", "nesting"]);
}
