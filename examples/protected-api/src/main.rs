//! An API that asks for a token: `GET /api/v1/protected`, with the keys that a token service publishes.

use axum::{Json, Router, routing::get};
use sealwright_jose::Alg;
use sealwright_resource_server::{
    Authenticator, Compat, IssuerConfig, JwksOptions, Token, Waived::Audience, Waived::Issuer,
    Waived::Subject, Waived::Typ,
};
use serde_json::{Value, json};
use std::{env::var, error::Error, net::Ipv4Addr};
use tokio::net::TcpListener;

async fn protected(Token(token): Token) -> Json<Value> {
    Json(json!({ "message": "You may read this", "user": token.claims().as_map() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys =
        var("JWKS_SERVER").unwrap_or_else(|_| "http://127.0.0.1:3001/.well-known/jwks.json".to_owned());
    // The tokens say neither who made them nor for whom: whatever a key of that set signs will pass.
    let issuer =
        IssuerConfig::new("the token service", "this API").jwks_uri(keys.parse()?, [Alg::Rs256]).plain_jwt();
    let authenticator = Authenticator::builder()
        .issuer(issuer)
        .jwks(JwksOptions { allow_http_loopback: true, ..JwksOptions::default() })
        .compat(Compat::TutorialPair)
        .waive([Issuer, Audience, Typ, Subject])
        .build()?;
    let api = Router::new().route("/api/v1/protected", get(protected)).with_state(authenticator);
    let port = var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("protected API on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, api).await?)
}
