//! Claims of another type than they must be, or that say another thing than they seem to
//! (CVE-2020-26160, CVE-2024-51744, CVE-2026-25537). The signatures are good.

use sealwright_jose::{
    VerifyErrorKind,
    jws::Scratch,
    jwt::{Claims, ClaimsError, JwtErrorKind as Kind, Validator},
};

use crate::{
    support::{es256_verifier, signed},
    tally::refused,
};

const NOW: i64 = 1_764_547_200;

fn validator() -> Validator {
    Validator::builder()
        .expect_typ("at+jwt")
        .expect_issuer("https://id.example")
        .expect_audience("https://api.example")
        .expect_expiry()
        .expect_not_before()
        .expect_max_age(600)
        .build()
        .unwrap()
}

fn validate(header: &str, payload: &str) -> Result<(), Kind> {
    let verifier = es256_verifier().build().unwrap();
    let token = signed(header, payload.as_bytes());
    let mut scratch = Scratch::new();
    let token = verifier.verify_jwt(&token, &validator(), NOW, &mut scratch);
    token.map(drop).map_err(|error| error.kind())
}

const HEADER: &str = r#"{"alg":"ES256","typ":"at+jwt"}"#;

/// Good claims, of which one is replaced; an empty text leaves it out.
fn with(claim: &str, value: &str) -> String {
    let members: Vec<_> = [
        ("iss", r#""https://id.example""#),
        ("aud", r#""https://api.example""#),
        ("exp", "1764547201"),
        ("nbf", "1764547200"),
        ("iat", "1764547200"),
        ("jti", r#""1""#),
        ("sub", r#""alice""#),
    ]
    .into_iter()
    .map(|(name, good)| (name, if name == claim { value } else { good }))
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!(r#""{name}":{value}"#))
    .collect();
    format!("{{{}}}", members.join(","))
}

#[test]
pub(super) fn claim_of_another_type() {
    assert_eq!(validate(HEADER, &with("", "")), Ok(()));
    let wrong = |claim| Kind::Claims(ClaimsError::Type(claim));
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            r#""1764547201""#,
            r#""never""#,
            r#""""#,
            "null",
            "true",
            "false",
            "[]",
            "[1764547201]",
            "{}",
            r#"{"$numberLong":"1"}"#,
            "-1",
            "-1764547201",
            "1764547201000",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "1e300",
        ] {
            refused(format_args!("{claim}: {value}"), validate(HEADER, &with(claim, value)), wrong(claim));
        }
        for value in
            ["NaN", "Infinity", "-Infinity", "1e400", "0x69", "01", "1.", ".5", "+1", "1_000", "1764547201n"]
        {
            let kind = Kind::Claims(ClaimsError::NotAnObject);
            refused(format_args!("{claim}: {value}"), validate(HEADER, &with(claim, value)), kind);
        }
    }
    for claim in ["iss", "sub", "jti"] {
        for value in ["7", "null", "true", "[]", r#"["https://id.example"]"#, r#"{"0":"https://id.example"}"#]
        {
            refused(format_args!("{claim}: {value}"), validate(HEADER, &with(claim, value)), wrong(claim));
        }
    }
    for value in [
        "7",
        "null",
        "true",
        "{}",
        r#"{"https://api.example":true}"#,
        r#"["https://api.example",7]"#,
        r#"["https://api.example",null]"#,
        r#"[["https://api.example"]]"#,
        r#"["https://api.example",{}]"#,
    ] {
        refused(format_args!("aud: {value}"), validate(HEADER, &with("aud", value)), wrong("aud"));
    }
}

#[test]
pub(super) fn claim_that_is_not_there_or_not_the_one() {
    for (claim, value, kind) in [
        ("iss", "", Kind::Missing("iss")),
        ("aud", "", Kind::Missing("aud")),
        ("aud", "[]", Kind::Missing("aud")),
        ("exp", "", Kind::Missing("exp")),
        ("nbf", "", Kind::Missing("nbf")),
        ("iat", "", Kind::Missing("iat")),
        ("iss", r#""""#, Kind::IssuerMismatch),
        ("iss", r#""https://id.example/""#, Kind::IssuerMismatch),
        ("iss", r#""https://id.example.evil""#, Kind::IssuerMismatch),
        ("iss", r#""https://ID.example""#, Kind::IssuerMismatch),
        ("iss", r#""http://id.example""#, Kind::IssuerMismatch),
        ("iss", r#""https://id.example\u0000""#, Kind::IssuerMismatch),
        ("iss", r#""https://id\u3002example""#, Kind::IssuerMismatch),
        ("aud", r#""""#, Kind::AudienceMismatch),
        ("aud", r#"["",""]"#, Kind::AudienceMismatch),
        ("aud", r#""https://api.example/""#, Kind::AudienceMismatch),
        ("aud", r#""https://api""#, Kind::AudienceMismatch),
        ("aud", r#""https://api.example https://other.example""#, Kind::AudienceMismatch),
        ("aud", r#"["https://api.example,"]"#, Kind::AudienceMismatch),
        ("aud", r#""*""#, Kind::AudienceMismatch),
        ("exp", "1764547200", Kind::Expired),
        ("exp", "1764547200.999", Kind::Expired),
        ("exp", "0", Kind::Expired),
        ("exp", "-0", Kind::Expired),
        ("nbf", "1764547201", Kind::NotYetValid),
        ("iat", "1764547201", Kind::IssuedInFuture),
        ("iat", "253402300799", Kind::IssuedInFuture),
        ("iat", "1764546599", Kind::TooOld),
        ("iat", "0", Kind::TooOld),
    ] {
        refused(format_args!("{claim}: {value}"), validate(HEADER, &with(claim, value)), kind);
    }
}

#[test]
pub(super) fn payload_that_says_two_things() {
    let good = with("", "");
    let twice = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    for payload in [
        twice(r#""exp":9999999999"#),
        twice(r#""\u0065xp":9999999999"#),
        twice(r#""iss":"https://evil.example""#),
        twice(r#""sub":"admin""#),
        twice(r#""a":{"b":1,"b":2}"#),
        format!("{good}{good}"),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        format!("{good}\0"),
        format!("{good} // "),
        good.replace("\"sub\"", "sub"),
        good.replace('"', "'"),
        good.replace("}", ",}"),
        good[..good.len() - 1].to_owned(),
        String::new(),
        "null".to_owned(),
        "{".to_owned(),
        r#""{}""#.to_owned(),
        "7".to_owned(),
    ] {
        refused(&payload, validate(HEADER, &payload), Kind::Claims(ClaimsError::NotAnObject));
    }
    // Names that only look alike are other claims.
    for claim in ["Exp", "EXP", "exp ", "\\u0435xp", "__proto__"] {
        let payload = with("exp", "").replacen('{', &format!(r#"{{"{claim}":9999999999,"#), 1);
        refused(claim, validate(HEADER, &payload), Kind::Missing("exp"));
    }
    let nested = format!(r#"{{"claims":{good}}}"#);
    refused("nested", validate(HEADER, &nested), Kind::Missing("iss"));
    let deep = good.replacen('{', &format!(r#"{{"a":{}{},"#, "[".repeat(20_000), "]".repeat(20_000)), 1);
    refused("deep", validate(HEADER, &deep), Kind::Claims(ClaimsError::TooDeep));
    for payload in [&b"{\"a\":\"\xff\"}"[..], b"\xff\xfe{\0}\0", b"{\"a\":\"\xed\xa0\x80\"}"] {
        refused(payload.escape_ascii(), Claims::parse(payload), ClaimsError::NotAnObject);
    }
}

#[test]
pub(super) fn jwt_of_another_type() {
    for typ in [
        r#","typ":"JWT""#,
        r#","typ":"id_token+jwt""#,
        r#","typ":"dpop+jwt""#,
        r#","typ":"logout+jwt""#,
        r#","typ":"secevent+jwt""#,
        r#","typ":"at+jwt, JWT""#,
        r#","typ":"at+jwt;charset=utf-8""#,
        r#","typ":" at+jwt""#,
        r#","typ":"at jwt""#,
        r#","typ":"application/jwt""#,
        r#","typ":"application/x-at+jwt""#,
        r#","typ":"application//at+jwt""#,
        r#","typ":"at+jwt\u0000""#,
        r#","TYP":"at+jwt""#,
        r#","cty":"at+jwt""#,
        "",
    ] {
        let header = format!(r#"{{"alg":"ES256"{typ}}}"#);
        refused(typ, validate(&header, &with("", "")), Kind::TypMismatch);
    }
    for typ in ["7", "null", r#"["at+jwt"]"#, "{}"] {
        let header = format!(r#"{{"alg":"ES256","typ":{typ}}}"#);
        let kind = Kind::Jws(VerifyErrorKind::Malformed);
        refused(typ, validate(&header, &with("", "")), kind);
    }
}
