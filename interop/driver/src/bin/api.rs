//! An API behind our layer, for other people's issuers and judges to be compared with: it trusts `ISSUER`, whose keys it
//! discovers, for tokens that are meant for `AUDIENCE`, free or bound to a key, and prints where it listens.

use std::{env::var, error::Error, net::Ipv4Addr};

use axum::Router;
use sealwright_jose::Alg;
use sealwright_resource_server::{
    AuthLayer, Authenticator, IssuerConfig, JwksOptions, metadata::ProtectedResource,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let issuer = var("ISSUER")?;
    let resource = ProtectedResource::new(&url)?.authorization_servers([issuer.as_str()]);
    let authenticator = Authenticator::builder()
        .issuer(IssuerConfig::new(&issuer, var("AUDIENCE")?).discovery([Alg::Es256]))
        .jwks(JwksOptions { allow_http_loopback: true, ..JwksOptions::default() })
        .resource(resource.clone())
        .build()?;
    let api = Router::new().fallback(async || "accepted\n").layer(AuthLayer::new(authenticator));
    println!("API on {url}");
    Ok(axum::serve(listener, api.merge(resource.route())).await?)
}
