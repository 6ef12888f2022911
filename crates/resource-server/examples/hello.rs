use axum::{Router, routing::get};
use sealwright_jose::Alg;
use sealwright_resource_server::{Authenticator, IssuerConfig, Token, metadata::ProtectedResource};
use std::error::Error;

async fn hello(Token(token): Token) -> String {
    format!("hello {}\n", token.subject())
}

fn api() -> Result<Router, Box<dyn Error>> {
    let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com")
        .jwks_uri("https://id.example.com/oauth2/jwks".parse()?, [Alg::Es256]);
    let resource =
        ProtectedResource::new("https://api.example.com")?.authorization_servers(["https://id.example.com"]);
    let authenticator = Authenticator::builder().issuer(issuer).resource(resource.clone()).build()?;
    Ok(Router::new().route("/hello", get(hello)).merge(resource.route()).with_state(authenticator))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, api()?).await?)
}
