//! Five requests that must fail, really sent.

use std::time::Duration;

use reqwest::StatusCode;

use super::{
    Failure,
    document::Document,
    people::People,
    portal::{Answer, Job, Portal},
    resources::{SIGNER, SIGNER_WITHOUT_SKEW},
    story::{Refusal, Story},
};

const SIGN: Job = Job { worker: SIGNER, operation: "sign" };

/// Whether each was refused as it should be; a request that passes is a failure of the demo.
pub(super) async fn show(
    story: &mut Story<'_>,
    portal: &Portal<'_>,
    hasty: &Portal<'_>,
    people: &People,
    document: &Document,
    used_token: &str,
) -> Result<(), Failure> {
    let forged = document.forged();
    let dave = portal.obtain_token(SIGN, document, &people.dave).await?;
    let answer = portal.send(SIGN, &forged, &dave).await?;
    let expected = (StatusCode::FORBIDDEN, "hash_not_authorized");
    told(
        story,
        answer,
        expected,
        "a token for another document",
        "Dave approved one text, and sends another",
    )?;

    let answer = portal.send(SIGN, document, used_token).await?;
    let expected = (StatusCode::CONFLICT, "token_replayed");
    told(story, answer, expected, "the same token twice", "Alice's token, which has signed already")?;

    let bob = portal.obtain_token(SIGN, document, &people.bob).await?;
    let answer = portal.send(SIGN, document, &bob).await?;
    let expected = (StatusCode::FORBIDDEN, "claim_mismatch");
    told(story, answer, expected, "a wrong claim", "Bob is who he says, but in the group `readers`")?;

    let to_the_second = Job { worker: SIGNER_WITHOUT_SKEW, ..SIGN };
    let erin = hasty.obtain_token(to_the_second, document, &people.erin).await?;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let answer = hasty.send(to_the_second, document, &erin).await?;
    let expected = (StatusCode::UNAUTHORIZED, "token_invalid");
    told(story, answer, expected, "an expired token", "Erin's token of one second, two seconds later")?;

    let unsigned = without_signature(&dave);
    let answer = portal.send(SIGN, document, &unsigned).await?;
    told(story, answer, expected, "a token with its signature cut off", "Dave's token up to the last dot")
}

/// The token with its header, its claims and nothing after the second dot.
fn without_signature(token: &str) -> String {
    let end = token.rfind('.').map_or(0, |dot| dot + 1);
    token[..end].to_owned()
}

fn told(
    story: &mut Story<'_>,
    answer: Answer,
    expected: (StatusCode, &str),
    name: &'static str,
    tried: &'static str,
) -> Result<(), Failure> {
    let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
    if (answer.status, code.as_str()) != expected {
        return Err(Failure::new(format!(
            "{name}: expected {} {}, got {} {}",
            expected.0, expected.1, answer.status, answer.body
        )));
    }
    let title = answer.body["title"].as_str().unwrap_or_default().to_owned();
    story.refusal(&Refusal { name, tried, status: answer.status.as_u16(), code, title });
    Ok(())
}
