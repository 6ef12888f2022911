//! `sealwright demo`: the eleven steps of the main job, on two real servers, with the story told as it goes.
//!
//! This module plays the client and the users. What the servers do is theirs: everything goes through HTTP.

mod browser;
mod document;
mod failure;
mod files;
mod people;
mod portal;
mod refusals;
mod resources;
mod servers;
mod story;

use std::{path::Path, time::Instant};

use sealwright_jose::jws::Unverified;
use sealwright_service::{clock::Clock, shutdown::Shutdown};
use serde_json::{Value, json};

use self::{
    document::Document,
    failure::Failure,
    files::Files,
    people::People,
    portal::{Answer, Job, Portal},
    resources::{Addresses, DOMAIN, HASTY, PORTAL, REDIRECT_URI, SIGNER, VALIDATOR},
    servers::Servers,
    story::{Story, short, size},
};
use crate::{args::DemoArgs, command::Outcome, error::CliError, output::Output};

/// Runs the demo; ends well only if every step and every refusal went as it must.
pub(crate) fn run(args: &DemoArgs, output: &Output) -> Result<Outcome, CliError> {
    let document = match &args.document {
        Some(path) => Document::read(path)?,
        None => Document::contract(),
    };
    let dir = files::folder(args.out.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::from)?;
    runtime.block_on(tell(&dir, &document, args.keep, output))?;
    Ok(Outcome::Done)
}

async fn tell(dir: &Path, document: &Document, keep: bool, output: &Output) -> Result<(), Failure> {
    let started = Instant::now();
    let shutdown = Shutdown::new();
    let people = People::new();
    let mut story = Story::new(output);

    story.plain("Sealwright: from \"who is this person?\" to \"this document is signed in their name\".");
    let addresses = Addresses::free()?;
    let written = resources::write(dir, &addresses, &people)?;
    let servers = Servers::start(&written, &shutdown).await?;
    story.note(&format!(
        "authorization server {}   signing server {}   files in {}",
        addresses.authorization,
        addresses.signing,
        dir.display()
    ));

    let clock = Clock::system();
    let portal = Portal::new(&addresses, PORTAL, clock.clone())?;
    let hasty = Portal::new(&addresses, HASTY, clock)?;

    let signed = eleven_steps(&mut story, &portal, &addresses, &people, document).await?;
    let mut files = Files::new(dir);
    files.write_signed(document, &signed.answer, &signed.token)?;
    files.write_keys(&portal.fetch(&format!("{}/oauth2/jwks", addresses.authorization)).await?)?;

    validated(&story, &portal, &people, &files).await?;
    story.heading("Five requests that must be refused");
    refusals::show(&mut story, &portal, &hasty, &people, document, &signed.token).await?;

    let took = started.elapsed();
    let servers = if keep {
        Some(servers)
    } else {
        shutdown.begin();
        servers.stopped().await?;
        None
    };

    let claims = claims(&signed.token)?;
    story.heading(&format!("Done in {:.1} s. What was written", took.as_secs_f64()));
    files.list(&story);
    story.heading("Check it, with Sealwright and without");
    files.commands(&story);
    if servers.is_some() {
        story.heading("Both servers go on running. Try it yourself");
        kept(&story, &addresses, &people);
    }
    let (steps, refusals) = story.into_json();
    output
        .json(&json!({
            "ok": true,
            "seconds": took.as_secs_f64(),
            "steps": steps,
            "refusals": refusals,
            "files": files.to_json(),
            "servers": {"authorization": addresses.authorization, "signing": addresses.signing},
            "user": user(&people, keep),
            "client": {"client_id": PORTAL, "redirect_uri": REDIRECT_URI},
            "claims": claims,
        }))
        .map_err(|error| Failure::new(error.to_string()))?;

    if let Some(servers) = servers {
        let signals = Shutdown::on_signals();
        signals.begun().await;
        shutdown.begin();
        servers.stopped().await?;
    }
    Ok(())
}

/// What step 11 leaves behind.
struct Signed {
    token: String,
    answer: Value,
}

