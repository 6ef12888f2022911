//! One bit of a token is turned, which must cost it its validity.

use sealwright_jose::base64url;
use serde_json::Value;

use crate::{Result, random::Random};

/// `token` with one bit of its protected header, its payload or a signature turned, and a word on which.
pub(crate) fn one_bit(token: &str, random: &mut Random) -> Result<(String, String)> {
    if token.trim_start().starts_with('{') {
        return in_json(token, random);
    }
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    // What is not encoded may be any text, and a detached payload is not there.
    let targets: Vec<usize> = (0..parts.len()).filter(|at| is_encoded(&parts[*at])).collect();
    let at = targets[random.below(targets.len())];
    let bit = turn(&mut parts[at], random)?;
    Ok((parts.join("."), format!("bit {bit} of part {}", at + 1)))
}

fn in_json(token: &str, random: &mut Random) -> Result<(String, String)> {
    let mut object: Value = serde_json::from_str(token).map_err(|error| format!("{token}: {error}"))?;
    let count = object["signatures"].as_array().map_or(0, Vec::len);
    let mut targets: Vec<String> = match count {
        0 => vec!["/protected".into(), "/signature".into()],
        _ => (0..count)
            .flat_map(|n| [format!("/signatures/{n}/protected"), format!("/signatures/{n}/signature")])
            .collect(),
    };
    if object["payload"].as_str().is_some_and(is_encoded) {
        targets.push("/payload".into());
    }
    let target = &targets[random.below(targets.len())];
    let Some(Value::String(text)) = object.pointer_mut(target) else {
        return Err(format!("{token} has no {target}"));
    };
    let bit = turn(text, random)?;
    Ok((object.to_string(), format!("bit {bit} of {target}")))
}

fn is_encoded(text: &str) -> bool {
    !text.is_empty() && base64url::decode(text).is_ok()
}

/// Turns a bit of what is encoded, so that the encoding stays one that is canonical.
fn turn(text: &mut String, random: &mut Random) -> Result<usize> {
    let mut bytes = base64url::decode(text).map_err(|error| format!("{text}: {error}"))?;
    let bit = random.below(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    *text = base64url::encode(bytes);
    Ok(bit)
}

#[cfg(test)]
mod tests {
    use super::one_bit;
    use crate::random::Random;

    fn differs(token: &str) {
        let mut random = Random::new();
        for _ in 0..50 {
            let (turned, _) = one_bit(token, &mut random).expect("the token can be read");
            assert_ne!(turned, token);
            assert_eq!(turned.len(), token.len());
        }
    }

    #[test]
    fn exactly_the_length_stays() {
        differs("eyJhbGciOiJIUzI1NiJ9.aGVsbG8.c2lnbmF0dXJl");
        differs("eyJhbGciOiJIUzI1NiJ9..c2lnbmF0dXJl");
        differs(r#"{"payload":"aGVsbG8","protected":"e30","signature":"c2ln"}"#);
        differs(r#"{"payload":"a text","signatures":[{"protected":"e30","signature":"c2ln"}]}"#);
    }
}