async fn eleven_steps(
    story: &mut Story<'_>,
    portal: &Portal<'_>,
    addresses: &Addresses,
    people: &People,
    document: &Document,
) -> Result<Signed, Failure> {
    const JOB: Job = Job { worker: SIGNER, operation: "sign" };
    let alice = &people.alice;
    story.heading(&format!("Alice signs {} ({})", document.name, size(document.bytes.len())));

    let keys = portal.fetch(&format!("{}/oauth2/jwks", addresses.authorization)).await?;
    let key = &keys["keys"][0];
    let protected =
        portal.fetch(&format!("{}/.well-known/oauth-protected-resource", addresses.signing)).await?;
    story.step(
        1,
        "The worker knows the authorization server's keys, and its rules on claims",
        "GET /oauth2/jwks, and the signing server's /.well-known/oauth-protected-resource",
        &format!(
            "key {} ({})\nissuers that the signing server trusts: {}",
            text(&key["kid"]),
            text(&key["alg"]),
            protected["authorization_servers"]
        ),
    );

    let challenge = portal.ask(JOB, document, alice.username).await?;
    let context = &challenge.problem["context"];
    if challenge.status != 401 || !context.is_object() {
        return Err(Failure::answer("expected 401 with an authentication context", &challenge));
    }
    story.step(
        2,
        "The client asks the worker to sign, without a token",
        &format!(
            "POST /v1/workers/{SIGNER}/sign  digest {}  client {PORTAL}  PKCE S256  domain {DOMAIN}",
            short(&document.digest_base64())
        ),
        &format!("{} {}", challenge.status, text(&challenge.problem["code"])),
    );
    story.step(
        3,
        "The signing server asks the authorization server for authentication",
        &format!(
            "POST /api/v1/authentication-contexts  domain {DOMAIN}  {}  {}",
            text(&challenge.problem["acr_values"][0]),
            documents(&challenge.problem["authorization_details"][0])
        ),
        &format!("context {}", text(&context["id"])),
    );
    story.step(
        4,
        "The authorization server answers with an authentication context",
        &format!("for the client {PORTAL}, which alone can redeem what comes of it"),
        &format!(
            "request_uri {}  good for {} s",
            short(text(&context["request_uri"])),
            context["expires_in"]
        ),
    );
    story.step(
        5,
        "The context reaches the user: the challenge, and a page to open",
        &format!("WWW-Authenticate: {}", challenge.www_authenticate),
        text(&context["authorize_url"]),
    );

    let (code, pages) = portal.log_in(&challenge, alice).await?;
    story.step(
        6,
        "Alice authenticates: password, one-time code, approval of this document",
        &format!("pages: {}", pages.join(", ")),
        &format!("back at the client with a code, {}", short(&code)),
    );
    let token = portal.redeem(&code, &challenge).await?;
    let claims = claims(&token)?;
    story.step(
        7,
        "The client redeems the code with its PKCE verifier: the JWS",
        "POST /oauth2/token  grant_type=authorization_code  code_verifier=…",
        &format!(
            "{}\nsub {}  acr {}  amr {}  bound to {}",
            short(&token),
            text(&claims["sub"]),
            text(&claims["acr"]),
            claims["amr"],
            documents(&claims["authorization_details"][0])
        ),
    );

    let Answer { status, body } = portal.send(JOB, document, &token).await?;
    if !status.is_success() {
        return Err(Failure::new(format!("the signing server answered {status}: {body}")));
    }
    story.step(
        8,
        "The JWS goes back as proof",
        &format!("Authorization: Bearer {}", short(&token)),
        &format!("issuer {}, client {}", text(&claims["iss"]), text(&claims["client_id"])),
    );
    story.step(
        9,
        "The request is sent again, with the document",
        &format!("POST /v1/workers/{SIGNER}/sign  {}", size(document.bytes.len())),
        &format!("{status}  operation {}", text(&body["operation_id"])),
    );
    let (certificate, authorization) = (&body["certificate"], &body["authorization"]);
    story.step(
        10,
        "Checked: signature, issuer, time, audience, rules, assurance, document, single use. Then signed",
        &format!(
            "authorizer {}  {}  bound to {}",
            text(&authorization["rule"]),
            text(&authorization["acr"]),
            text(&authorization["binding"])
        ),
        &format!(
            "one-time certificate {}\nserial {}  until {}; its key is gone",
            text(&certificate["subject"]),
            short(text(&certificate["serial"])),
            text(&certificate["not_after"])
        ),
    );
    story.step(
        11,
        "The signed document comes back, with a receipt from the audit log",
        &format!(
            "{} {}  {}",
            text(&body["signature"]["format"]),
            text(&body["signature"]["level"]),
            text(&body["signature"]["alg"])
        ),
        &format!(
            "receipt: entry {}, {}",
            body["receipt"]["sequence"],
            short(text(&body["receipt"]["entry"]))
        ),
    );
    Ok(Signed { token, answer: body })
}

/// The other kind of worker, behind the same authorizer.
async fn validated(
    story: &Story<'_>,
    portal: &Portal<'_>,
    people: &People,
    files: &Files,
) -> Result<(), Failure> {
    const JOB: Job = Job { worker: VALIDATOR, operation: "validate" };
    let signed = Document::read_signed(files.signed())?;
    let token = portal.obtain_token(JOB, &signed, &people.carol).await?;
    let Answer { status, body } = portal.send(JOB, &signed, &token).await?;
    if !status.is_success() || body["indication"] != "TOTAL-PASSED" {
        return Err(Failure::new(format!("the validator answered {status}: {body}")));
    }
    story.extra(
        "Carol has it validated",
        &format!("{}  signed by {}", text(&body["indication"]), text(&body["signatures"][0]["signer"])),
    );
    Ok(())
}

fn kept(story: &Story<'_>, addresses: &Addresses, people: &People) {
    let alice = &people.alice;
    story.plain(&format!("  authorization server  {}", addresses.authorization));
    story.plain(&format!("  signing server        {}", addresses.signing));
    story.plain(&format!("  user                  {}", alice.username));
    story.plain(&format!("  password              {}", alice.password.expose()));
    story.plain(&format!("  authenticator secret  {}", alice.totp_secret.expose()));
    story.note("  The redirect URI is registered for any port of 127.0.0.1. Stop with Ctrl-C.");
}

/// Alice's credentials, but only where the servers go on and somebody can use them.
fn user(people: &People, keep: bool) -> Value {
    let alice = &people.alice;
    if !keep {
        return json!({"username": alice.username});
    }
    json!({
        "username": alice.username,
        "password": alice.password.expose(),
        "totp_secret": alice.totp_secret.expose(),
    })
}

/// The claims of a token that we got from its issuer over the back channel: shown, not relied on.
fn claims(token: &str) -> Result<Value, Failure> {
    let token = Unverified::peek_compact(token).map_err(|_| Failure::new("the token is no JWS"))?;
    serde_json::from_slice(token.dangerous_payload()).map_err(|_| Failure::new("the token carries no claims"))
}

/// How many documents an entry of `authorization_details` names.
fn documents(details: &Value) -> String {
    match details["documentDigests"].as_array().map_or(0, Vec::len) {
        1 => "1 document digest".to_owned(),
        n => format!("{n} document digests"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
